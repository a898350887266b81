#include "client/refusal.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace latchkey::client {
namespace {

constexpr char kRefusalUrl[] = "type.googleapis.com/latchkey.v1.Refusal";
constexpr char kRetryDelayUrl[] = "latchkey.dev/retry-delay-ns";

absl::StatusCode CodeOf(v1::WireReason reason) {
  switch (reason) {
    case v1::WIRE_REASON_MALFORMED:
      return absl::StatusCode::kInvalidArgument;
    case v1::WIRE_REASON_CHALLENGE_INVALID:
      return absl::StatusCode::kUnauthenticated;
    case v1::WIRE_REASON_ATTESTATION_REFUSED:
    case v1::WIRE_REASON_POLICY_REFUSED:
      return absl::StatusCode::kPermissionDenied;
    case v1::WIRE_REASON_KEY_NOT_RELEASABLE:
      return absl::StatusCode::kFailedPrecondition;
    case v1::WIRE_REASON_RATE_LIMITED:
      return absl::StatusCode::kResourceExhausted;
    case v1::WIRE_REASON_UNAVAILABLE:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

ExitCode ExitCodeOfRefusal(v1::WireReason reason) {
  switch (reason) {
    case v1::WIRE_REASON_POLICY_REFUSED:
    case v1::WIRE_REASON_KEY_NOT_RELEASABLE:
      return ExitCode::kRefusedByPolicy;
    case v1::WIRE_REASON_CHALLENGE_INVALID:
    case v1::WIRE_REASON_ATTESTATION_REFUSED:
      return ExitCode::kNotAccepted;
    case v1::WIRE_REASON_RATE_LIMITED:
    case v1::WIRE_REASON_UNAVAILABLE:
      return ExitCode::kUnavailable;
    default:
      return ExitCode::kError;
  }
}

}  // namespace

void SetRefusal(absl::Status& status, const v1::Refusal& refusal) {
  status.SetPayload(kRefusalUrl, absl::Cord(refusal.SerializeAsString()));
}

std::optional<v1::Refusal> RefusalOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRefusalUrl);
  v1::Refusal refusal;
  if (!payload || !refusal.ParseFromString(std::string(*payload))) return std::nullopt;
  return refusal;
}

absl::Status StatusOfRefusal(const v1::Refusal& refusal) {
  absl::Status status(CodeOf(refusal.reason()), refusal.message());
  SetRefusal(status, refusal);
  return status;
}

std::string ReasonWord(v1::WireReason reason) {
  const std::string name = v1::WireReason_Name(reason);
  if (name.empty()) return absl::StrCat("REASON_", static_cast<int>(reason));
  return std::string(absl::StripPrefix(name, "WIRE_REASON_"));
}

void SetRetryDelay(absl::Status& status, absl::Duration delay) {
  status.SetPayload(kRetryDelayUrl, absl::Cord(absl::StrCat(absl::ToInt64Nanoseconds(delay))));
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryDelayUrl);
  int64_t nanoseconds = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &nanoseconds)) return std::nullopt;
  return absl::Nanoseconds(nanoseconds);
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (const auto refusal = RefusalOf(status)) return ExitCodeOfRefusal(refusal->reason());
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kNotAccepted;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return ExitCode::kConflict;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return ExitCode::kUnavailable;
    default:
      return ExitCode::kError;
  }
}

}  // namespace latchkey::client
