#pragma once

#include <string>

#include "absl/status/status.h"
#include "broker/front/core.h"

namespace latchkey::server {

// Who reads an error. A workload is told the coarse wire reason only (docs/reasons.md), except what
// is wrong with the form of its own request; an administrator is told the audit reason and the
// whole sentence.
enum class Audience { kWorkload, kAdmin };

// `ErrorReply` is `status`, which is not OK, as a gRPC error with exactly one google.rpc.ErrorInfo:
// `reason`, domain "latchkey.dev", metadata `remedy`; and RetryInfo where trying again helps.
front::CoreReply ErrorReply(const absl::Status& status, Audience audience);

// The wire reason that a workload reads for `status`, without its prefix: "POLICY_REFUSED".
std::string WireReasonOf(const absl::Status& status);

}  // namespace latchkey::server
