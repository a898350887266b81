#include "protocol/sealed_item.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"

namespace latchkey::protocol {
namespace {

constexpr size_t kRsaSecretSize = 32;
constexpr size_t kMinRsaBits = 2048;
constexpr size_t kMaxRsaBits = 4096;

class HpkeSealer final : public ItemSealer {
 public:
  explicit HpkeSealer(crypto::HpkeSender sender) : sender_(std::move(sender)) {}
  const Bytes& encapsulation() const override { return sender_.enc(); }
  Bytes Seal(ByteView associated_data, ByteView dek) override {
    return sender_.Seal(associated_data, dek);
  }

 private:
  crypto::HpkeSender sender_;
};

class HpkeOpener final : public ItemOpener {
 public:
  explicit HpkeOpener(crypto::HpkeReceiver receiver) : receiver_(std::move(receiver)) {}
  absl::StatusOr<SecretBytes> Open(ByteView associated_data, ByteView sealed) override {
    return receiver_.Open(associated_data, sealed);
  }

 private:
  crypto::HpkeReceiver receiver_;
};

// The AES-256-GCM key of the RSA scheme.
SecretBytes RsaItemKey(const SecretBytes& secret, const crypto::Sha256Digest& binding_digest) {
  const Bytes info = "latchkey/v1/rsa" + ToBytes(binding_digest);
  return crypto::Hkdf(crypto::Hash::kSha256, ByteView(), secret.view(), AsBytes(info),
                      crypto::kAeadKeySize);
}

// The sequence number as 96 big-endian bits. The key is fresh for each release, so a nonce never
// repeats under it.
Bytes SequenceNonce(uint64_t sequence) {
  Bytes nonce(crypto::kAeadNonceSize - sizeof sequence, '\0');
  AppendU64(nonce, sequence);
  return nonce;
}

class RsaSealer final : public ItemSealer {
 public:
  RsaSealer(Bytes encapsulation, SecretBytes key)
      : encapsulation_(std::move(encapsulation)), key_(std::move(key)) {}
  const Bytes& encapsulation() const override { return encapsulation_; }
  Bytes Seal(ByteView associated_data, ByteView dek) override {
    return crypto::AeadSeal(key_.view(), AsBytes(SequenceNonce(sequence_++)), associated_data, dek);
  }

 private:
  Bytes encapsulation_;
  SecretBytes key_;
  uint64_t sequence_ = 0;
};

class RsaOpener final : public ItemOpener {
 public:
  explicit RsaOpener(SecretBytes key) : key_(std::move(key)) {}
  absl::StatusOr<SecretBytes> Open(ByteView associated_data, ByteView sealed) override {
    ASSIGN_OR_RETURN(
        SecretBytes dek,
        crypto::AeadOpen(key_.view(), AsBytes(SequenceNonce(sequence_)), associated_data, sealed));
    ++sequence_;  // as in HPKE, a failed Open does not advance
    return dek;
  }

 private:
  SecretBytes key_;
  uint64_t sequence_ = 0;
};

absl::StatusOr<std::unique_ptr<ItemSealer>> MakeHpkeSealer(
    crypto::HpkeKem kem, ByteView recipient_public_key, const crypto::Sha256Digest& binding_digest,
    Random& random) {
  if (recipient_public_key.size() != crypto::HpkePublicKeySize(kem)) {
    return absl::InvalidArgumentError(
        absl::StrCat("recipient key has ", recipient_public_key.size(), " bytes; its scheme takes ",
                     crypto::HpkePublicKeySize(kem)));
  }
  ASSIGN_OR_RETURN(crypto::HpkeSender sender,
                   crypto::HpkeSender::Create(kem, recipient_public_key, binding_digest, random));
  return std::make_unique<HpkeSealer>(std::move(sender));
}

absl::StatusOr<std::unique_ptr<ItemSealer>> MakeRsaSealer(
    ByteView recipient_public_key, const crypto::Sha256Digest& binding_digest, Random& random) {
  ASSIGN_OR_RETURN(const crypto::PublicKey key,
                   crypto::PublicKey::FromSpkiDer(recipient_public_key));
  if (key.kind() != crypto::KeyKind::kRsa) {
    return absl::InvalidArgumentError("recipient key is not an RSA key, as its scheme asks");
  }
  if (key.bits() < kMinRsaBits || key.bits() > kMaxRsaBits) {
    return absl::InvalidArgumentError(absl::StrCat("recipient RSA key has ", key.bits(), " bits; ",
                                                   kMinRsaBits, " to ", kMaxRsaBits,
                                                   " are accepted"));
  }
  SecretBytes secret(kRsaSecretSize);
  random.Fill(secret.mutable_view());
  ASSIGN_OR_RETURN(Bytes encapsulation, crypto::RsaOaepSha256Encrypt(key, secret.view()));
  return std::make_unique<RsaSealer>(std::move(encapsulation), RsaItemKey(secret, binding_digest));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ItemSealer>> MakeItemSealer(
    Scheme scheme, ByteView recipient_public_key, const crypto::Sha256Digest& binding_digest,
    Random& random) {
  switch (scheme) {
    case Scheme::kHpkeX25519:
      return MakeHpkeSealer(crypto::HpkeKem::kX25519, recipient_public_key, binding_digest, random);
    case Scheme::kHpkeP256:
      return MakeHpkeSealer(crypto::HpkeKem::kP256, recipient_public_key, binding_digest, random);
    case Scheme::kHpkeP384:
      return MakeHpkeSealer(crypto::HpkeKem::kP384, recipient_public_key, binding_digest, random);
    case Scheme::kRsaOaepSha256:
      return MakeRsaSealer(recipient_public_key, binding_digest, random);
  }
  return absl::InvalidArgumentError("recipient scheme is not known");
}

absl::StatusOr<std::unique_ptr<ItemOpener>> MakeHpkeOpener(
    const crypto::HpkePrivateKey& key, ByteView encapsulation,
    const crypto::Sha256Digest& binding_digest) {
  ASSIGN_OR_RETURN(crypto::HpkeReceiver receiver,
                   crypto::HpkeReceiver::Create(key, encapsulation, binding_digest));
  return std::make_unique<HpkeOpener>(std::move(receiver));
}

absl::StatusOr<std::unique_ptr<ItemOpener>> MakeRsaOpener(
    const SecretBytes& secret, const crypto::Sha256Digest& binding_digest) {
  if (secret.size() != kRsaSecretSize) {
    return absl::InvalidArgumentError(absl::StrCat("the decrypted encapsulation has ",
                                                   secret.size(), " bytes, not ", kRsaSecretSize));
  }
  return std::make_unique<RsaOpener>(RsaItemKey(secret, binding_digest));
}

}  // namespace latchkey::protocol
