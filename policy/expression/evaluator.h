#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "policy/decision.h"
#include "policy/evaluate.h"
#include "policy/expression/formula.h"

namespace latchkey::policy::expression {

// What an expression is evaluated over. `claims` is null when the rule's source presented nothing:
// every claim is missing then.
struct Facts {
  Effect effect = Effect::kPermit;
  const Claims* claims = nullptr;
  const Request& request;
  absl::Time now;
};

using ValuesSeen = std::vector<std::pair<std::string, std::string>>;

// `EvaluateFormula` returns the truth of `formula` in strong Kleene logic. A claim that does not
// apply to the attestation is missing in a permit; in a forbid its atom is false, negated or not:
// the forbid does not apply there.
Tri EvaluateFormula(const Formula& formula, const Facts& facts);

// `SeenBy` lists each name in `formula` once, with the value it has in `facts`.
ValuesSeen SeenBy(const Formula& formula, const Facts& facts);

}  // namespace latchkey::policy::expression
