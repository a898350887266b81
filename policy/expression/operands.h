#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "policy/expression/checker.h"

namespace latchkey::policy::expression {

// Faults and warnings go here as they are found.
class Findings {
 public:
  explicit Findings(Checked& checked) : checked_(checked) {}
  void Fail(const Ast& at, std::string message, std::string suggestion = "") {
    checked_.faults.push_back({at.begin, at.end, std::move(message), std::move(suggestion)});
  }
  void Warn(const Ast& at, std::string message, std::string suggestion = "") {
    checked_.warnings.push_back({at.begin, at.end, std::move(message), std::move(suggestion)});
  }

 private:
  Checked& checked_;
};

// `ResolveOperand` gives meaning and type to a value: literal, claim, request.context["k"], key,
// caller, now, token. It returns nothing after it reported why.
std::optional<Operand> ResolveOperand(const Ast& node, const Scope& scope, Findings& findings);

// The same for what has() asks after, where a token path needs no accessor.
std::optional<Operand> ResolvePresence(const Ast& node, const Scope& scope, Findings& findings);

// "string "snp"" or "tee.type (string)", for messages.
std::string Describe(const Operand& operand);

}  // namespace latchkey::policy::expression
