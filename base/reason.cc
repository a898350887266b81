#include "base/reason.h"

#include <string>

#include "absl/strings/cord.h"

namespace latchkey {
namespace {
constexpr std::string_view kReasonUrl = "latchkey.dev/reason";
}  // namespace

absl::Status Refuse(absl::StatusCode code, std::string_view reason, std::string_view message) {
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace latchkey
