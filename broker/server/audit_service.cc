// latchkey.v1.Audit: reads a tenant's log and the details of its decisions.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/release/account.h"
#include "broker/server/admin_act.h"
#include "latchkey/storage/v1/records.pb.h"
#include "latchkey/v1/audit.pb.h"
#include "protocol/statement.h"

namespace latchkey::server {
namespace {

constexpr uint32_t kDefaultLeaves = 100;
constexpr uint32_t kMaxLeaves = 1000;
constexpr size_t kDecisionIdBytes = 16;

absl::StatusOr<Bytes> ListLeaves(const AdminParts& parts, const v1::ListLeavesRequest& request) {
  ASSIGN_OR_RETURN(const std::string tenant, RequireTenant(parts, request.tenant()));
  const uint32_t count =
      request.count() == 0 ? kDefaultLeaves : std::min(request.count(), kMaxLeaves);
  ASSIGN_OR_RETURN(audit::AuditLog::Leaves leaves,
                   parts.audit_log.Read(tenant, request.first(), count));
  v1::ListLeavesResponse response;
  for (Bytes& leaf : leaves.leaves) response.add_leaves(std::move(leaf));
  response.set_size(leaves.size);
  return response.SerializeAsString();
}

absl::StatusOr<Bytes> LeafAt(const AdminParts& parts, const std::string& tenant, uint64_t index) {
  ASSIGN_OR_RETURN(audit::AuditLog::Leaves leaves, parts.audit_log.Read(tenant, index, 1));
  if (leaves.leaves.size() != 1) {
    return absl::DataLossError(absl::StrCat("log of ", tenant, ": leaf ", index, " is missing"));
  }
  return std::move(leaves.leaves.front());
}

// The details lie beside the log, not in it: only those that the leaf vouches for are shown.
absl::Status EnsureVouched(const storage::v1::DecisionRecord& record, const Bytes& decision_id,
                           const Bytes& leaf) {
  ASSIGN_OR_RETURN(const protocol::StatementLeaf statement,
                   protocol::ParseStatementLeaf(AsBytes(leaf)));
  if (statement.body.decision_id() != decision_id ||
      statement.body.details_digest() != ToBytes(release::DetailsDigest(record))) {
    return absl::DataLossError(
        absl::StrCat("decision ", HexEncode(AsBytes(decision_id)),
                     ": its details are not those of its leaf; somebody edited the database"));
  }
  return absl::OkStatus();
}

v1::GetDecisionResponse ToWire(const storage::v1::DecisionDetails& details) {
  v1::GetDecisionResponse response;
  for (const storage::v1::AttestationDetail& detail : details.attestations()) {
    v1::AttestationDetails& wire = *response.add_attestations();
    wire.set_source(detail.source());
    *wire.mutable_claims() = detail.claims();
  }
  for (const storage::v1::ItemDetail& detail : details.items()) {
    v1::ItemDetails& wire = *response.add_items();
    wire.set_key(detail.key());
    wire.set_policy(detail.policy());
    wire.set_policy_revision(detail.policy_revision());
    wire.set_permitted(detail.permitted());
    wire.set_reason(detail.reason());
    wire.set_message(detail.message());
    *wire.mutable_clauses() = detail.clauses();
  }
  response.set_caller(details.caller());
  return response;
}

absl::StatusOr<Bytes> GetDecision(const AdminParts& parts, const v1::GetDecisionRequest& request) {
  ASSIGN_OR_RETURN(const std::string tenant, RequireTenant(parts, request.tenant()));
  const auto id = HexDecode(request.decision_id());
  if (!id.ok() || id->size() != kDecisionIdBytes) {
    return absl::InvalidArgumentError(
        "decision_id: write the 32 hex digits of a refusal or a leaf");
  }
  std::optional<Bytes> row;
  RETURN_IF_ERROR(
      parts.store.Read(parts.clock.Now(), [&](store::ReadTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(row, transaction.Get(release::DecisionKey(tenant, *id)));
        return absl::OkStatus();
      }));
  if (!row.has_value()) {
    return absl::NotFoundError(
        absl::StrCat("decision ", request.decision_id(), ": none in tenant ", tenant));
  }
  storage::v1::DecisionRecord record;
  storage::v1::DecisionDetails details;
  if (!record.ParseFromString(*row) || !details.ParseFromString(record.details())) {
    return absl::DataLossError(
        absl::StrCat("decision ", request.decision_id(), ": its record does not parse"));
  }
  ASSIGN_OR_RETURN(Bytes leaf, LeafAt(parts, tenant, record.leaf_index()));
  RETURN_IF_ERROR(EnsureVouched(record, *id, leaf));
  v1::GetDecisionResponse response = ToWire(details);
  response.set_leaf(std::move(leaf));
  response.set_leaf_index(record.leaf_index());
  return response.SerializeAsString();
}

absl::StatusOr<Bytes> GetCheckpoint(const AdminParts& parts,
                                    const v1::GetCheckpointRequest& request) {
  ASSIGN_OR_RETURN(const std::string tenant, RequireTenant(parts, request.tenant()));
  v1::GetCheckpointResponse response;
  ASSIGN_OR_RETURN(*response.mutable_checkpoint(), parts.audit_log.Checkpoint(tenant));
  return response.SerializeAsString();
}

absl::StatusOr<Bytes> GetInclusionProof(const AdminParts& parts,
                                        const v1::GetInclusionProofRequest& request) {
  ASSIGN_OR_RETURN(const std::string tenant, RequireTenant(parts, request.tenant()));
  v1::GetInclusionProofResponse response;
  ASSIGN_OR_RETURN(*response.mutable_receipt(),
                   parts.audit_log.Prove(tenant, request.leaf_index()));
  return response.SerializeAsString();
}

}  // namespace

void AddAudit(const AdminParts& parts, AdminMethods& methods) {
  methods["/latchkey.v1.Audit/ListLeaves"] = Unary<v1::ListLeavesRequest>(
      [&parts](const auto& request, const Caller&) { return ListLeaves(parts, request); });
  methods["/latchkey.v1.Audit/GetDecision"] = Unary<v1::GetDecisionRequest>(
      [&parts](const auto& request, const Caller&) { return GetDecision(parts, request); });
  methods["/latchkey.v1.Audit/GetCheckpoint"] = Unary<v1::GetCheckpointRequest>(
      [&parts](const auto& request, const Caller&) { return GetCheckpoint(parts, request); });
  methods["/latchkey.v1.Audit/GetInclusionProof"] = Unary<v1::GetInclusionProofRequest>(
      [&parts](const auto& request, const Caller&) { return GetInclusionProof(parts, request); });
}

}  // namespace latchkey::server
