#include "crypto/hpke.h"

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/aead.h"
#include "crypto/hpke_kem.h"

namespace latchkey::crypto {
namespace {

constexpr uint16_t kAes256Gcm = 0x0002;  // RFC 9180, 7.3

// `MessageContext` is the key, the base nonce and the sequence number of 5.2.
class MessageContext {
 public:
  // KeySchedule (5.1) in base mode: no psk, empty psk_id.
  MessageContext(HpkeKem kem, ByteView shared_secret, ByteView info) {
    const Hash hash = KdfHash(kem);
    Bytes suite_id = "HPKE";
    AppendU16(suite_id, static_cast<uint16_t>(kem));
    AppendU16(suite_id, KdfId(kem));
    AppendU16(suite_id, kAes256Gcm);
    const ByteView suite = AsBytes(suite_id);
    Bytes context(1, '\0');  // mode_base
    context.append(AsText(LabeledExtract(hash, suite, {}, "psk_id_hash", {}).view()));
    context.append(AsText(LabeledExtract(hash, suite, {}, "info_hash", info).view()));
    const SecretBytes secret = LabeledExtract(hash, suite, shared_secret, "secret", {});
    key_ = LabeledExpand(hash, suite, secret.view(), "key", AsBytes(context), kAeadKeySize);
    base_nonce_ =
        LabeledExpand(hash, suite, secret.view(), "base_nonce", AsBytes(context), kAeadNonceSize);
  }

  ByteView key() const { return key_.view(); }

  std::array<uint8_t, kAeadNonceSize> Nonce() const {
    std::array<uint8_t, kAeadNonceSize> nonce;
    std::ranges::copy(base_nonce_.view(), nonce.begin());
    for (int i = 0; i < 8; ++i)
      nonce[kAeadNonceSize - 1 - i] ^= static_cast<uint8_t>(sequence_ >> 8 * i);
    return nonce;
  }

  // A nonce that came back would give the key stream away (5.2, MessageLimitReachedError).
  bool IsExhausted() const { return sequence_ == UINT64_MAX; }
  void Advance() { ++sequence_; }

 private:
  SecretBytes key_;
  SecretBytes base_nonce_;
  uint64_t sequence_ = 0;
};

}  // namespace

size_t HpkePublicKeySize(HpkeKem kem) {
  switch (kem) {
    case HpkeKem::kP256:
      return 65;
    case HpkeKem::kP384:
      return 97;
    case HpkeKem::kX25519:
      return 32;
  }
  std::abort();
}

struct HpkeSender::State {
  Bytes enc;
  MessageContext context;
};

HpkeSender::HpkeSender(std::unique_ptr<State> state) : state_(std::move(state)) {}
HpkeSender::HpkeSender(HpkeSender&&) noexcept = default;
HpkeSender& HpkeSender::operator=(HpkeSender&&) noexcept = default;
HpkeSender::~HpkeSender() = default;

absl::StatusOr<HpkeSender> HpkeSender::Create(HpkeKem kem, ByteView recipient_public_key,
                                              ByteView info, Random& random) {
  const KemKey ephemeral = DeriveKemKey(kem, random);
  ASSIGN_OR_RETURN(const SecretBytes shared_secret,
                   KemSharedSecret(ephemeral, recipient_public_key, AsBytes(ephemeral.public_key),
                                   recipient_public_key));
  return HpkeSender(std::make_unique<State>(
      State{ephemeral.public_key, MessageContext(kem, shared_secret.view(), info)}));
}

const Bytes& HpkeSender::enc() const { return state_->enc; }

Bytes HpkeSender::Seal(ByteView associated_data, ByteView plaintext) {
  MessageContext& context = state_->context;
  LATCHKEY_CHECK(!context.IsExhausted());
  Bytes ciphertext = AeadSeal(context.key(), context.Nonce(), associated_data, plaintext);
  context.Advance();
  return ciphertext;
}

struct HpkePrivateKey::State {
  KemKey key;
};

HpkePrivateKey::HpkePrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
HpkePrivateKey::HpkePrivateKey(HpkePrivateKey&&) noexcept = default;
HpkePrivateKey& HpkePrivateKey::operator=(HpkePrivateKey&&) noexcept = default;
HpkePrivateKey::~HpkePrivateKey() = default;

HpkePrivateKey HpkePrivateKey::Generate(HpkeKem kem, Random& random) {
  return HpkePrivateKey(std::make_unique<State>(State{DeriveKemKey(kem, random)}));
}

absl::StatusOr<HpkePrivateKey> HpkePrivateKey::Parse(HpkeKem kem, ByteView private_key) {
  ASSIGN_OR_RETURN(KemKey key, ParseKemKey(kem, private_key));
  return HpkePrivateKey(std::make_unique<State>(State{std::move(key)}));
}

HpkeKem HpkePrivateKey::kem() const { return state_->key.kem; }
const Bytes& HpkePrivateKey::public_key() const { return state_->key.public_key; }
SecretBytes HpkePrivateKey::Export() const {
  return SecretBytes::CopyOf(state_->key.private_key.view());
}

struct HpkeReceiver::State {
  MessageContext context;
};

HpkeReceiver::HpkeReceiver(std::unique_ptr<State> state) : state_(std::move(state)) {}
HpkeReceiver::HpkeReceiver(HpkeReceiver&&) noexcept = default;
HpkeReceiver& HpkeReceiver::operator=(HpkeReceiver&&) noexcept = default;
HpkeReceiver::~HpkeReceiver() = default;

absl::StatusOr<HpkeReceiver> HpkeReceiver::Create(const HpkePrivateKey& key, ByteView enc,
                                                  ByteView info) {
  const KemKey& own = key.state_->key;
  ASSIGN_OR_RETURN(const SecretBytes shared_secret,
                   KemSharedSecret(own, enc, enc, AsBytes(own.public_key)));
  return HpkeReceiver(
      std::make_unique<State>(State{MessageContext(own.kem, shared_secret.view(), info)}));
}

absl::StatusOr<SecretBytes> HpkeReceiver::Open(ByteView associated_data, ByteView ciphertext) {
  MessageContext& context = state_->context;
  if (context.IsExhausted()) {
    return absl::InvalidArgumentError("HPKE context has opened its last message");
  }
  ASSIGN_OR_RETURN(SecretBytes plaintext,
                   AeadOpen(context.key(), context.Nonce(), associated_data, ciphertext));
  context.Advance();
  return plaintext;
}

}  // namespace latchkey::crypto
