// latchkey.v1.PolicyAdmin: proto <-> policy book.

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/server/admin_act.h"
#include "broker/server/timestamp.h"
#include "latchkey/v1/policy_admin.pb.h"
#include "policy/parse.h"

namespace latchkey::server {
namespace {

v1::PolicyRevision ToWire(const release::Revision& revision, bool with_document) {
  v1::PolicyRevision wire;
  wire.set_name(revision.FullName());
  wire.set_number(revision.number);
  if (with_document) wire.set_document(revision.policy->text());
  wire.set_digest(revision.digest);
  *wire.mutable_create_time() = ToTimestamp(revision.create_time);
  wire.set_actor(revision.actor);
  return wire;
}

// The document is known to check; what is left are warnings.
void AddWarnings(std::string_view document, v1::PutPolicyResponse& response) {
  const policy::ParseResult parsed = policy::ParsePolicy("policy", document);
  for (const policy::Issue& issue : parsed.issues) {
    std::string line = absl::StrCat("policy:", issue.line, ":", issue.column, ": ", issue.message);
    if (!issue.suggestion.empty()) absl::StrAppend(&line, "; ", issue.suggestion);
    response.add_warnings(std::move(line));
  }
}

absl::StatusOr<Bytes> PutPolicy(const AdminParts& parts, const v1::PutPolicyRequest& request,
                                const Caller& caller) {
  ASSIGN_OR_RETURN(const std::string tenant, RequireTenant(parts, request.tenant()));
  if (request.document().size() > policy::kMaxPolicySizeBytes) {
    return absl::InvalidArgumentError(absl::StrCat("document: ", request.document().size(),
                                                   " bytes; at most ", policy::kMaxPolicySizeBytes,
                                                   " are allowed"));
  }
  const std::optional<uint32_t> expected =
      request.expected_revision() == 0 ? std::nullopt
                                       : std::optional<uint32_t>(request.expected_revision());
  const ActOptions options{.tenant = tenant, .validate_only = request.validate_only()};
  return RecordAct(
      parts, caller, options, [&](store::Transaction& transaction) -> absl::StatusOr<Act> {
        ASSIGN_OR_RETURN(const release::Revision revision,
                         parts.policies.Put(transaction, tenant, request.document(), expected,
                                            caller.identity, parts.clock.Now()));
        v1::PutPolicyResponse response;
        *response.mutable_revision() = ToWire(revision, true);
        AddWarnings(request.document(), response);
        return Act{"POLICY_PUT", revision.FullName(), revision.digest,
                   response.SerializeAsString()};
      });
}

struct PolicyName {
  std::string tenant;
  std::string policy;
  uint32_t revision = 0;  // 0: the newest
};

// `{p}`, `tenants/{t}/policies/{p}`, either with `/revisions/{r}`.
absl::StatusOr<PolicyName> ParsePolicyName(std::string_view text) {
  std::vector<std::string> parts = absl::StrSplit(ToAbsl(text), '/');
  PolicyName name{.tenant = "default"};
  if (parts.size() >= 3 && parts[parts.size() - 2] == "revisions") {
    if (!absl::SimpleAtoi(parts.back(), &name.revision) || name.revision == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("policy name ", ToAbsl(text), ": the revision is no number from 1 on"));
    }
    parts.resize(parts.size() - 2);
  }
  if (parts.size() == 4 && parts[0] == "tenants" && parts[2] == "policies") {
    name.tenant = parts[1];
  } else if (parts.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "policy name ", ToAbsl(text), ": write {policy} or tenants/{tenant}/policies/{policy}"));
  }
  name.policy = parts.back();
  RETURN_IF_ERROR(protocol::CheckName("policy", name.policy));
  return name;
}

absl::StatusOr<Bytes> GetPolicy(const AdminParts& parts, const v1::GetPolicyRequest& request) {
  ASSIGN_OR_RETURN(PolicyName name, ParsePolicyName(request.name()));
  ASSIGN_OR_RETURN(name.tenant, RequireTenant(parts, name.tenant));
  v1::GetPolicyResponse response;
  RETURN_IF_ERROR(
      parts.store.Read(parts.clock.Now(), [&](store::ReadTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(
            const auto revision,
            name.revision == 0
                ? parts.policies.Newest(transaction, name.tenant, name.policy)
                : parts.policies.Get(transaction, name.tenant, name.policy, name.revision));
        *response.mutable_revision() = ToWire(*revision, true);
        return absl::OkStatus();
      }));
  return response.SerializeAsString();
}

absl::StatusOr<Bytes> ListPolicies(const AdminParts& parts,
                                   const v1::ListPoliciesRequest& request) {
  ASSIGN_OR_RETURN(const std::string tenant, RequireTenant(parts, request.tenant()));
  v1::ListPoliciesResponse response;
  RETURN_IF_ERROR(
      parts.store.Read(parts.clock.Now(), [&](store::ReadTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const auto revisions, parts.policies.List(transaction, tenant));
        for (const auto& revision : revisions) {
          *response.add_revisions() = ToWire(*revision, false);
        }
        return absl::OkStatus();
      }));
  return response.SerializeAsString();
}

}  // namespace

void AddPolicyAdmin(const AdminParts& parts, AdminMethods& methods) {
  methods["/latchkey.v1.PolicyAdmin/PutPolicy"] =
      Unary<v1::PutPolicyRequest>([&parts](const auto& request, const Caller& caller) {
        return PutPolicy(parts, request, caller);
      });
  methods["/latchkey.v1.PolicyAdmin/GetPolicy"] = Unary<v1::GetPolicyRequest>(
      [&parts](const auto& request, const Caller&) { return GetPolicy(parts, request); });
  methods["/latchkey.v1.PolicyAdmin/ListPolicies"] = Unary<v1::ListPoliciesRequest>(
      [&parts](const auto& request, const Caller&) { return ListPolicies(parts, request); });
}

}  // namespace latchkey::server
