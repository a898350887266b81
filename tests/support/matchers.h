#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/reason.h"
#include "gmock/gmock.h"

namespace latchkey {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

// All take a Status or a StatusOr.
MATCHER(IsOk, negation ? "is an error" : "is OK") {
  *result_listener << "whose status is " << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

// `IsOkAndHolds(m)`: OK, and the value is, or matches, `m`.
MATCHER_P(IsOkAndHolds, inner, "is OK and holds what is expected") {
  if (!arg.ok()) {
    *result_listener << "whose status is " << arg.status().ToString();
    return false;
  }
  return testing::ExplainMatchResult(inner, *arg, result_listener);
}

// `StatusIs(code)`, and `StatusIs(code, m)`: the message is, or matches, `m` (HasSubstr(...)).
MATCHER_P(StatusIs, code, "has status " + absl::StatusCodeToString(code)) {
  *result_listener << "whose status is " << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}
MATCHER_P2(StatusIs, code, message,
           "has status " + absl::StatusCodeToString(code) + " and the message") {
  *result_listener << "whose status is " << StatusOf(arg).ToString() << ", ";
  return StatusOf(arg).code() == code &&
         testing::ExplainMatchResult(message, std::string(StatusOf(arg).message()),
                                     result_listener);
}

// `HasReason("X")`: an error that carries the audit reason X (base/reason.h).
MATCHER_P(HasReason, reason, "carries the audit reason " + testing::PrintToString(reason)) {
  *result_listener << "whose reason is \"" << ReasonOf(StatusOf(arg)) << "\" and whose status is "
                   << StatusOf(arg).ToString();
  return !StatusOf(arg).ok() && ReasonOf(StatusOf(arg)) == reason;
}

}  // namespace latchkey
