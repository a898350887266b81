#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace latchkey::client {

// `WithErrorDetails` adds to `status` what a gRPC error carries in its details, a serialized
// google.rpc.Status: the latchkey.v1.Refusal, or else the reason and metadata (decision_id, remedy)
// of google.rpc.ErrorInfo, and the delay of google.rpc.RetryInfo. Read them with client/refusal.h.
// Details that do not parse are left out.
absl::Status WithErrorDetails(absl::Status status, std::string_view details);

}  // namespace latchkey::client
