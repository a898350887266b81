#include "broker/release/account.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/text.h"
#include "broker/release/reasons.h"
#include "crypto/digest.h"
#include "latchkey/v1/statement.pb.h"
#include "protocol/binding.h"

namespace latchkey::release {
namespace {

v1::Binding ToWire(attestation::Binding binding) {
  switch (binding) {
    case attestation::Binding::kHardware:
      return v1::BINDING_HARDWARE;
    case attestation::Binding::kVtpm:
      return v1::BINDING_VTPM;
    case attestation::Binding::kTokenKey:
      return v1::BINDING_TOKEN_KEY;
    case attestation::Binding::kNone:
      break;
  }
  return v1::BINDING_UNSPECIFIED;
}

v1::Freshness ToWire(attestation::Freshness freshness) {
  switch (freshness) {
    case attestation::Freshness::kChallengeInEvidence:
      return v1::FRESHNESS_CHALLENGE_IN_EVIDENCE;
    case attestation::Freshness::kChallengeEchoed:
      return v1::FRESHNESS_CHALLENGE_ECHOED;
    case attestation::Freshness::kNone:
      break;
  }
  return v1::FRESHNESS_NONE;
}

// The names and types of all claims: a decision means something else under another registry.
const crypto::Sha256Digest& RegistryDigest() {
  static const crypto::Sha256Digest digest = crypto::Sha256(AsBytes(policy::ClaimsMarkdown()));
  return digest;
}

// Everything that decided, so that an auditor can tell which rules were in force.
crypto::Sha256Digest ClosureDigest(const std::vector<attestation::AttestationResult>& results,
                                   const std::vector<DecidedItem>& items) {
  Bytes closure = "latchkey/v1/closure";
  AppendLp(closure, RegistryDigest());
  AppendU32(closure, static_cast<uint32_t>(results.size()));
  for (const auto& result : results) AppendLp(closure, result.verifier_digest());
  AppendU32(closure, static_cast<uint32_t>(items.size()));
  for (const DecidedItem& item : items) {
    const Revision* revision = item.revision.get();
    AppendLp(closure, revision == nullptr ? std::string() : revision->FullName());
    AppendLp(closure, revision == nullptr ? Bytes() : revision->digest);
  }
  return crypto::Sha256(AsBytes(closure));
}

std::string_view TriName(policy::Tri value) {
  switch (value) {
    case policy::Tri::kTrue:
      return "true";
    case policy::Tri::kFalse:
      return "false";
    case policy::Tri::kMissing:
      break;
  }
  return "missing";
}

std::vector<std::string> Clauses(const policy::Decision& decision) {
  std::vector<std::string> lines;
  for (const policy::RuleResult& rule : decision.rules()) {
    if (rule.clauses.empty()) lines.push_back(absl::StrCat(rule.name, ": ", rule.why_not));
    for (const policy::ClauseResult& clause : rule.clauses) {
      lines.push_back(
          absl::StrCat(clause.rule, " line ", clause.line, ": ", clause.expression, " is ",
                       ToAbsl(TriName(clause.value)), clause.values_seen.empty() ? "" : " with ",
                       absl::StrJoin(clause.values_seen, ", ", absl::PairFormatter(" = "))));
    }
  }
  return lines;
}

}  // namespace

std::vector<policy::Claims> ClaimsOf(const std::vector<attestation::AttestationResult>& results,
                                     absl::Time challenge_time) {
  std::vector<policy::Claims> all;
  all.reserve(results.size());
  for (const auto& result : results) {
    policy::Claims& claims = all.emplace_back(result.claims());
    claims.Set("attestation.together", std::string(results.size() == 1 ? "alone" : "co_submitted"));
    if (result.freshness() == attestation::Freshness::kChallengeInEvidence &&
        claims.Find("attestation.evidence_time") == nullptr) {
      claims.Set("attestation.evidence_time", challenge_time);
    }
  }
  return all;
}

Bytes StatementBody(const StatementParts& parts) {
  v1::StatementBody body;
  body.set_format(1);
  body.set_deployment_id(std::string(parts.deployment_id));
  body.set_tenant(parts.request.tenant);
  body.set_decision_id(parts.decision_id);
  body.set_time_unix_us(absl::ToUnixMicros(parts.now));
  body.set_binding_digest(ToBytes(protocol::BindingDigest(parts.transcript)));
  body.set_recipient_digest(ToBytes(protocol::RecipientDigest(
      parts.request.scheme, AsBytes(parts.request.recipient_public_key))));
  for (const auto& result : parts.results)
    body.add_evidence_digests(ToBytes(result.evidence_digest()));
  body.set_binding(ToWire(parts.results.front().binding()));
  body.set_freshness(ToWire(parts.results.front().freshness()));
  body.set_closure_digest(ToBytes(ClosureDigest(parts.results, parts.items)));
  body.set_details_digest(ToBytes(parts.details_digest));
  const crypto::Sha256Digest salt = protocol::ContextSalt(parts.transcript);
  for (size_t i = 0; i < parts.items.size(); ++i) {
    const protocol::RequestItem& asked = parts.request.items[i];
    v1::StatementItem& item = *body.add_items();
    item.set_key_version(parts.inputs[i].key_version == 0
                             ? asked.key.Full()
                             : asked.key.Version(parts.inputs[i].key_version));
    item.set_wrapped_dek_digest(ToBytes(crypto::Sha256(AsBytes(parts.inputs[i].wrapped_dek))));
    item.set_context_digest(ToBytes(protocol::ContextDigest(salt, asked.context)));
    item.set_custody_mode(v1::CUSTODY_MODE_WRAPPED);
    const std::string& refused = parts.items[i].refusal_reason;
    item.set_outcome(refused.empty() ? v1::OUTCOME_RELEASED : v1::OUTCOME_REFUSED);
    if (!refused.empty()) item.set_reason(FindReason(refused).wire_reason);
  }
  return body.SerializeAsString();
}

storage::v1::DecisionDetails Account(const std::vector<attestation::AttestationResult>& results,
                                     const std::vector<DecidedItem>& items,
                                     const ReleaseRequest& request) {
  storage::v1::DecisionDetails details;
  details.set_caller(request.caller);
  for (const auto& result : results) {
    storage::v1::AttestationDetail& attestation = *details.add_attestations();
    attestation.set_source(result.claims().source());
    for (const auto& [definition, value] : result.claims().entries()) {
      attestation.add_claims(
          absl::StrCat(ToAbsl(definition->name), " = ", policy::ToDisplay(value)));
    }
  }
  for (size_t i = 0; i < items.size(); ++i) {
    storage::v1::ItemDetail& item = *details.add_items();
    item.set_key(request.items[i].key.Full());
    item.set_permitted(items[i].refusal_reason.empty());
    item.set_reason(items[i].refusal_reason);
    item.set_message(items[i].refusal_message);
    if (items[i].revision != nullptr) {
      item.set_policy(items[i].revision->name);
      item.set_policy_revision(items[i].revision->number);
    }
    if (items[i].decision.has_value()) {
      for (std::string& line : Clauses(*items[i].decision)) item.add_clauses(std::move(line));
      if (items[i].refusal_reason.empty()) {
        item.set_reason(items[i].decision->audit_reason());
        item.set_message(items[i].decision->reason());
      }
    }
  }
  return details;
}

crypto::Sha256Digest DetailsDigest(const storage::v1::DecisionRecord& record) {
  return crypto::Sha256({AsBytes(record.salt()), AsBytes(record.details())});
}

void FillRefusal(const DecidedItem& item, const Bytes& decision_id, storage::v1::KeptItem& kept) {
  const v1::WireReason wire = FindReason(item.refusal_reason).wire_reason;
  kept.set_reason(wire);
  kept.set_message(std::string(WireMessage(wire)));
  kept.set_remedy(std::string(WireRemedy(wire)));
  kept.set_decision_id(HexEncode(AsBytes(decision_id)));
  const bool policy_refused = item.decision.has_value() && !item.decision->permitted();
  if (policy_refused && item.revision->policy->disclose_clauses()) {
    for (std::string& line : Clauses(*item.decision)) kept.add_clauses(std::move(line));
  }
}

std::string DecisionKey(std::string_view tenant, const Bytes& decision_id) {
  return absl::StrCat("decision/", ToAbsl(tenant), "/", HexEncode(AsBytes(decision_id)));
}

}  // namespace latchkey::release
