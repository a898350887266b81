#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/secret_bytes.h"

namespace latchkey::crypto {

// HPKE base mode (RFC 9180) with the AEAD AES-256-GCM. The numbers are those of the RFC's KEM
// registry; the KDF goes with the KEM: HKDF-SHA256 for X25519 and P-256, HKDF-SHA384 for P-384.
enum class HpkeKem : uint16_t { kP256 = 0x0010, kP384 = 0x0011, kX25519 = 0x0020 };

// Sizes in bytes of an encoded public key, which is also the size of `enc` (32, 65, 97).
size_t HpkePublicKeySize(HpkeKem kem);

// `HpkeSender` is one encryption context (RFC 9180, 5.1 and 5.2). Sequence numbers start at 0 and
// count its Seal calls. Not thread-safe.
class HpkeSender {
 public:
  // InvalidArgument when `recipient_public_key` is not a valid point of `kem` (off curve,
  // compressed, low order).
  static absl::StatusOr<HpkeSender> Create(HpkeKem kem, ByteView recipient_public_key,
                                           ByteView info, Random& random);
  HpkeSender(HpkeSender&&) noexcept;
  HpkeSender& operator=(HpkeSender&&) noexcept;
  ~HpkeSender();

  const Bytes& enc() const;
  // Returns plaintext.size() + 16 bytes.
  Bytes Seal(ByteView associated_data, ByteView plaintext);

 private:
  struct State;
  explicit HpkeSender(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// `HpkePrivateKey` is a recipient's key pair.
class HpkePrivateKey {
 public:
  // Fresh, from `random` (DeriveKeyPair of RFC 9180, 7.1.3).
  static HpkePrivateKey Generate(HpkeKem kem, Random& random);
  static absl::StatusOr<HpkePrivateKey> Parse(HpkeKem kem, ByteView private_key);
  HpkePrivateKey(HpkePrivateKey&&) noexcept;
  HpkePrivateKey& operator=(HpkePrivateKey&&) noexcept;
  ~HpkePrivateKey();

  HpkeKem kem() const;
  // X25519: 32 bytes; P-256, P-384: uncompressed point.
  const Bytes& public_key() const;
  // The serialized private key (RFC 9180, 7.1.2).
  SecretBytes Export() const;

 private:
  friend class HpkeReceiver;
  struct State;
  explicit HpkePrivateKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// `HpkeReceiver` opens what one HpkeSender sealed, in the same order. A failed Open does not
// advance. Not thread-safe.
class HpkeReceiver {
 public:
  static absl::StatusOr<HpkeReceiver> Create(const HpkePrivateKey& key, ByteView enc,
                                             ByteView info);
  HpkeReceiver(HpkeReceiver&&) noexcept;
  HpkeReceiver& operator=(HpkeReceiver&&) noexcept;
  ~HpkeReceiver();

  absl::StatusOr<SecretBytes> Open(ByteView associated_data, ByteView ciphertext);

 private:
  struct State;
  explicit HpkeReceiver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace latchkey::crypto
