#include "protocol/sealed_item.h"

#include <map>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "protocol/statement.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::protocol {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

// A recipient of one scheme: its public key, and how it opens.
class Recipient {
 public:
  explicit Recipient(Scheme scheme, std::string_view seed = "recipient") {
    if (scheme == Scheme::kRsaOaepSha256) {
      // Generated once a seed: it costs a tenth of a second.
      static std::map<std::string, crypto::PrivateKey>& keys =
          *new std::map<std::string, crypto::PrivateKey>();
      if (!keys.contains(std::string(seed)))
        keys.emplace(seed, crypto::PrivateKey::GenerateRsa(2048));
      rsa_ = keys.at(std::string(seed));
      return;
    }
    SeededRandom random(seed);
    hpke_ =
        crypto::HpkePrivateKey::Generate(scheme == Scheme::kHpkeX25519 ? crypto::HpkeKem::kX25519
                                         : scheme == Scheme::kHpkeP256 ? crypto::HpkeKem::kP256
                                                                       : crypto::HpkeKem::kP384,
                                         random);
  }

  Bytes public_key() const { return hpke_ ? hpke_->public_key() : rsa_->public_key().SpkiDer(); }

  absl::StatusOr<std::unique_ptr<ItemOpener>> Opener(
      const Bytes& encapsulation, const crypto::Sha256Digest& binding_digest) const {
    if (hpke_) return MakeHpkeOpener(*hpke_, AsBytes(encapsulation), binding_digest);
    auto secret = crypto::RsaOaepSha256Decrypt(*rsa_, AsBytes(encapsulation));
    if (!secret.ok()) return secret.status();
    return MakeRsaOpener(*secret, binding_digest);
  }

 private:
  std::optional<crypto::HpkePrivateKey> hpke_;
  std::optional<crypto::PrivateKey> rsa_;
};

class SealedItemTest : public testing::TestWithParam<Scheme> {
 protected:
  SealedItemTest() : recipient_(GetParam()) {
    sealer_ =
        MakeItemSealer(GetParam(), AsBytes(recipient_.public_key()), binding_, random_).value();
    for (uint32_t i = 0; i < 2; ++i) {
      sealed_.push_back(sealer_->Seal(ItemAssociatedData(i, AsBytes(body_)), AsBytes(deks_[i])));
    }
  }

  std::unique_ptr<ItemOpener> Opener() {
    return recipient_.Opener(sealer_->encapsulation(), binding_).value();
  }

  absl::StatusOr<Bytes> Open(ItemOpener& opener, uint32_t index, std::string_view body,
                             const Bytes& sealed) {
    auto dek = opener.Open(ItemAssociatedData(index, AsBytes(body)), AsBytes(sealed));
    if (!dek.ok()) return dek.status();
    return ToBytes(dek->view());
  }

  SeededRandom random_;
  Recipient recipient_;
  const crypto::Sha256Digest binding_ = crypto::Sha256(AsBytes("transcript"));
  const std::string body_ = "statement body";
  const Bytes deks_[2] = {Bytes(32, 'k'), Bytes(16, 'l')};
  std::unique_ptr<ItemSealer> sealer_;
  std::vector<Bytes> sealed_;
};

TEST_P(SealedItemTest, ItemsOpenInTheirOrder) {
  auto opener = Opener();
  EXPECT_THAT(Open(*opener, 0, body_, sealed_[0]), IsOkAndHolds(deks_[0]));
  EXPECT_THAT(Open(*opener, 1, body_, sealed_[1]), IsOkAndHolds(deks_[1]));
}

TEST_P(SealedItemTest, SealedSizeIsThatOfTheDekAndATag) {
  EXPECT_EQ(sealed_[0].size(), 48u);
  EXPECT_EQ(sealed_[1].size(), 32u);
}

TEST_P(SealedItemTest, SecondItemDoesNotOpenFirst) {
  auto opener = Opener();
  EXPECT_FALSE(Open(*opener, 1, body_, sealed_[1]).ok());
  // A failed opening does not advance.
  EXPECT_THAT(Open(*opener, 0, body_, sealed_[0]), IsOkAndHolds(deks_[0]));
}

TEST_P(SealedItemTest, SwappedIndexDoesNotOpen) {
  auto opener = Opener();
  EXPECT_FALSE(Open(*opener, 1, body_, sealed_[0]).ok());
  EXPECT_FALSE(Open(*opener, 0, body_, sealed_[1]).ok());
  EXPECT_THAT(Open(*opener, 0, body_, sealed_[0]), IsOk());
}

TEST_P(SealedItemTest, AnotherStatementsBodyDoesNotOpen) {
  auto opener = Opener();
  EXPECT_FALSE(Open(*opener, 0, "statement bodz", sealed_[0]).ok());
  EXPECT_THAT(Open(*opener, 0, body_, sealed_[0]), IsOk());
}

TEST_P(SealedItemTest, AnotherBindingDoesNotOpen) {
  auto opener = recipient_.Opener(sealer_->encapsulation(), crypto::Sha256(AsBytes("transcripu")));
  ASSERT_THAT(opener, IsOk());
  EXPECT_FALSE(Open(**opener, 0, body_, sealed_[0]).ok());
}

TEST_P(SealedItemTest, AnotherRecipientDoesNotOpen) {
  const Recipient other(GetParam(), "other recipient");
  auto opener = other.Opener(sealer_->encapsulation(), binding_);
  if (!opener.ok()) return;  // RSA-OAEP notices first
  EXPECT_FALSE(Open(**opener, 0, body_, sealed_[0]).ok());
}

TEST_P(SealedItemTest, EveryChangedBitOfTheSealedDekIsRefused) {
  auto opener = Opener();
  for (size_t bit = 0; bit < sealed_[0].size() * 8; ++bit) {
    Bytes changed = sealed_[0];
    changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_FALSE(Open(*opener, 0, body_, changed).ok()) << bit;
  }
  EXPECT_FALSE(Open(*opener, 0, body_, sealed_[0].substr(0, 47)).ok());
  EXPECT_FALSE(Open(*opener, 0, body_, sealed_[0] + "x").ok());
  EXPECT_FALSE(Open(*opener, 0, body_, "").ok());
  EXPECT_THAT(Open(*opener, 0, body_, sealed_[0]), IsOk());
}

TEST_P(SealedItemTest, EachReleaseHasItsOwnEncapsulation) {
  const auto again =
      MakeItemSealer(GetParam(), AsBytes(recipient_.public_key()), binding_, random_);
  ASSERT_THAT(again, IsOk());
  EXPECT_NE((*again)->encapsulation(), sealer_->encapsulation());
  EXPECT_NE((*again)->Seal(ItemAssociatedData(0, AsBytes(body_)), AsBytes(deks_[0])), sealed_[0]);
}

TEST_P(SealedItemTest, PublicKeyOfAnotherSizeIsMalformed) {
  const Bytes key = recipient_.public_key();
  for (const Bytes& bad : {Bytes(), key.substr(1), key.substr(0, key.size() - 1), key + "x"}) {
    EXPECT_THAT(MakeItemSealer(GetParam(), AsBytes(bad), binding_, random_),
                StatusIs(StatusCode::kInvalidArgument))
        << bad.size();
  }
}

TEST_P(SealedItemTest, PublicKeyOfAnotherSchemeIsMalformed) {
  for (const Scheme other :
       {Scheme::kHpkeX25519, Scheme::kHpkeP256, Scheme::kHpkeP384, Scheme::kRsaOaepSha256}) {
    const auto sealer = MakeItemSealer(other, AsBytes(recipient_.public_key()), binding_, random_);
    if (other == GetParam()) {
      EXPECT_THAT(sealer, IsOk());
    } else {
      EXPECT_THAT(sealer, StatusIs(StatusCode::kInvalidArgument));
    }
  }
}

std::string SchemeName(const testing::TestParamInfo<Scheme>& info) {
  constexpr const char* kNames[] = {"", "HpkeX25519", "HpkeP256", "HpkeP384", "RsaOaep"};
  return kNames[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Schemes, SealedItemTest,
                         testing::Values(Scheme::kHpkeX25519, Scheme::kHpkeP256, Scheme::kHpkeP384,
                                         Scheme::kRsaOaepSha256),
                         SchemeName);

TEST(RsaRecipientTest, KeyOfAnotherKindOrSizeIsMalformed) {
  SeededRandom random;
  const auto p256 = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256).public_key().SpkiDer();
  EXPECT_THAT(MakeItemSealer(Scheme::kRsaOaepSha256, AsBytes(p256), {}, random),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not an RSA key")));
  // A public key of 4104 bits needs no private one: any odd modulus will do.
  const auto with_bits = [](size_t bits) {
    const Bytes modulus(bits / 8, '\xff');
    return crypto::PublicKey::FromRsa(AsBytes(modulus), AsBytes("\x01\x01"))->SpkiDer();
  };
  EXPECT_THAT(MakeItemSealer(Scheme::kRsaOaepSha256, AsBytes(with_bits(4096)), {}, random), IsOk());
  EXPECT_THAT(MakeItemSealer(Scheme::kRsaOaepSha256, AsBytes(with_bits(4104)), {}, random),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("4104 bits")));
}

TEST(RsaRecipientTest, SecretHas32Bytes) {
  EXPECT_THAT(MakeRsaOpener(SecretBytes(32), {}), IsOk());
  for (const size_t size : {0, 31, 33}) {
    EXPECT_THAT(MakeRsaOpener(SecretBytes(size), {}), StatusIs(StatusCode::kInvalidArgument))
        << size;
  }
}

class WrapKeyTest : public testing::Test {
 protected:
  WrapKeyTest()
      : wrapping_key_(crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kX25519, random_)) {}

  absl::StatusOr<Bytes> Encrypt(std::string_view dek) {
    return EncryptDekForWrap(AsBytes(wrapping_key_.public_key()), key_, context_,
                             SecretBytes::CopyOf(AsBytes(dek)), random_);
  }
  absl::StatusOr<Bytes> Decrypt(const KeyName& key, const Context& context,
                                const Bytes& encrypted) {
    auto dek = DecryptDekForWrap(wrapping_key_, key, context, AsBytes(encrypted));
    if (!dek.ok()) return dek.status();
    return ToBytes(dek->view());
  }

  SeededRandom random_;
  const crypto::HpkePrivateKey wrapping_key_;
  const KeyName key_{"default", "db"};
  const Context context_ = {{"environment", "prod"}};
};

TEST_F(WrapKeyTest, DekReachesTheBroker) {
  for (const size_t size : {16, 24, 32, 64}) {
    const auto encrypted = Encrypt(std::string(size, 'k'));
    ASSERT_THAT(encrypted, IsOk());
    EXPECT_EQ(encrypted->size(), 32 + size + 16);
    EXPECT_THAT(Decrypt(key_, context_, *encrypted), IsOkAndHolds(Bytes(size, 'k')));
  }
}

TEST_F(WrapKeyTest, DekOfAnotherSizeIsRefusedAtBothEnds) {
  for (const size_t size : {0, 15, 17, 33, 65}) {
    EXPECT_THAT(Encrypt(std::string(size, 'k')), StatusIs(StatusCode::kInvalidArgument)) << size;
    EXPECT_THAT(Decrypt(key_, context_, Bytes(32 + size + 16, 'e')),
                StatusIs(StatusCode::kInvalidArgument))
        << size;
  }
  EXPECT_THAT(Decrypt(key_, context_, ""),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("too few")));
}

TEST_F(WrapKeyTest, DekMeantForAnotherKeyOrContextIsRefused) {
  const auto encrypted = Encrypt(std::string(32, 'k'));
  ASSERT_THAT(encrypted, IsOk());
  EXPECT_FALSE(Decrypt({"default", "dc"}, context_, *encrypted).ok());
  EXPECT_FALSE(Decrypt({"other", "db"}, context_, *encrypted).ok());
  EXPECT_FALSE(Decrypt(key_, {{"environment", "test"}}, *encrypted).ok());
  EXPECT_FALSE(Decrypt(key_, {}, *encrypted).ok());
  EXPECT_THAT(Decrypt(key_, context_, *encrypted), IsOk());
}

TEST_F(WrapKeyTest, EveryChangedByteIsRefused) {
  const auto encrypted = Encrypt(std::string(32, 'k'));
  ASSERT_THAT(encrypted, IsOk());
  for (size_t i = 0; i < encrypted->size(); ++i) {
    Bytes changed = *encrypted;
    changed[i] ^= 1;
    EXPECT_FALSE(Decrypt(key_, context_, changed).ok()) << i;
  }
}

TEST_F(WrapKeyTest, WrappingKeyOfAnotherKindIsRefused) {
  const auto p256 = crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kP256, random_);
  EXPECT_THAT(DecryptDekForWrap(p256, key_, context_, AsBytes(Bytes(80, 'e'))),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("X25519")));
  EXPECT_THAT(
      EncryptDekForWrap(AsBytes(p256.public_key()), key_, context_, SecretBytes(32), random_),
      StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace latchkey::protocol
