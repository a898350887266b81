#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/decision.h"
#include "policy/expression/ast.h"
#include "policy/expression/formula.h"
#include "policy/expression/lexer.h"

namespace latchkey::policy::expression {

using Sets = std::map<std::string, std::vector<std::string>, std::less<>>;

// Where an expression stands: in which kind of rule, about whose claims, beside which sets.
struct Scope {
  Effect effect = Effect::kPermit;
  std::string source;  // empty: any
  const Sets* sets = nullptr;
};

// `formula` is null when there are faults.
struct Checked {
  std::shared_ptr<const Formula> formula;
  std::vector<Fault> faults;
  std::vector<Fault> warnings;
  int atoms = 0;
};

// `CheckExpression` parses, types and compiles one expression.
Checked CheckExpression(std::string_view text, const Scope& scope);

}  // namespace latchkey::policy::expression
