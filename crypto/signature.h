#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/secret_bytes.h"

namespace latchkey::crypto {

enum class SignatureAlgorithm {
  kRsaPkcs1Sha256,  // RS256
  kRsaPkcs1Sha384,
  kRsaPkcs1Sha512,
  kRsaPssSha256,  // PS256, salt length = hash length
  kRsaPssSha384,
  kRsaPssSha512,
  kEcdsaP256Sha256,  // ES256
  kEcdsaP384Sha384,  // ES384
  kEcdsaP521Sha512,
  kEd25519,
};

enum class KeyKind { kRsa, kP256, kP384, kP521, kEd25519 };

// `PublicKey` is a checked public key: RSA of 2048 to 8192 bits with an odd exponent 3..2^32, a
// point on its curve, or Ed25519. Cheap to copy; thread-safe.
class PublicKey {
 public:
  // InvalidArgument says what is wrong ("RSA key of 1024 bits; at least 2048 are required").
  static absl::StatusOr<PublicKey> FromRsa(ByteView modulus, ByteView exponent);
  // `x` and `y` big endian, at most the curve's size; `kind` is a curve.
  static absl::StatusOr<PublicKey> FromEcPoint(KeyKind kind, ByteView x, ByteView y);
  static absl::StatusOr<PublicKey> FromEd25519(ByteView raw_32_bytes);
  static absl::StatusOr<PublicKey> FromSpkiDer(ByteView der);
  static absl::StatusOr<PublicKey> FromPem(std::string_view pem);

  KeyKind kind() const;
  // Modulus size for RSA; 256, 384, 521, 256 else.
  size_t bits() const;
  Bytes SpkiDer() const;
  Bytes RsaModulus() const;   // empty unless RSA; minimal big endian
  Bytes RsaExponent() const;  // empty unless RSA
  Bytes Ed25519Raw() const;   // empty unless Ed25519

  struct Impl;
  const Impl& impl() const { return *impl_; }
  explicit PublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

// `VerifySignature` checks `signature` over `message`. ECDSA signatures are r || s of fixed size
// (RFC 7518, 3.4). Unauthenticated "signature does not verify" otherwise; InvalidArgument when the
// key is not of the algorithm's kind.
absl::Status VerifySignature(const PublicKey& key, SignatureAlgorithm algorithm, ByteView message,
                             ByteView signature);

// The same with an ECDSA signature in DER, as certificates and Wycheproof have it.
absl::Status VerifyEcdsaDer(const PublicKey& key, SignatureAlgorithm algorithm, ByteView message,
                            ByteView der_signature);

// `PrivateKey` signs. ECDSA signatures come as r || s.
class PrivateKey {
 public:
  static PrivateKey GenerateRsa(int bits);
  static PrivateKey GenerateEc(KeyKind curve);
  // From 32 bytes of `random`.
  static PrivateKey GenerateEd25519(Random& random);
  static absl::StatusOr<PrivateKey> FromEd25519Seed(ByteView seed_32_bytes);
  // PKCS#8 or traditional PEM, unencrypted.
  static absl::StatusOr<PrivateKey> FromPem(std::string_view pem);

  const PublicKey& public_key() const;
  Bytes Sign(SignatureAlgorithm algorithm, ByteView message) const;
  SecretBytes ToPem() const;  // PKCS#8

  struct Impl;
  const Impl& impl() const { return *impl_; }
  explicit PrivateKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

// `RsaOaepSha256Encrypt` encrypts to an RSA key with OAEP, SHA-256 for hash and MGF1, empty label
// (RFC 8017, 7.1): up to key bytes - 66 of plaintext, key bytes of ciphertext. InvalidArgument for
// a key that is not RSA.
absl::StatusOr<Bytes> RsaOaepSha256Encrypt(const PublicKey& key, ByteView plaintext);
// One error for every failure.
absl::StatusOr<SecretBytes> RsaOaepSha256Decrypt(const PrivateKey& key, ByteView ciphertext);

}  // namespace latchkey::crypto
