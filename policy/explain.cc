#include "policy/explain.h"

#include <string_view>

#include "policy/str_cat.h"

namespace latchkey::policy {
namespace {

// What the asking side can do, by the name that failed.
std::string_view MendFor(std::string_view name) {
  struct Mend {
    std::string_view prefix;
    std::string_view text;
  };
  static constexpr Mend kMends[] = {
      {"tee.debug", "launch the guest without debugging"},
      {"tee.migratable", "launch the guest without a migration agent"},
      {"snp.measurement", "launch the measured image the policy names"},
      {"snp.reported_tcb.", "update the firmware of the host"},
      {"snp.committed_tcb.", "update the firmware of the host"},
      {"snp.current_tcb.", "update the firmware of the host"},
      {"snp.launch_tcb.", "update the firmware of the host and launch again"},
      {"vtpm.pcr.", "boot the image the policy names"},
      {"azure.vm_id", "add the machine to the policy, or use one that is in it"},
      {"request.context", "ask with the context the policy names"},
      {"caller.id", "present the client identity the policy names"},
      {"attestation.age", "attest again"},
      {"now", "ask within the time the policy names"},
  };
  for (const Mend& mend : kMends) {
    if (name.starts_with(mend.prefix)) return mend.text;
  }
  return "";
}

std::string_view WordFor(Tri value) {
  switch (value) {
    case Tri::kTrue:
      return "true";
    case Tri::kFalse:
      return "false";
    case Tri::kMissing:
      return "undecided";
  }
  return "";
}

}  // namespace

std::string ExplainClause(const ClauseResult& clause) {
  std::string text = StrCat("\"", clause.expression, "\" is ", WordFor(clause.value));
  std::string_view mend = clause.message;
  std::string_view separator = ": ";
  for (const auto& [name, value] : clause.values_seen) {
    const bool no_verb = value == "does not apply";
    StrAppend(&text, separator, name, no_verb ? " " : " is ", value);
    separator = ", ";
    if (mend.empty()) mend = MendFor(name);
  }
  if (!mend.empty()) StrAppend(&text, "; ", mend);
  return text;
}

const ClauseResult* FirstFailing(const RuleResult& result) {
  for (const ClauseResult& clause : result.clauses) {
    const bool fails =
        result.effect == Effect::kPermit ? clause.value != Tri::kTrue : clause.value == Tri::kFalse;
    if (fails) return &clause;
  }
  return nullptr;
}

}  // namespace latchkey::policy
