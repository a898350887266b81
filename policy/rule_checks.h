#pragma once

#include <string>
#include <vector>

#include "policy/parse.h"
#include "policy/policy.h"

namespace latchkey::policy {

// What a rule as a whole gets wrong, although each of its conditions is sound.
struct RuleFinding {
  Severity severity = Severity::kError;
  std::string message;
  std::string suggestion;
};

// `CheckPermit` demands of a permit a positive condition on the hardware and one that ties the
// machine to its owner (the strangers rule), and warns when debug guests are let in. `rules` are
// all rules of the policy.
std::vector<RuleFinding> CheckPermit(const Rule& permit, const std::vector<Rule>& rules);

}  // namespace latchkey::policy
