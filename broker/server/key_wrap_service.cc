// latchkey.v1.KeyWrap: for those who protect data. Each wrapped DEK has its record in the log.

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/server/admin_act.h"
#include "crypto/digest.h"
#include "latchkey/v1/key_wrap.pb.h"

namespace latchkey::server {
namespace {

constexpr uint32_t kDefaultDekBytes = 32;

using Wrap = std::function<absl::StatusOr<custody::WrappedDek>(const custody::Key&)>;

// Opens the key, wraps, and records the wrapped DEK by its digest. The epoch stays: no decision
// depends on it.
template <typename Response>
absl::StatusOr<Bytes> RecordWrap(const AdminParts& parts, const Caller& caller,
                                 const protocol::KeyName& name, const std::string& action,
                                 const Wrap& wrap) {
  return RecordAct(parts, caller, {.tenant = name.tenant, .epoch = Epoch::kKeep},
                   [&](store::Transaction& transaction) -> absl::StatusOr<Act> {
                     ASSIGN_OR_RETURN(const auto key, parts.keyring.Open(transaction, name));
                     ASSIGN_OR_RETURN(const custody::WrappedDek wrapped, wrap(*key));
                     Response response;
                     response.set_wrapped_dek(wrapped.wrapped_dek);
                     response.set_key_version(name.Version(wrapped.key_version));
                     return Act{action, response.key_version(),
                                ToBytes(crypto::Sha256(AsBytes(wrapped.wrapped_dek))),
                                response.SerializeAsString()};
                   });
}

template <typename Request>
absl::StatusOr<protocol::Context> ContextOf(const Request& request) {
  protocol::Context context(request.context().begin(), request.context().end());
  RETURN_IF_ERROR(protocol::CheckContext(context));
  return context;
}

absl::StatusOr<Bytes> GenerateDataKey(const AdminParts& parts,
                                      const v1::GenerateDataKeyRequest& request,
                                      const Caller& caller) {
  ASSIGN_OR_RETURN(const protocol::KeyName name, RequireKeyName(parts, request.key()));
  ASSIGN_OR_RETURN(const protocol::Context context, ContextOf(request));
  const uint32_t size = request.size_bytes() == 0 ? kDefaultDekBytes : request.size_bytes();
  if (size != 16 && size != 24 && size != 32 && size != 64) {
    return absl::InvalidArgumentError(absl::StrCat("size_bytes: ", size, "; use 16, 24, 32 or 64"));
  }
  return RecordWrap<v1::GenerateDataKeyResponse>(
      parts, caller, name, "DEK_GENERATED",
      [&](const custody::Key& key) { return parts.keyring.GenerateWrapped(key, context, size); });
}

absl::StatusOr<Bytes> WrapKey(const AdminParts& parts, const v1::WrapKeyRequest& request,
                              const Caller& caller) {
  ASSIGN_OR_RETURN(const protocol::KeyName name, RequireKeyName(parts, request.key()));
  ASSIGN_OR_RETURN(const protocol::Context context, ContextOf(request));
  return RecordWrap<v1::WrapKeyResponse>(
      parts, caller, name, "DEK_WRAPPED", [&](const custody::Key& key) {
        return parts.keyring.WrapEncrypted(key, context, AsBytes(request.encrypted_dek()));
      });
}

absl::StatusOr<Bytes> RewrapKey(const AdminParts& parts, const v1::RewrapKeyRequest& request,
                                const Caller& caller) {
  ASSIGN_OR_RETURN(const protocol::KeyName name, RequireKeyName(parts, request.key()));
  return RecordWrap<v1::RewrapKeyResponse>(
      parts, caller, name, "DEK_REWRAPPED", [&](const custody::Key& key) {
        return parts.keyring.Rewrap(key, AsBytes(request.wrapped_dek()));
      });
}

absl::StatusOr<Bytes> GetWrappingKey(const AdminParts& parts) {
  v1::GetWrappingKeyResponse response;
  response.mutable_recipient()->set_scheme(v1::RECIPIENT_SCHEME_HPKE_X25519);
  response.mutable_recipient()->set_public_key(parts.keyring.wrapping_public_key());
  return response.SerializeAsString();
}

}  // namespace

void AddKeyWrap(const AdminParts& parts, AdminMethods& methods) {
  methods["/latchkey.v1.KeyWrap/GenerateDataKey"] =
      Unary<v1::GenerateDataKeyRequest>([&parts](const auto& request, const Caller& caller) {
        return GenerateDataKey(parts, request, caller);
      });
  methods["/latchkey.v1.KeyWrap/WrapKey"] =
      Unary<v1::WrapKeyRequest>([&parts](const auto& request, const Caller& caller) {
        return WrapKey(parts, request, caller);
      });
  methods["/latchkey.v1.KeyWrap/RewrapKey"] =
      Unary<v1::RewrapKeyRequest>([&parts](const auto& request, const Caller& caller) {
        return RewrapKey(parts, request, caller);
      });
  methods["/latchkey.v1.KeyWrap/GetWrappingKey"] = Unary<v1::GetWrappingKeyRequest>(
      [&parts](const auto&, const Caller&) { return GetWrappingKey(parts); });
}

}  // namespace latchkey::server
