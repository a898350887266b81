#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.h"

namespace latchkey::policy {

enum class Severity { kError, kWarning };

// One finding in a policy text. `line` and `column` count from 1. `suggestion` is the mend, or
// empty.
struct Issue {
  int line = 1;
  int column = 1;
  Severity severity = Severity::kError;
  std::string message;
  std::string suggestion;
};

// `policy` is null when any issue is an error.
struct ParseResult {
  std::shared_ptr<const Policy> policy;
  std::vector<Issue> issues;
};

inline constexpr size_t kMaxPolicySizeBytes = 64 * 1024;

// `ParsePolicy` reads, checks and compiles a policy document (docs/policy_language.md). It reports
// as many issues as it finds, in the order of the text. `file_name` is where the text came from,
// for messages.
ParseResult ParsePolicy(std::string_view file_name, std::string_view text);

// `FormatIssues` writes each issue as "file:line:column: error: message", the line quoted, a caret,
// the suggestion.
std::string FormatIssues(std::string_view file_name, std::string_view text,
                         const std::vector<Issue>& issues);

}  // namespace latchkey::policy
