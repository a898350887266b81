#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "crypto/aead.h"
#include "protocol/sealed_item.h"

namespace latchkey::protocol {
namespace {

constexpr std::string_view kInfo = "latchkey/v1/wrap";

Bytes WrapAssociatedData(const KeyName& key, const Context& context) {
  Bytes out;
  AppendLp(out, key.Full());
  AppendLp(out, EncodeContext(context));
  return out;
}

absl::Status EnsureDekSize(size_t size) {
  if (size == 16 || size == 24 || size == 32 || size == 64) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("DEK of ", size, " bytes; 16, 24, 32 or 64 are accepted"));
}

}  // namespace

absl::StatusOr<Bytes> EncryptDekForWrap(ByteView wrapping_public_key, const KeyName& key,
                                        const Context& context, const SecretBytes& dek,
                                        Random& random) {
  RETURN_IF_ERROR(EnsureDekSize(dek.size()));
  ASSIGN_OR_RETURN(crypto::HpkeSender sender,
                   crypto::HpkeSender::Create(crypto::HpkeKem::kX25519, wrapping_public_key,
                                              AsBytes(kInfo), random));
  return sender.enc() + sender.Seal(AsBytes(WrapAssociatedData(key, context)), dek.view());
}

absl::StatusOr<SecretBytes> DecryptDekForWrap(const crypto::HpkePrivateKey& wrapping_key,
                                              const KeyName& key, const Context& context,
                                              ByteView encrypted_dek) {
  const size_t enc_size = crypto::HpkePublicKeySize(crypto::HpkeKem::kX25519);
  if (wrapping_key.kem() != crypto::HpkeKem::kX25519) {
    return absl::InvalidArgumentError("the wrapping key is not an X25519 key");
  }
  if (encrypted_dek.size() < enc_size + crypto::kAeadTagSize) {
    return absl::InvalidArgumentError(absl::StrCat("encrypted DEK has ", encrypted_dek.size(),
                                                   " bytes, too few for enc and tag"));
  }
  RETURN_IF_ERROR(EnsureDekSize(encrypted_dek.size() - enc_size - crypto::kAeadTagSize));
  ASSIGN_OR_RETURN(
      crypto::HpkeReceiver receiver,
      crypto::HpkeReceiver::Create(wrapping_key, encrypted_dek.first(enc_size), AsBytes(kInfo)));
  return receiver.Open(AsBytes(WrapAssociatedData(key, context)), encrypted_dek.subspan(enc_size));
}

}  // namespace latchkey::protocol
