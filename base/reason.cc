#include "base/reason.h"

#include "absl/strings/cord.h"
#include "base/text.h"

namespace latchkey {
namespace {

constexpr char kReasonUrl[] = "latchkey.dev/reason";

}  // namespace

absl::Status Refuse(absl::StatusCode code, std::string_view reason, std::string_view message) {
  absl::Status status(code, ToAbsl(message));
  status.SetPayload(kReasonUrl, absl::Cord(ToAbsl(reason)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace latchkey
