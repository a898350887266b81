#pragma once

#include "absl/status/statusor.h"
#include "broker/server/broker.h"
#include "broker/server/config.h"

namespace latchkey::server {

// `ReadListeners` reads the certificates and keys that `config` names and checks that they go
// together. The error names the file and the mend.
absl::StatusOr<BrokerListeners> ReadListeners(const Config& config, absl::Time now);

}  // namespace latchkey::server
