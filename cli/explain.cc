#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "cli/evidence_input.h"
#include "cli/files.h"
#include "cli/invocation.h"
#include "policy/evaluate.h"
#include "policy/explain.h"
#include "policy/parse.h"

namespace latchkey::cli {
namespace {

struct ExplainOptions {
  EvidenceOptions evidence;
  std::string policy_file;
  std::string key;
  std::vector<std::string> context;
  std::vector<std::string> labels;
  std::string caller;
};

absl::StatusOr<std::shared_ptr<const policy::Policy>> ReadPolicy(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file));
  policy::ParseResult parsed = policy::ParsePolicy(file, text);
  if (parsed.policy != nullptr) return parsed.policy;
  return ErrorWithExit(ExitCode::kFindings, policy::FormatIssues(file, text, parsed.issues));
}

// Offline there is no challenge, so nothing can be bound to it. The decision is taken as if this
// evidence came in a release and held its challenge; what is supposed is listed.
policy::Claims SupposeRelease(const Inspected& inspected, std::vector<std::string>& supposed) {
  policy::Claims claims = inspected.result.claims();
  const auto suppose = [&](const char* name, policy::Value value) {
    supposed.push_back(absl::StrCat(name, " = ", policy::ToDisplay(value)));
    claims.Set(name, std::move(value));
  };
  suppose("attestation.binding", inspected.is_token ? "token_key" : "hardware");
  suppose("attestation.freshness",
          inspected.is_token ? "challenge_echoed" : "challenge_in_evidence");
  suppose("attestation.together", "alone");
  if (claims.Find("attestation.evidence_time") == nullptr) {
    suppose("attestation.evidence_time", inspected.at);
  }
  return claims;
}

const char* TriWord(policy::Tri value) {
  switch (value) {
    case policy::Tri::kTrue:
      return "true";
    case policy::Tri::kFalse:
      return "false";
    case policy::Tri::kMissing:
      return "missing";
  }
  return "missing";
}

Record ClauseRecord(const policy::ClauseResult& clause) {
  Record seen = Record::object();
  for (const auto& [name, value] : clause.values_seen) seen[name] = value;
  return {{"line", clause.line},
          {"value", TriWord(clause.value)},
          {"expression", clause.expression},
          {"seen", seen},
          {"message", clause.message}};
}

Record DecisionRecord(const policy::Policy& policy, const policy::Decision& decision) {
  Record rules = Record::array();
  for (const policy::RuleResult& rule : decision.rules()) {
    Record clauses = Record::array();
    for (const policy::ClauseResult& clause : rule.clauses) clauses.push_back(ClauseRecord(clause));
    rules.push_back({{"rule", rule.name},
                     {"effect", rule.effect == policy::Effect::kPermit ? "permit" : "forbid"},
                     {"source", rule.source},
                     {"applies", rule.applies},
                     {"why_not", rule.why_not},
                     {"clauses", clauses}});
  }
  return {{"decision", decision.permitted() ? "permitted" : "refused"},
          {"policy", policy.name()},
          {"rule", decision.rule()},
          {"audit_reason", decision.audit_reason()},
          {"reason", decision.reason()},
          {"rules", rules}};
}

// One line a clause: its value, its text, and what it saw.
std::vector<std::string> ClauseLines(const policy::Decision& decision) {
  std::vector<std::string> lines;
  for (const policy::RuleResult& rule : decision.rules()) {
    lines.push_back(absl::StrCat(
        rule.effect == policy::Effect::kPermit ? "permit " : "forbid ", rule.name,
        rule.source.empty() ? "" : absl::StrCat(" (", rule.source, ")"),
        rule.applies ? ": applies" : absl::StrCat(": does not apply: ", rule.why_not)));
    for (const policy::ClauseResult& clause : rule.clauses) {
      const std::string value = TriWord(clause.value);
      std::string seen;
      for (const auto& [name, text] : clause.values_seen) {
        absl::StrAppend(&seen, seen.empty() ? "" : ", ", name, " is ", text);
      }
      lines.push_back(absl::StrCat("  ", value, std::string(9 - value.size(), ' '),
                                   clause.expression, seen.empty() ? "" : "    [", seen,
                                   seen.empty() ? "" : "]"));
    }
  }
  return lines;
}

void PrintDecision(const Invocation& invocation, const policy::Policy& policy,
                   const policy::Decision& decision, const Inspected& inspected,
                   const std::vector<std::string>& supposed) {
  if (invocation.format() == Format::kTable) {
    PrintRecord(Format::kTable, {{"decision", decision.permitted() ? "permitted" : "refused"},
                                 {"policy", policy.name()},
                                 {"reason", decision.reason()},
                                 {"rules", ClauseLines(decision)},
                                 {"supposed", supposed},
                                 {"not judged", inspected.not_judged}});
    return;
  }
  Record record = DecisionRecord(policy, decision);
  record["supposed"] = supposed;
  record["not_judged"] = inspected.not_judged;
  record["notes"] = inspected.notes;
  PrintRecord(invocation.format(), record);
}

absl::Status Explain(const Invocation& invocation, const ExplainOptions& options) {
  ASSIGN_OR_RETURN(const auto policy, ReadPolicy(options.policy_file));
  policy::Request request{.key_name = options.key, .caller = options.caller};
  ASSIGN_OR_RETURN(request.context, ParsePairs("--context", options.context));
  ASSIGN_OR_RETURN(request.key_labels, ParsePairs("--label", options.labels));
  if (request.key_name.empty() && !policy->guards().empty()) request.key_name = policy->guards()[0];
  ASSIGN_OR_RETURN(const Inspected inspected, Inspect(options.evidence));
  for (const std::string& note : inspected.notes) PrintNote("note: " + note);
  std::vector<std::string> supposed = {absl::StrCat("key = ", request.key_name)};
  const std::vector<policy::Claims> sources = {SupposeRelease(inspected, supposed)};
  const policy::Decision decision = policy::Evaluate(*policy, sources, request, inspected.at);
  PrintDecision(invocation, *policy, decision, inspected, supposed);
  if (decision.permitted()) return absl::OkStatus();
  return ErrorWithExit(ExitCode::kRefusedByPolicy,
                       absl::StrCat("refused: ", decision.audit_reason(), ": ", decision.reason()));
}

}  // namespace

void AddExplain(CLI::App& app, Invocation& invocation) {
  CLI::App* explain = app.add_subcommand(
      "explain", "Say offline what a policy decides on evidence, clause by clause");
  const auto options = std::make_shared<ExplainOptions>();
  explain->add_option("--policy", options->policy_file, "policy document")->required();
  AddEvidenceOptions(*explain, options->evidence);
  explain->add_option("--key", options->key,
                      "short name of the key; default: the first that the policy guards");
  explain->add_option("--context", options->context, "name=value of the request; repeatable")
      ->take_all()
      ->expected(1);
  explain->add_option("--label", options->labels, "name=value of the key; repeatable")
      ->take_all()
      ->expected(1);
  explain->add_option("--caller", options->caller, "identity of the caller; default: none");
  explain->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return Explain(invocation, *options); };
  });
  explain->footer(
      "Exit code 3 when the policy refuses, 4 when the evidence is not accepted.\n"
      "Example:\n"
      "  latchkey explain --policy payments-prod.yaml --key payments --context environment=prod "
      "\\\n"
      "    --evidence report.bin --endorsements vcek.der");
}

}  // namespace latchkey::cli
