#include "policy/evaluate.h"

#include <optional>
#include <utility>

#include "policy/explain.h"
#include "policy/expression/evaluator.h"
#include "policy/str_cat.h"

namespace latchkey::policy {
namespace {

using expression::Facts;

// How far ahead of our clock the time of evidence may lie: those who make it have clocks of their
// own.
constexpr absl::Duration kMaxClockSkew = absl::Minutes(1);

struct Verdict {
  bool permitted = false;
  int attestation = -1;
  std::string rule;
  std::string audit_reason;
  std::string reason;
};

// Why a permit cannot rest on an attestation, whatever its claims.
struct Staleness {
  std::string_view audit_reason;
  std::string text;
};

// DESIGN: an attestation without the challenge needs a maximum age; an age that is asked for must
// be known.
std::optional<Staleness> FindStaleness(const Policy& policy, const Claims& claims, absl::Time now) {
  const auto max_age = policy.max_evidence_age();
  if (!max_age) {
    const Value* freshness = claims.Find("attestation.freshness");
    if (freshness != nullptr && *freshness->Get<std::string>() != "none") return std::nullopt;
    return Staleness{"NO_FRESHNESS",
                     "the attestation does not hold the challenge of this release; attest with it, "
                     "or set maxEvidenceAge in the policy"};
  }
  const Value* made = claims.Find("attestation.evidence_time");
  if (made == nullptr) {
    return Staleness{"EVIDENCE_TOO_OLD",
                     "the attestation does not say when it was made, and maxEvidenceAge needs it"};
  }
  const absl::Duration age = now - *made->Get<absl::Time>();
  if (age < -kMaxClockSkew) {
    return Staleness{"EVIDENCE_TOO_OLD", "the evidence is dated in the future; mend the clocks"};
  }
  if (age <= *max_age) return std::nullopt;
  return Staleness{"EVIDENCE_TOO_OLD", StrCat("the evidence is ", absl::FormatDuration(age),
                                              " old, more than maxEvidenceAge ",
                                              absl::FormatDuration(*max_age), "; attest again")};
}

class Evaluation {
 public:
  Evaluation(const Policy& policy, std::span<const Claims> sources, const Request& request,
             absl::Time now)
      : policy_(policy), sources_(sources), request_(request), now_(now) {}

  // Every rule is run, even after one has decided: the account is whole, and the order of rules
  // changes nothing.
  Verdict Run(std::vector<RuleResult>& results) {
    results.reserve(policy_.rules().size());
    for (const Rule& rule : policy_.rules()) {
      bool found = false;
      for (size_t i = 0; i < sources_.size(); ++i) {
        if (!rule.source.empty() && rule.source != sources_[i].source()) continue;
        found = true;
        results.push_back(RunRule(rule, static_cast<int>(i)));
      }
      if (!found) results.push_back(RunRule(rule, -1));
    }
    return Decide(results);
  }

 private:
  // `attestation` is -1 when the rule's source presented nothing: every claim is missing then, so
  // that a forbid cannot be dodged by leaving an attestation out.
  RuleResult RunRule(const Rule& rule, int attestation) {
    const Claims* claims = attestation < 0 ? nullptr : &sources_[attestation];
    const Facts facts{rule.effect, claims, request_, now_};
    RuleResult result;
    result.name = rule.name;
    result.effect = rule.effect;
    result.source = rule.source;
    result.attestation = attestation;
    result.clauses.reserve(rule.conditions.size());
    for (const Condition& condition : rule.conditions) {
      result.clauses.push_back({rule.name, condition.expression, condition.message,
                                expression::EvaluateFormula(*condition.formula, facts),
                                expression::SeenBy(*condition.formula, facts), condition.line});
    }
    Collapse(result, claims);
    return result;
  }

  // Three values become two here, once per condition: a permit needs true; a forbid applies unless
  // one is false.
  void Collapse(RuleResult& result, const Claims* claims) {
    const ClauseResult* failing = FirstFailing(result);
    if (result.effect == Effect::kPermit && claims == nullptr) {
      result.why_not = StrCat("nothing was attested by ", result.source);
    } else if (failing != nullptr) {
      result.why_not = ExplainClause(*failing);
    } else if (result.effect == Effect::kPermit) {
      if (const auto stale = FindStaleness(policy_, *claims, now_)) result.why_not = stale->text;
    }
    result.applies = result.why_not.empty();
  }

  Verdict Decide(const std::vector<RuleResult>& results) {
    if (policy_.not_before() && now_ < *policy_.not_before()) {
      return Refuse("POLICY_NOT_YET_VALID",
                    StrCat("the policy is valid from ", ToDisplay(*policy_.not_before())));
    }
    if (policy_.not_after() && now_ >= *policy_.not_after()) {
      return Refuse("POLICY_EXPIRED",
                    StrCat("the policy ended at ", ToDisplay(*policy_.not_after()),
                           "; put a revision with a later notAfter"));
    }
    if (!policy_.Guards(request_.key_name)) {
      return Refuse("POLICY_DOES_NOT_GUARD_KEY",
                    StrCat("key ", ToDisplay(request_.key_name),
                           " is not among the policy's guards; add it there"));
    }
    const RuleResult* permit = nullptr;
    for (const RuleResult& result : results) {
      if (!result.applies) continue;
      if (result.effect == Effect::kForbid) return Forbid(result);
      if (permit == nullptr) permit = &result;
    }
    return permit != nullptr ? Permit(*permit) : RefuseByNearest(results);
  }

  Verdict Permit(const RuleResult& result) const {
    return {true, result.attestation, result.name, "POLICY_PERMITTED",
            StrCat("policy ", policy_.name(), ": rule ", result.name, " permits on the word of ",
                   result.source)};
  }

  Verdict Forbid(const RuleResult& result) const {
    std::string text = StrCat("rule ", result.name, " forbids");
    if (result.attestation < 0 && !result.source.empty()) {
      StrAppend(&text, ", and nothing attested by ", result.source, " says otherwise");
    }
    for (const ClauseResult& clause : result.clauses) {
      StrAppend(&text, ": ", ExplainClause(clause));
    }
    Verdict verdict = Refuse("POLICY_FORBIDDEN", text);
    verdict.rule = result.name;
    return verdict;
  }

  // No rule permits: the permit that came closest says what is wanting.
  Verdict RefuseByNearest(const std::vector<RuleResult>& results) const {
    const RuleResult* nearest = nullptr;
    for (const RuleResult& result : results) {
      if (result.effect != Effect::kPermit) continue;
      if (nearest == nullptr || Rank(result) < Rank(*nearest)) nearest = &result;
    }
    if (nearest == nullptr) {
      return Refuse("POLICY_DENIED_NO_RULE", "the policy has no permit rule");
    }
    return Refuse(ReasonOf(*nearest), StrCat("no rule permits; rule ", nearest->name,
                                             " comes closest: ", nearest->why_not));
  }

  static int CountFailing(const RuleResult& result) {
    int failing = 0;
    for (const ClauseResult& clause : result.clauses) failing += clause.value != Tri::kTrue;
    return failing;
  }

  // Attested before not attested, then by the number of conditions that fail.
  static std::pair<bool, int> Rank(const RuleResult& result) {
    return {result.attestation < 0, CountFailing(result)};
  }

  std::string_view ReasonOf(const RuleResult& permit) const {
    if (permit.attestation < 0) return "SOURCE_MISSING";
    if (FirstFailing(permit) == nullptr) {
      return FindStaleness(policy_, sources_[permit.attestation], now_)->audit_reason;
    }
    for (const ClauseResult& clause : permit.clauses) {
      if (clause.value == Tri::kFalse) return "POLICY_DENIED_NO_RULE";
    }
    return "CLAIM_MISSING";
  }

  Verdict Refuse(std::string_view audit_reason, std::string_view text) const {
    return {false, -1, "", std::string(audit_reason),
            StrCat("policy ", policy_.name(), ": ", text)};
  }

  const Policy& policy_;
  std::span<const Claims> sources_;
  const Request& request_;
  absl::Time now_;
};

}  // namespace

Decision Evaluate(const Policy& policy, std::span<const Claims> sources, const Request& request,
                  absl::Time now) {
  Decision decision;
  Verdict verdict = Evaluation(policy, sources, request, now).Run(decision.rules_);
  decision.permitted_ = verdict.permitted;
  decision.attestation_ = verdict.attestation;
  decision.rule_ = std::move(verdict.rule);
  decision.audit_reason_ = std::move(verdict.audit_reason);
  decision.reason_ = std::move(verdict.reason);
  return decision;
}

}  // namespace latchkey::policy
