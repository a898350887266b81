#include "crypto/signature.h"

#include <openssl/rsa.h>

#include <array>

#include "absl/status/status.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/algorithms.h"
#include "crypto/key_impl.h"

namespace latchkey::crypto {
namespace {

// What one algorithm needs: the kind of key, the digest's name for OpenSSL, and RSA's padding.
struct Scheme {
  KeyKind kind;
  const char* digest;  // null: the algorithm hashes by itself
  bool is_pss;
};

Scheme SchemeOf(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kRsaPkcs1Sha256:
      return {KeyKind::kRsa, "SHA2-256", false};
    case SignatureAlgorithm::kRsaPkcs1Sha384:
      return {KeyKind::kRsa, "SHA2-384", false};
    case SignatureAlgorithm::kRsaPkcs1Sha512:
      return {KeyKind::kRsa, "SHA2-512", false};
    case SignatureAlgorithm::kRsaPssSha256:
      return {KeyKind::kRsa, "SHA2-256", true};
    case SignatureAlgorithm::kRsaPssSha384:
      return {KeyKind::kRsa, "SHA2-384", true};
    case SignatureAlgorithm::kRsaPssSha512:
      return {KeyKind::kRsa, "SHA2-512", true};
    case SignatureAlgorithm::kEcdsaP256Sha256:
      return {KeyKind::kP256, "SHA2-256", false};
    case SignatureAlgorithm::kEcdsaP384Sha384:
      return {KeyKind::kP384, "SHA2-384", false};
    case SignatureAlgorithm::kEcdsaP521Sha512:
      return {KeyKind::kP521, "SHA2-512", false};
    case SignatureAlgorithm::kEd25519:
      return {KeyKind::kEd25519, nullptr, false};
  }
  std::abort();
}

bool IsEc(KeyKind kind) {
  return kind == KeyKind::kP256 || kind == KeyKind::kP384 || kind == KeyKind::kP521;
}

absl::Status DoesNotVerify() { return absl::UnauthenticatedError("signature does not verify"); }

// Sets PKCS#1 v1.5, or PSS with a salt as long as the hash and MGF1 of the same hash.
bool SetPadding(EVP_PKEY_CTX* context, const Scheme& scheme) {
  if (scheme.kind != KeyKind::kRsa) return true;
  if (!scheme.is_pss) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

absl::Status CheckKind(const PublicKey& key, const Scheme& scheme) {
  if (key.kind() == scheme.kind) return absl::OkStatus();
  return absl::InvalidArgumentError("key is not of the kind the signature algorithm needs");
}

// Verifies a signature in OpenSSL's own form (DER for ECDSA).
absl::Status VerifyNative(const PublicKey& key, const Scheme& scheme, ByteView message,
                          ByteView signature) {
  const UniquePtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  LATCHKEY_CHECK(context != nullptr &&
                 EVP_DigestVerifyInit_ex(context.get(), &key_context, scheme.digest, nullptr,
                                         nullptr, key.impl().pkey.get(), nullptr) == 1);
  LATCHKEY_CHECK(SetPadding(key_context, scheme));
  // 1 alone is success: 0 is a wrong signature and a negative value a malformed one.
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                       message.size()) != 1) {
    return DoesNotVerify();
  }
  return absl::OkStatus();
}

// DER of r || s. The sizes are checked by the caller.
Bytes EcdsaToDer(ByteView signature) {
  const size_t size = signature.size() / 2;
  UniquePtr<BIGNUM> r(BN_bin2bn(signature.data(), static_cast<int>(size), nullptr));
  UniquePtr<BIGNUM> s(BN_bin2bn(signature.data() + size, static_cast<int>(size), nullptr));
  const UniquePtr<ECDSA_SIG> parts(ECDSA_SIG_new());
  LATCHKEY_CHECK(r != nullptr && s != nullptr && parts != nullptr);
  LATCHKEY_CHECK(ECDSA_SIG_set0(parts.get(), r.release(), s.release()) == 1);
  uint8_t* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(parts.get(), &der);
  LATCHKEY_CHECK(der_size > 0);
  Bytes out(reinterpret_cast<const char*>(der), der_size);
  OPENSSL_free(der);
  return out;
}

// r || s of a DER signature that OpenSSL made.
Bytes EcdsaFromDer(const Bytes& der, size_t coordinate_size) {
  const auto* at = reinterpret_cast<const uint8_t*>(der.data());
  const UniquePtr<ECDSA_SIG> parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  LATCHKEY_CHECK(parts != nullptr);
  Bytes out(2 * coordinate_size, '\0');
  auto* data = reinterpret_cast<uint8_t*>(out.data());
  const int size = static_cast<int>(coordinate_size);
  LATCHKEY_CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), data, size) == size);
  LATCHKEY_CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), data + size, size) == size);
  return out;
}

}  // namespace

absl::Status VerifySignature(const PublicKey& key, SignatureAlgorithm algorithm, ByteView message,
                             ByteView signature) {
  const ErrorQueue errors;
  const Scheme scheme = SchemeOf(algorithm);
  RETURN_IF_ERROR(CheckKind(key, scheme));
  if (IsEc(scheme.kind)) {
    if (signature.size() != 2 * CoordinateSize(scheme.kind)) return DoesNotVerify();
    return VerifyNative(key, scheme, message, AsBytes(EcdsaToDer(signature)));
  }
  const size_t expected = scheme.kind == KeyKind::kRsa ? (key.bits() + 7) / 8 : 64;
  if (signature.size() != expected) return DoesNotVerify();
  return VerifyNative(key, scheme, message, signature);
}

absl::Status VerifyEcdsaDer(const PublicKey& key, SignatureAlgorithm algorithm, ByteView message,
                            ByteView der_signature) {
  const ErrorQueue errors;
  const Scheme scheme = SchemeOf(algorithm);
  RETURN_IF_ERROR(CheckKind(key, scheme));
  if (!IsEc(scheme.kind)) return absl::InvalidArgumentError("algorithm is not ECDSA");
  // Two integers with sign byte, and at most nine bytes of tags and lengths.
  if (der_signature.size() > 2 * CoordinateSize(scheme.kind) + 11) return DoesNotVerify();
  return VerifyNative(key, scheme, message, der_signature);
}

Bytes PrivateKey::Sign(SignatureAlgorithm algorithm, ByteView message) const {
  const Scheme scheme = SchemeOf(algorithm);
  LATCHKEY_CHECK(public_key().kind() == scheme.kind);
  const UniquePtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  LATCHKEY_CHECK(context != nullptr &&
                 EVP_DigestSignInit_ex(context.get(), &key_context, scheme.digest, nullptr, nullptr,
                                       impl_->pkey.get(), nullptr) == 1);
  LATCHKEY_CHECK(SetPadding(key_context, scheme));
  size_t size = static_cast<size_t>(EVP_PKEY_get_size(impl_->pkey.get()));
  Bytes signature(size, '\0');
  LATCHKEY_CHECK(EVP_DigestSign(context.get(), reinterpret_cast<uint8_t*>(signature.data()), &size,
                                message.data(), message.size()) == 1);
  signature.resize(size);
  return IsEc(scheme.kind) ? EcdsaFromDer(signature, CoordinateSize(scheme.kind)) : signature;
}

}  // namespace latchkey::crypto
