#include "crypto/algorithms.h"

#include "base/check.h"

namespace latchkey::crypto {
namespace {

constexpr char kProvider[] = "provider=default";

const EVP_MD* Fetch(const char* name) {
  const EVP_MD* digest = EVP_MD_fetch(nullptr, name, kProvider);
  LATCHKEY_CHECK(digest != nullptr);
  return digest;
}

}  // namespace

const EVP_MD* DigestOf(Hash hash) {
  static const EVP_MD* sha256 = Fetch("SHA2-256");
  static const EVP_MD* sha384 = Fetch("SHA2-384");
  static const EVP_MD* sha512 = Fetch("SHA2-512");
  switch (hash) {
    case Hash::kSha256:
      return sha256;
    case Hash::kSha384:
      return sha384;
    case Hash::kSha512:
      return sha512;
  }
  std::abort();
}

const EVP_CIPHER* Aes256Gcm() {
  static const EVP_CIPHER* cipher = [] {
    const EVP_CIPHER* fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", kProvider);
    LATCHKEY_CHECK(fetched != nullptr);
    return fetched;
  }();
  return cipher;
}

}  // namespace latchkey::crypto
