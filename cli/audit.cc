#include "broker/audit/audit_log.h"

#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/files.h"
#include "cli/invocation.h"
#include "cli/log_export.h"
#include "cli/wire_text.h"
#include "latchkey/v1/audit.pb.h"
#include "protocol/checkpoint.h"

namespace latchkey::cli {
namespace {

constexpr uint32_t kPageSize = 1000;

// Leaves [first, first + count), fewer at the end of the log.
absl::StatusOr<std::vector<Bytes>> FetchLeaves(client::AdminClient& admin,
                                               const std::string& tenant, uint64_t first,
                                               uint64_t count) {
  std::vector<Bytes> leaves;
  while (leaves.size() < count) {
    v1::ListLeavesRequest request;
    request.set_tenant(tenant);
    request.set_first(first + leaves.size());
    request.set_count(static_cast<uint32_t>(std::min<uint64_t>(kPageSize, count - leaves.size())));
    v1::ListLeavesResponse response;
    RETURN_IF_ERROR(admin.Call("Audit/ListLeaves", request, response));
    if (response.leaves().empty()) break;
    leaves.insert(leaves.end(), response.leaves().begin(), response.leaves().end());
  }
  return leaves;
}

struct ListOptions {
  uint64_t first = 0;
  uint64_t count = 0;
};

absl::Status List(const Invocation& invocation, const ListOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  const uint64_t count = options.count == 0 ? UINT64_MAX : options.count;
  ASSIGN_OR_RETURN(const std::vector<Bytes> leaves,
                   FetchLeaves(*admin, settings.tenant, options.first, count));
  Record rows = Record::array();
  for (size_t i = 0; i < leaves.size(); ++i) {
    rows.push_back(LeafSummary(options.first + i, leaves[i]));
  }
  PrintRecords(invocation.format(), rows);
  return absl::OkStatus();
}

absl::Status Show(const Invocation& invocation, uint64_t index) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  ASSIGN_OR_RETURN(const std::vector<Bytes> leaves, FetchLeaves(*admin, settings.tenant, index, 1));
  if (leaves.empty()) return absl::NotFoundError(absl::StrCat("the log has no leaf ", index));
  PrintRecord(invocation.format(), LeafRecord(index, leaves[0]));
  return absl::OkStatus();
}

absl::Status Explain(const Invocation& invocation, const std::string& decision) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  v1::GetDecisionRequest request;
  request.set_tenant(settings.tenant);
  request.set_decision_id(decision);
  v1::GetDecisionResponse response;
  RETURN_IF_ERROR(admin->Call("Audit/GetDecision", request, response));
  Record record = LeafRecord(response.leaf_index(), response.leaf());
  Record items = Record::array();
  Record clauses = Record::array();
  for (const v1::ItemDetails& item : response.items()) {
    items.push_back({{"key", item.key()},
                     {"policy", absl::StrCat(item.policy(), " revision ", item.policy_revision())},
                     {"decision", item.permitted() ? "permitted" : "refused"},
                     {"reason", item.reason()},
                     {"message", item.message()}});
    for (const std::string& clause : item.clauses()) {
      clauses.push_back(absl::StrCat(item.key(), ": ", clause));
    }
  }
  Record claims = Record::array();
  for (const v1::AttestationDetails& attestation : response.attestations()) {
    for (const std::string& claim : attestation.claims()) {
      claims.push_back(absl::StrCat(attestation.source(), ": ", claim));
    }
  }
  record["caller"] = response.caller();
  record["account"] = items;
  record["clauses"] = clauses;
  record["claims"] = claims;
  PrintRecord(invocation.format(), record);
  return absl::OkStatus();
}

struct VerifyOptions {
  std::string export_file;
  std::string from_file;
};

// The checkpoint comes first and says how many leaves it is over: the log may grow meanwhile.
absl::StatusOr<LogExport> FetchLog(const Settings& settings, const crypto::PublicKey& log_key) {
  ASSIGN_OR_RETURN(const auto admin, ConnectAdmin(settings));
  LogExport log{.origin = protocol::LogOrigin(settings.deployment_id, settings.tenant)};
  v1::GetCheckpointRequest request;
  request.set_tenant(settings.tenant);
  v1::GetCheckpointResponse response;
  RETURN_IF_ERROR(admin->Call("Audit/GetCheckpoint", request, response));
  log.checkpoint = response.checkpoint();
  ASSIGN_OR_RETURN(const protocol::Checkpoint checkpoint,
                   protocol::VerifyCheckpoint(log.checkpoint, log.origin, log_key));
  ASSIGN_OR_RETURN(log.leaves, FetchLeaves(*admin, settings.tenant, 0, checkpoint.size));
  return log;
}

absl::Status Verify(const Invocation& invocation, const VerifyOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const Bytes raw_key, LogPublicKey(settings));
  ASSIGN_OR_RETURN(const Bytes genesis_digest, GenesisDigest(settings));
  if (settings.deployment_id.empty()) return UsageError("no deployment_id; give --deployment-id");
  ASSIGN_OR_RETURN(const auto log_key, crypto::PublicKey::FromEd25519(AsBytes(raw_key)));
  ASSIGN_OR_RETURN(const LogExport log, options.from_file.empty()
                                            ? FetchLog(settings, log_key)
                                            : ReadLogExport(options.from_file));
  // The origin that counts is the pinned one, not the one that an export states.
  const std::string origin = protocol::LogOrigin(settings.deployment_id, settings.tenant);
  RETURN_IF_ERROR(
      audit::VerifyLeaves(log.leaves, log.checkpoint, origin, log_key, AsBytes(genesis_digest)));
  if (!options.export_file.empty()) RETURN_IF_ERROR(WriteLogExport(options.export_file, log));
  ASSIGN_OR_RETURN(const protocol::Checkpoint checkpoint,
                   protocol::VerifyCheckpoint(log.checkpoint, origin, log_key));
  PrintRecord(
      invocation.format(),
      {{"verified", true},
       {"origin", origin},
       {"leaves", checkpoint.size},
       {"root", HexEncode(checkpoint.root)},
       {"proves",
        "these are the leaves that the log signed, in their order, from the pinned leaf 0 on"},
       {"does_not_prove",
        "that no other history was shown to somebody else; this needs a witness"}});
  return absl::OkStatus();
}

void AddVerify(CLI::App& audit, Invocation& invocation) {
  CLI::App* verify = audit.add_subcommand(
      "verify", "Replay the whole log against its signed checkpoint and the pinned leaf 0");
  const auto options = std::make_shared<VerifyOptions>();
  verify->add_option("--export", options->export_file,
                     "also write the verified log to this file, as JSON lines");
  verify->add_option("--from", options->from_file,
                     "verify such a file offline instead of a broker");
  verify->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return Verify(invocation, *options); };
  });
  verify->footer(
      "Examples:\n"
      "  latchkey audit verify --export log.jsonl\n"
      "  latchkey audit verify --from log.jsonl");
}

}  // namespace

void AddAudit(CLI::App& app, Invocation& invocation) {
  CLI::App* audit = app.add_subcommand("audit", "The log of decisions and administrative acts");
  audit->require_subcommand(1);

  CLI::App* list = audit->add_subcommand("list", "List the leaves of the log");
  const auto options = std::make_shared<ListOptions>();
  list->add_option("--first", options->first, "index to begin at");
  list->add_option("--count", options->count, "how many; default: all");
  list->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return List(invocation, *options); };
  });
  list->footer("Example:\n  latchkey audit list --first 100 --count 50");

  CLI::App* show = audit->add_subcommand("show", "Show everything one leaf says");
  const auto index = std::make_shared<uint64_t>(0);
  show->add_option("INDEX", *index, "index of the leaf")->required();
  show->callback([&invocation, index] {
    invocation.run = [&invocation, index] { return Show(invocation, *index); };
  });
  show->footer("Example:\n  latchkey audit show 17 -o json");

  CLI::App* explain = audit->add_subcommand(
      "explain", "Show why a decision was taken: claims, and every clause with the value it saw");
  const auto decision = std::make_shared<std::string>();
  explain->add_option("DECISION", *decision, "decision id, 32 hex digits, as a refusal names it")
      ->required();
  explain->callback([&invocation, decision] {
    invocation.run = [&invocation, decision] { return Explain(invocation, *decision); };
  });
  explain->footer("Example:\n  latchkey audit explain 7c0f1d6a5b3e49d28f0a1b2c3d4e5f60");

  AddVerify(*audit, invocation);
}

}  // namespace latchkey::cli
