// Making, reading and writing PrivateKey.

#include <openssl/pem.h>

#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/key_impl.h"
#include "crypto/signature.h"

namespace latchkey::crypto {
namespace {

// Answers OpenSSL's question for a pass phrase: there is none.
int NoPassPhrase(char*, int, int, void*) { return -1; }

}  // namespace

absl::StatusOr<PrivateKey> AdoptPrivateKey(UniquePtr<EVP_PKEY> pkey) {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(pkey.get(), &der);
  if (size <= 0) return OpenSslError("taking the public half of a key");
  const Bytes spki(reinterpret_cast<const char*>(der), size);
  OPENSSL_free(der);
  ASSIGN_OR_RETURN(PublicKey public_key, PublicKey::FromSpkiDer(AsBytes(spki)));
  return PrivateKey(
      std::make_shared<PrivateKey::Impl>(PrivateKey::Impl{std::move(pkey), std::move(public_key)}));
}

PrivateKey PrivateKey::GenerateRsa(int bits) {
  LATCHKEY_CHECK(bits >= 2048);
  UniquePtr<EVP_PKEY> pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(bits)));
  LATCHKEY_CHECK(pkey != nullptr);
  absl::StatusOr<PrivateKey> key = AdoptPrivateKey(std::move(pkey));
  LATCHKEY_CHECK(key.ok());
  return *std::move(key);
}

PrivateKey PrivateKey::GenerateEc(KeyKind curve) {
  UniquePtr<EVP_PKEY> pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", CurveName(curve)));
  LATCHKEY_CHECK(pkey != nullptr);
  absl::StatusOr<PrivateKey> key = AdoptPrivateKey(std::move(pkey));
  LATCHKEY_CHECK(key.ok());
  return *std::move(key);
}

PrivateKey PrivateKey::GenerateEd25519(Random& random) {
  SecretBytes seed(32);
  random.Fill(seed.mutable_view());
  absl::StatusOr<PrivateKey> key = FromEd25519Seed(seed.view());
  LATCHKEY_CHECK(key.ok());
  return *std::move(key);
}

absl::StatusOr<PrivateKey> PrivateKey::FromEd25519Seed(ByteView seed_32_bytes) {
  const ErrorQueue errors;
  if (seed_32_bytes.size() != 32) {
    return absl::InvalidArgumentError("Ed25519 seed that is not 32 bytes long");
  }
  UniquePtr<EVP_PKEY> pkey(
      EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed_32_bytes.data(), 32));
  if (pkey == nullptr) return OpenSslError("making an Ed25519 key");
  return AdoptPrivateKey(std::move(pkey));
}

absl::StatusOr<PrivateKey> PrivateKey::FromPem(std::string_view pem) {
  const ErrorQueue errors;
  const UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  LATCHKEY_CHECK(bio != nullptr);
  UniquePtr<EVP_PKEY> pkey(
      PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, NoPassPhrase, nullptr, nullptr, nullptr));
  if (pkey == nullptr) {
    return absl::InvalidArgumentError(
        "PEM: not a private key, or an encrypted one; give it unencrypted");
  }
  return AdoptPrivateKey(std::move(pkey));
}

const PublicKey& PrivateKey::public_key() const { return impl_->public_key; }

SecretBytes PrivateKey::ToPem() const {
  // Secure memory: the text of the key is as secret as the key.
  const UniquePtr<BIO> bio(BIO_new(BIO_s_secmem()));
  LATCHKEY_CHECK(bio != nullptr);
  LATCHKEY_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->pkey.get(), nullptr, nullptr, 0,
                                               nullptr, nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  LATCHKEY_CHECK(size > 0);
  return SecretBytes::CopyOf({reinterpret_cast<const uint8_t*>(text), static_cast<size_t>(size)});
}

}  // namespace latchkey::crypto
