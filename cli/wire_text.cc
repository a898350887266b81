#include "cli/wire_text.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "client/refusal.h"

namespace latchkey::cli {
namespace {

std::string Without(const std::string& prefix, const std::string& name) {
  return std::string(absl::StripPrefix(name, prefix));
}

std::string Hex(const Bytes& bytes) { return HexEncode(AsBytes(bytes)); }

std::string Formatted(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string OutcomeText(const v1::StatementItem& item) {
  if (item.outcome() == v1::OUTCOME_RELEASED) return "released";
  return absl::StrCat("refused ", client::ReasonWord(item.reason()));
}

// What happened, in one line.
std::string DecisionText(const v1::StatementBody& body) {
  int released = 0;
  for (const v1::StatementItem& item : body.items()) {
    if (item.outcome() == v1::OUTCOME_RELEASED) ++released;
  }
  if (body.items_size() == 1) return OutcomeText(body.items(0));
  return absl::StrCat(released, " released, ", body.items_size() - released, " refused");
}

std::string KeyText(const v1::StatementBody& body) {
  if (body.items_size() == 0) return "-";
  const std::string& first = body.items(0).key_version();
  return body.items_size() == 1 ? first
                                : absl::StrCat(first, " and ", body.items_size() - 1, " more");
}

Record Row(uint64_t index, const std::string& time, const std::string& kind,
           const std::string& what, const std::string& resource, const std::string& id) {
  return {{"index", index}, {"time", time},         {"kind", kind},
          {"what", what},   {"resource", resource}, {"id", id}};
}

Record StatementRecord(const v1::Statement& statement, const v1::StatementBody& body) {
  Record items = Record::array();
  for (int i = 0; i < body.items_size(); ++i) {
    const v1::StatementItem& item = body.items(i);
    const bool has_digest = i < statement.sealed_digests_size();
    items.push_back(
        {{"key_version", item.key_version()},
         {"outcome", OutcomeText(item)},
         {"custody", Without("CUSTODY_MODE_", v1::CustodyMode_Name(item.custody_mode()))},
         {"wrapped_dek_sha256", Hex(item.wrapped_dek_digest())},
         {"context_digest", Hex(item.context_digest())},
         {"sealed_dek_sha256", has_digest ? Hex(statement.sealed_digests(i)) : ""}});
  }
  Record evidence = Record::array();
  for (const Bytes& digest : body.evidence_digests()) evidence.push_back(Hex(digest));
  return {{"decision_id", Hex(body.decision_id())},
          {"time", TimeText(body.time_unix_us())},
          {"deployment_id", body.deployment_id()},
          {"tenant", body.tenant()},
          {"binding", Without("BINDING_", v1::Binding_Name(body.binding()))},
          {"freshness", Without("FRESHNESS_", v1::Freshness_Name(body.freshness()))},
          {"items", items},
          {"evidence_sha256", evidence},
          {"recipient_digest", Hex(body.recipient_digest())},
          {"binding_digest", Hex(body.binding_digest())},
          {"closure_digest", Hex(body.closure_digest())},
          {"details_digest", Hex(body.details_digest())}};
}

Record GenesisRecord(const v1::Genesis& genesis) {
  Record signers = Record::array();
  for (const Bytes& signer : genesis.signers()) signers.push_back(Hex(signer));
  return {{"deployment_id", genesis.deployment_id()},
          {"tenant", genesis.tenant()},
          {"log_public_key", Base64Encode(AsBytes(genesis.log_public_key()))},
          {"signers", signers},
          {"threshold", genesis.threshold()},
          {"time", TimeText(genesis.time_unix_us())}};
}

Record AdminActRecord(const v1::AdminAct& act) {
  return {{"action", act.action()},
          {"resource", act.resource()},
          {"actor", act.actor()},
          {"time", TimeText(act.time_unix_us())},
          {"deployment_id", act.deployment_id()},
          {"tenant", act.tenant()},
          {"state_digest", Hex(act.state_digest())},
          {"epoch", act.epoch()}};
}

Record AttemptsRecord(const v1::AttemptSummary& attempts) {
  Record counts = Record::object();
  for (const auto& [reason, count] : std::map(attempts.counts().begin(), attempts.counts().end())) {
    counts[reason] = count;
  }
  return {{"from", TimeText(attempts.from_unix_us())},
          {"until", TimeText(attempts.until_unix_us())},
          {"counts", counts}};
}

std::string AttemptsText(const v1::AttemptSummary& attempts) {
  uint64_t total = 0;
  for (const auto& [reason, count] : attempts.counts()) total += count;
  return absl::StrCat(total, " refused before a decision");
}

}  // namespace

std::string StateWord(v1::KeyVersionState state) {
  return Without("KEY_VERSION_STATE_", v1::KeyVersionState_Name(state));
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "-";
  return Formatted(absl::FromUnixSeconds(time.seconds()));
}

std::string TimeText(int64_t unix_us) { return Formatted(absl::FromUnixMicros(unix_us)); }

Record LeafSummary(uint64_t index, const std::string& bytes) {
  v1::Leaf leaf;
  v1::StatementBody body;
  if (!leaf.ParseFromString(bytes) || !body.ParseFromString(leaf.statement().body())) {
    return Row(index, "-", "unreadable", "-", "-", "-");
  }
  switch (leaf.kind_case()) {
    case v1::Leaf::kGenesis:
      return Row(index, TimeText(leaf.genesis().time_unix_us()), "genesis", "log begins",
                 absl::StrCat("tenants/", leaf.genesis().tenant()), "-");
    case v1::Leaf::kStatement:
      return Row(index, TimeText(body.time_unix_us()), "decision", DecisionText(body),
                 KeyText(body), Hex(body.decision_id()));
    case v1::Leaf::kAdminAct:
      return Row(index, TimeText(leaf.admin_act().time_unix_us()), "act", leaf.admin_act().action(),
                 leaf.admin_act().resource(), leaf.admin_act().actor());
    case v1::Leaf::kAttempts:
      return Row(index, TimeText(leaf.attempts().until_unix_us()), "attempts",
                 AttemptsText(leaf.attempts()), "-", "-");
    default:
      return Row(index, "-", "unknown", "-", "-", "-");
  }
}

Record LeafRecord(uint64_t index, const std::string& bytes) {
  v1::Leaf leaf;
  v1::StatementBody body;
  Record content;
  std::string kind = "unreadable";
  if (leaf.ParseFromString(bytes) && body.ParseFromString(leaf.statement().body())) {
    if (leaf.has_genesis()) {
      kind = "genesis";
      content = GenesisRecord(leaf.genesis());
    } else if (leaf.has_statement()) {
      kind = "decision";
      content = StatementRecord(leaf.statement(), body);
    } else if (leaf.has_admin_act()) {
      kind = "act";
      content = AdminActRecord(leaf.admin_act());
    } else if (leaf.has_attempts()) {
      kind = "attempts";
      content = AttemptsRecord(leaf.attempts());
    }
  }
  Record record = {{"index", index}, {"kind", kind}};
  for (const auto& [name, value] : content.items()) record[name] = value;
  return record;
}

}  // namespace latchkey::cli
