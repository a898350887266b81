#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "base/random.h"
#include "base/secret_bytes.h"
#include "crypto/hpke.h"
#include "crypto/signature.h"
#include "protocol/binding.h"

namespace latchkey::protocol {

// `ItemSealer` seals the permitted DEKs of one release to one recipient, in their order
// (docs/formats/sealed_item.md). HPKE schemes: one base-mode context with info = SHA-256(T). RSA: a
// fresh 32-byte secret under RSA-OAEP-SHA256, key = HKDF-SHA256(secret, info "latchkey/v1/rsa" ||
// SHA-256(T)), AES-256-GCM with the sequence number as 96-bit nonce. Not thread-safe.
class ItemSealer {
 public:
  virtual ~ItemSealer() = default;
  // What the recipient needs to open: HPKE enc, or the RSA ciphertext.
  virtual const Bytes& encapsulation() const = 0;
  // dek.size() + 16 bytes.
  virtual Bytes Seal(ByteView associated_data, ByteView dek) = 0;
};
// InvalidArgument when the public key is not one of `scheme` (RSA: SPKI DER, 2048 to 4096 bits).
absl::StatusOr<std::unique_ptr<ItemSealer>> MakeItemSealer(
    Scheme scheme, ByteView recipient_public_key, const crypto::Sha256Digest& binding_digest,
    Random& random);

// `ItemOpener` opens them again, in order.
class ItemOpener {
 public:
  virtual ~ItemOpener() = default;
  virtual absl::StatusOr<SecretBytes> Open(ByteView associated_data, ByteView sealed) = 0;
};
absl::StatusOr<std::unique_ptr<ItemOpener>> MakeHpkeOpener(
    const crypto::HpkePrivateKey& key, ByteView encapsulation,
    const crypto::Sha256Digest& binding_digest);
// `secret` is the decrypted encapsulation (RSA-OAEP happens where the key lives: a vTPM, or
// crypto::RsaOaepSha256Decrypt).
absl::StatusOr<std::unique_ptr<ItemOpener>> MakeRsaOpener(
    const SecretBytes& secret, const crypto::Sha256Digest& binding_digest);

// WrapKey: the DEK goes to the broker's wrapping key as enc || ciphertext, HPKE X25519 with info
// "latchkey/v1/wrap" and associated data lp(full key name) || lp(encoded context)
// (docs/formats/wrap_key.md).
absl::StatusOr<Bytes> EncryptDekForWrap(ByteView wrapping_public_key, const KeyName& key,
                                        const Context& context, const SecretBytes& dek,
                                        Random& random);
absl::StatusOr<SecretBytes> DecryptDekForWrap(const crypto::HpkePrivateKey& wrapping_key,
                                              const KeyName& key, const Context& context,
                                              ByteView encrypted_dek);

}  // namespace latchkey::protocol
