#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "latchkey/v1/refusal.pb.h"

namespace latchkey::client {

// A refusal of the broker travels as the payload of a Status, so that callers get the wire reason,
// the remedy and the decision id beside the sentence.
void SetRefusal(absl::Status& status, const v1::Refusal& refusal);
// nullopt when `status` is no refusal of the broker.
std::optional<v1::Refusal> RefusalOf(const absl::Status& status);

// `StatusOfRefusal` is the error that a refused item becomes; its code follows docs/reasons.md.
absl::Status StatusOfRefusal(const v1::Refusal& refusal);

// POLICY_REFUSED for WIRE_REASON_POLICY_REFUSED.
std::string ReasonWord(v1::WireReason reason);

// How long the broker asked to wait before the next try (google.rpc.RetryInfo).
void SetRetryDelay(absl::Status& status, absl::Duration delay);
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// Exit codes of programs: what a script may branch on.
enum class ExitCode {
  kOk = 0,
  kError = 1,
  kUsage = 2,
  kRefusedByPolicy = 3,
  kNotAccepted = 4,  // attestation or identity
  kNotFound = 5,
  kConflict = 6,
  kUnavailable = 7,
  kFindings = 8,
};
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace latchkey::client
