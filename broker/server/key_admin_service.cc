// latchkey.v1.KeyAdmin: proto <-> keyring.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "broker/server/admin_act.h"
#include "broker/server/timestamp.h"
#include "latchkey/v1/key_admin.pb.h"

namespace latchkey::server {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;
constexpr int kMaxLabels = 64;
constexpr size_t kMaxLabelBytes = 256;

std::string EtagOf(const custody::KeyInfo& info) { return HexEncode(AsBytes(info.state_digest)); }

v1::Key ToWire(const custody::KeyInfo& info) {
  v1::Key key;
  key.set_name(info.name.Full());
  v1::Charter& charter = *key.mutable_charter();
  charter.set_policy(info.charter.policy);
  charter.set_min_policy_revision(info.charter.min_policy_revision);
  charter.mutable_required_context()->Add(info.charter.required_context.begin(),
                                          info.charter.required_context.end());
  for (const custody::VersionInfo& version : info.versions) {
    v1::KeyVersion& wire = *key.add_versions();
    wire.set_number(version.number);
    wire.set_state(static_cast<v1::KeyVersionState>(version.state));
    *wire.mutable_create_time() = ToTimestamp(version.create_time);
  }
  key.set_primary_version(info.primary_version);
  key.mutable_labels()->insert(info.labels.begin(), info.labels.end());
  *key.mutable_create_time() = ToTimestamp(info.create_time);
  key.set_etag(EtagOf(info));
  key.set_root(info.root);
  return key;
}

template <typename Response>
Act KeyAct(std::string action, std::string resource, const custody::KeyInfo& info) {
  Response response;
  *response.mutable_key() = ToWire(info);
  return {std::move(action), std::move(resource), info.state_digest, response.SerializeAsString()};
}

// A key bound to a policy that does not exist, or does not guard it, would release nothing and look
// as if it could.
absl::Status EnsurePolicyGuards(const AdminParts& parts, store::Transaction& transaction,
                                const protocol::KeyName& name, const custody::Charter& charter) {
  if (charter.policy.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(protocol::CheckName("charter.policy", charter.policy));
  const auto newest = parts.policies.Newest(transaction, name.tenant, charter.policy);
  if (absl::IsNotFound(newest.status())) {
    return absl::NotFoundError(absl::StrCat(
        "policy ", charter.policy, ": does not exist in tenant ", name.tenant, "; put it first"));
  }
  if (!newest.ok()) return newest.status();
  const policy::Policy& policy = *(*newest)->policy;
  if (!policy.Guards(name.key)) {
    return absl::InvalidArgumentError(absl::StrCat("policy ", charter.policy, " guards ",
                                                   absl::StrJoin(policy.guards(), ", "), ", not ",
                                                   name.key, "; add the key to its guards"));
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    return absl::InvalidArgumentError(
        absl::StrCat("labels: ", labels.size(), "; at most ", kMaxLabels, " are allowed"));
  }
  for (const auto& [name, value] : labels) {
    RETURN_IF_ERROR(protocol::CheckName("label", name));
    if (value.size() > kMaxLabelBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "label ", name, ": ", value.size(), " bytes; at most ", kMaxLabelBytes, " are allowed"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Bytes> CreateKey(const AdminParts& parts, const v1::CreateKeyRequest& request,
                                const Caller& caller) {
  ASSIGN_OR_RETURN(const protocol::KeyName name, RequireKeyName(parts, request.name()));
  const custody::Charter charter{
      request.charter().policy(),
      request.charter().min_policy_revision(),
      {request.charter().required_context().begin(), request.charter().required_context().end()}};
  const std::map<std::string, std::string> labels(request.labels().begin(), request.labels().end());
  RETURN_IF_ERROR(CheckLabels(labels));
  const ActOptions options{.tenant = name.tenant, .validate_only = request.validate_only()};
  return RecordAct(
      parts, caller, options, [&](store::Transaction& transaction) -> absl::StatusOr<Act> {
        RETURN_IF_ERROR(EnsurePolicyGuards(parts, transaction, name, charter));
        ASSIGN_OR_RETURN(
            const custody::KeyInfo info,
            parts.keyring.CreateKey(transaction, name, charter, labels, parts.clock.Now()));
        return KeyAct<v1::CreateKeyResponse>("KEY_CREATED", name.Full(), info);
      });
}

absl::Status EnsureEtag(const AdminParts& parts, store::Transaction& transaction,
                        const protocol::KeyName& name, const std::string& etag) {
  if (etag.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto key, parts.keyring.Open(transaction, name));
  if (EtagOf(key->info()) == etag) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("key ", name.Full(), ": changed since etag ", etag, "; read it and try again"));
}

absl::StatusOr<Bytes> RotateKey(const AdminParts& parts, const v1::RotateKeyRequest& request,
                                const Caller& caller) {
  ASSIGN_OR_RETURN(const protocol::KeyName name, RequireKeyName(parts, request.name()));
  const ActOptions options{.tenant = name.tenant, .validate_only = request.validate_only()};
  return RecordAct(
      parts, caller, options, [&](store::Transaction& transaction) -> absl::StatusOr<Act> {
        RETURN_IF_ERROR(EnsureEtag(parts, transaction, name, request.etag()));
        ASSIGN_OR_RETURN(const custody::KeyInfo info,
                         parts.keyring.RotateKey(transaction, name, parts.clock.Now()));
        return KeyAct<v1::RotateKeyResponse>("KEY_ROTATED", name.Version(info.primary_version),
                                             info);
      });
}

absl::StatusOr<Bytes> SetKeyVersionState(const AdminParts& parts,
                                         const v1::SetKeyVersionStateRequest& request,
                                         const Caller& caller) {
  ASSIGN_OR_RETURN(const protocol::KeyName name, RequireKeyName(parts, request.name()));
  const bool enable = request.state() == v1::KEY_VERSION_STATE_ENABLED;
  if (!enable && request.state() != v1::KEY_VERSION_STATE_DISABLED) {
    return absl::InvalidArgumentError("state: write KEY_VERSION_STATE_ENABLED or _DISABLED");
  }
  const auto state = enable ? custody::VersionState::kEnabled : custody::VersionState::kDisabled;
  return RecordAct(parts, caller, {.tenant = name.tenant},
                   [&](store::Transaction& transaction) -> absl::StatusOr<Act> {
                     ASSIGN_OR_RETURN(const custody::KeyInfo info,
                                      parts.keyring.SetVersionState(transaction, name,
                                                                    request.version(), state));
                     return KeyAct<v1::SetKeyVersionStateResponse>(
                         enable ? "KEY_VERSION_ENABLED" : "KEY_VERSION_DISABLED",
                         name.Version(request.version()), info);
                   });
}

absl::StatusOr<Bytes> GetKey(const AdminParts& parts, const v1::GetKeyRequest& request) {
  ASSIGN_OR_RETURN(const protocol::KeyName name, RequireKeyName(parts, request.name()));
  v1::GetKeyResponse response;
  RETURN_IF_ERROR(
      parts.store.Read(parts.clock.Now(), [&](store::ReadTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const auto key, parts.keyring.Open(transaction, name));
        *response.mutable_key() = ToWire(key->info());
        return absl::OkStatus();
      }));
  return response.SerializeAsString();
}

// The page token is the last key's name: it stays right when keys are added meanwhile.
absl::StatusOr<Bytes> ListKeys(const AdminParts& parts, const v1::ListKeysRequest& request) {
  ASSIGN_OR_RETURN(const std::string tenant, RequireTenant(parts, request.tenant()));
  if (request.page_size() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: ", request.page_size(), "; write 1 to ", kMaxPageSize));
  }
  if (!request.page_token().empty()) {
    RETURN_IF_ERROR(protocol::CheckName("page_token", request.page_token()));
  }
  const size_t limit =
      request.page_size() == 0 ? kDefaultPageSize : std::min(request.page_size(), kMaxPageSize);
  std::vector<custody::KeyInfo> keys;
  RETURN_IF_ERROR(
      parts.store.Read(parts.clock.Now(), [&](store::ReadTransaction& transaction) -> absl::Status {
        // One more than asked for tells whether there is a next page.
        ASSIGN_OR_RETURN(
            keys, parts.keyring.ListKeys(transaction, tenant, request.page_token(), limit + 1));
        return absl::OkStatus();
      }));
  v1::ListKeysResponse response;
  for (size_t i = 0; i < std::min(keys.size(), limit); ++i) {
    *response.add_keys() = ToWire(keys[i]);
  }
  if (keys.size() > limit) response.set_next_page_token(keys[limit - 1].name.key);
  return response.SerializeAsString();
}

}  // namespace

void AddKeyAdmin(const AdminParts& parts, AdminMethods& methods) {
  methods["/latchkey.v1.KeyAdmin/CreateKey"] =
      Unary<v1::CreateKeyRequest>([&parts](const auto& request, const Caller& caller) {
        return CreateKey(parts, request, caller);
      });
  methods["/latchkey.v1.KeyAdmin/RotateKey"] =
      Unary<v1::RotateKeyRequest>([&parts](const auto& request, const Caller& caller) {
        return RotateKey(parts, request, caller);
      });
  methods["/latchkey.v1.KeyAdmin/SetKeyVersionState"] =
      Unary<v1::SetKeyVersionStateRequest>([&parts](const auto& request, const Caller& caller) {
        return SetKeyVersionState(parts, request, caller);
      });
  methods["/latchkey.v1.KeyAdmin/GetKey"] = Unary<v1::GetKeyRequest>(
      [&parts](const auto& request, const Caller&) { return GetKey(parts, request); });
  methods["/latchkey.v1.KeyAdmin/ListKeys"] = Unary<v1::ListKeysRequest>(
      [&parts](const auto& request, const Caller&) { return ListKeys(parts, request); });
}

}  // namespace latchkey::server
