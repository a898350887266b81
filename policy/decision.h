#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

// A `Decision` is the answer of a policy: permit or refuse, by which clause, with the values seen,
// in words.

namespace latchkey::policy {

class Claims;
class Policy;
struct Request;

enum class Effect { kPermit, kForbid };

// Strong Kleene truth: `kMissing` is neither true nor false, and stays so under negation.
enum class Tri { kFalse, kMissing, kTrue };

// One condition of a rule as it was evaluated. `values_seen` pairs each name in the expression with
// its value for display, "missing", or "does not apply".
struct ClauseResult {
  std::string rule;
  std::string expression;
  std::string message;
  Tri value = Tri::kMissing;
  std::vector<std::pair<std::string, std::string>> values_seen;
  int line = 0;
};

// One rule against one attestation. `applies` says that a permit holds or a forbid strikes;
// otherwise `why_not` says why it does not. `attestation` is the index in the sources given to
// Evaluate, -1 when the rule's source was absent.
struct RuleResult {
  std::string name;
  Effect effect = Effect::kPermit;
  std::string source;
  int attestation = -1;
  bool applies = false;
  std::string why_not;
  std::vector<ClauseResult> clauses;
};

// Only `Evaluate` makes a Decision, so holding one proves that a policy was asked.
class Decision {
 public:
  bool permitted() const { return permitted_; }
  // The rule that permitted or forbade; empty when no rule decided.
  const std::string& rule() const { return rule_; }
  // The index of the attestation on whose word a permit rests; -1 for a refusal.
  int attestation() const { return attestation_; }
  // A sentence: what, which value, the mend.
  const std::string& reason() const { return reason_; }
  // UPPER_SNAKE: POLICY_PERMITTED, POLICY_FORBIDDEN, POLICY_DENIED_NO_RULE, POLICY_EXPIRED,
  // POLICY_NOT_YET_VALID, POLICY_DOES_NOT_GUARD_KEY, SOURCE_MISSING, CLAIM_MISSING,
  // EVIDENCE_TOO_OLD, NO_FRESHNESS.
  const std::string& audit_reason() const { return audit_reason_; }
  // Every rule with every clause, in the order of the policy.
  const std::vector<RuleResult>& rules() const { return rules_; }

 private:
  friend Decision Evaluate(const Policy& policy, std::span<const Claims> sources,
                           const Request& request, absl::Time now);
  Decision() = default;

  bool permitted_ = false;
  int attestation_ = -1;
  std::string rule_;
  std::string reason_;
  std::string audit_reason_;
  std::vector<RuleResult> rules_;
};

}  // namespace latchkey::policy
