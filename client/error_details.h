#pragma once

#include <string>

#include "absl/status/status.h"

namespace latchkey::client {

// `WithErrorDetails` adds to `status` what a gRPC error carries in its details, a serialized
// google.rpc.Status: the refusal that google.rpc.ErrorInfo describes (reason; metadata remedy and
// decision_id) and the delay of google.rpc.RetryInfo. Read them with client/refusal.h. Details that
// do not parse are left out.
absl::Status WithErrorDetails(absl::Status status, const std::string& details);

}  // namespace latchkey::client
