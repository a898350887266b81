#include <openssl/rsa.h>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "crypto/algorithms.h"
#include "crypto/key_impl.h"
#include "crypto/signature.h"

namespace latchkey::crypto {
namespace {

bool SetOaepSha256(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, DigestOf(Hash::kSha256)) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, DigestOf(Hash::kSha256)) == 1;
}

}  // namespace

absl::StatusOr<Bytes> RsaOaepSha256Encrypt(const PublicKey& key, ByteView plaintext) {
  const ErrorQueue errors;
  if (key.kind() != KeyKind::kRsa) return absl::InvalidArgumentError("OAEP needs an RSA key");
  const size_t key_size = (key.bits() + 7) / 8;
  if (plaintext.size() > key_size - 66) {
    return absl::InvalidArgumentError(absl::StrCat(
        "OAEP plaintext of ", plaintext.size(), " bytes; this key takes at most ", key_size - 66));
  }
  const UniquePtr<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key.impl().pkey.get(), nullptr));
  LATCHKEY_CHECK(context != nullptr && EVP_PKEY_encrypt_init(context.get()) == 1 &&
                 SetOaepSha256(context.get()));
  Bytes out(key_size, '\0');
  size_t size = out.size();
  // An empty span may have no address, which OpenSSL would take for "no input".
  const uint8_t* input =
      plaintext.empty() ? reinterpret_cast<const uint8_t*>("") : plaintext.data();
  if (EVP_PKEY_encrypt(context.get(), reinterpret_cast<uint8_t*>(out.data()), &size, input,
                       plaintext.size()) != 1 ||
      size != key_size) {
    return OpenSslError("encrypting with OAEP");
  }
  return out;
}

absl::StatusOr<SecretBytes> RsaOaepSha256Decrypt(const PrivateKey& key, ByteView ciphertext) {
  const ErrorQueue errors;
  // One error whatever is wrong: telling padding faults apart would be Manger's oracle.
  const absl::Status failure = absl::InvalidArgumentError("OAEP ciphertext does not decrypt");
  if (key.public_key().kind() != KeyKind::kRsa) return failure;
  const size_t key_size = (key.public_key().bits() + 7) / 8;
  if (ciphertext.size() != key_size) return failure;
  const UniquePtr<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key.impl().pkey.get(), nullptr));
  LATCHKEY_CHECK(context != nullptr && EVP_PKEY_decrypt_init(context.get()) == 1 &&
                 SetOaepSha256(context.get()));
  SecretBytes plaintext(key_size);
  size_t size = key_size;
  if (EVP_PKEY_decrypt(context.get(), plaintext.mutable_view().data(), &size, ciphertext.data(),
                       ciphertext.size()) != 1) {
    return failure;
  }
  plaintext.Truncate(size);
  return plaintext;
}

}  // namespace latchkey::crypto
