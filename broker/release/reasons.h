#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "latchkey/v1/statement.pb.h"

namespace latchkey::release {

// `ReasonDefinition` maps one audit reason to what the caller may know.
struct ReasonDefinition {
  std::string_view audit_reason;
  v1::WireReason wire_reason;
  absl::StatusCode code;  // of the whole call, where it ends the call
  int exit_code;          // of `latchkey get`
  std::string_view meaning;
};

// `AllReasons` is the table, sorted by audit reason; docs/reasons.md is generated from it.
std::span<const ReasonDefinition> AllReasons();

// The definition of `audit_reason`; an unlisted one is UNAVAILABLE to the caller, so that a gap in
// the table never tells more.
const ReasonDefinition& FindReason(std::string_view audit_reason);

// What a caller reads for a wire reason: one sentence, and what to do next.
std::string_view WireMessage(v1::WireReason reason);
std::string_view WireRemedy(v1::WireReason reason);

// The page docs/reasons.md.
std::string ReasonsMarkdown();

}  // namespace latchkey::release
