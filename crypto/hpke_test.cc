#include "crypto/hpke.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/system_random.h"

namespace latchkey::crypto {
namespace {

class HpkeTest : public ::testing::TestWithParam<HpkeKem> {
 protected:
  HpkeTest() : key_(HpkePrivateKey::Generate(GetParam(), random_)) {}

  HpkeSender Sender() {
    absl::StatusOr<HpkeSender> sender =
        HpkeSender::Create(GetParam(), AsBytes(key_.public_key()), AsBytes("info"), random_);
    EXPECT_TRUE(sender.ok()) << sender.status();
    return *std::move(sender);
  }
  absl::StatusOr<HpkeReceiver> Receiver(const Bytes& enc, std::string_view info = "info") {
    return HpkeReceiver::Create(key_, AsBytes(enc), AsBytes(info));
  }

  SystemRandom random_;
  HpkePrivateKey key_;
};

TEST_P(HpkeTest, OpensMessagesInTheOrderTheyWereSealed) {
  HpkeSender sender = Sender();
  EXPECT_EQ(sender.enc().size(), HpkePublicKeySize(GetParam()));
  const Bytes first = sender.Seal(AsBytes("aad"), AsBytes("first"));
  const Bytes second = sender.Seal(AsBytes("aad"), AsBytes("second"));
  EXPECT_EQ(first.size(), 5u + 16u);
  HpkeReceiver receiver = Receiver(sender.enc()).value();
  EXPECT_EQ(AsText(receiver.Open(AsBytes("aad"), AsBytes(first))->view()), "first");
  EXPECT_EQ(AsText(receiver.Open(AsBytes("aad"), AsBytes(second))->view()), "second");
}

TEST_P(HpkeTest, AFailedOpenDoesNotAdvance) {
  HpkeSender sender = Sender();
  const Bytes first = sender.Seal({}, AsBytes("first"));
  const Bytes second = sender.Seal({}, AsBytes("second"));
  HpkeReceiver receiver = Receiver(sender.enc()).value();
  EXPECT_FALSE(receiver.Open({}, AsBytes(second)).ok());
  EXPECT_TRUE(receiver.Open({}, AsBytes(first)).ok());
  EXPECT_FALSE(receiver.Open({}, AsBytes(first)).ok());
  EXPECT_TRUE(receiver.Open({}, AsBytes(second)).ok());
}

TEST_P(HpkeTest, OtherInfoAadKeyOrEncDoesNotOpen) {
  HpkeSender sender = Sender();
  const Bytes ciphertext = sender.Seal(AsBytes("aad"), AsBytes("text"));
  const auto opens = [&](absl::StatusOr<HpkeReceiver> receiver, std::string_view aad) {
    return receiver.ok() && receiver->Open(AsBytes(aad), AsBytes(ciphertext)).ok();
  };
  EXPECT_TRUE(opens(Receiver(sender.enc()), "aad"));
  EXPECT_FALSE(opens(Receiver(sender.enc()), "aaD"));
  EXPECT_FALSE(opens(Receiver(sender.enc(), "infO"), "aad"));
  EXPECT_FALSE(opens(Receiver(Sender().enc()), "aad"));
  const HpkePrivateKey other = HpkePrivateKey::Generate(GetParam(), random_);
  EXPECT_FALSE(opens(HpkeReceiver::Create(other, AsBytes(sender.enc()), AsBytes("info")), "aad"));
}

TEST_P(HpkeTest, PublicKeysOfOtherSizesAreRefused) {
  const Bytes good = key_.public_key();
  const auto create = [&](const Bytes& public_key) {
    return HpkeSender::Create(GetParam(), AsBytes(public_key), {}, random_).status();
  };
  EXPECT_TRUE(create(good).ok());
  for (const Bytes& bad : {Bytes(), good.substr(1), good + '\0', good.substr(0, good.size() - 1)}) {
    EXPECT_EQ(create(bad).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(Receiver(bad).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(HpkeTest, PrivateKeysSurviveExport) {
  const SecretBytes exported = key_.Export();
  const absl::StatusOr<HpkePrivateKey> again = HpkePrivateKey::Parse(GetParam(), exported.view());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->public_key(), key_.public_key());
  EXPECT_EQ(again->kem(), GetParam());
  EXPECT_FALSE(HpkePrivateKey::Parse(GetParam(), exported.view().subspan(1)).ok());
}

INSTANTIATE_TEST_SUITE_P(Kems, HpkeTest,
                         ::testing::Values(HpkeKem::kP256, HpkeKem::kP384, HpkeKem::kX25519));

TEST(Hpke, X25519PointsOfLowOrderAreRefused) {
  SystemRandom random;
  // Orders 4, 1, 8 and 8 (RFC 7748, 6.1 and the list of curve25519's author).
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"}) {
    const Bytes point = HexDecode(hex).value();
    EXPECT_EQ(HpkeSender::Create(HpkeKem::kX25519, AsBytes(point), {}, random).status().message(),
              "not a valid public key of the HPKE KEM");
  }
  Bytes base_point(32, '\0');
  base_point[0] = 9;
  EXPECT_TRUE(HpkeSender::Create(HpkeKem::kX25519, AsBytes(base_point), {}, random).ok());
}

TEST(Hpke, CurvePointsMustBeUncompressedAndOnTheCurve) {
  SystemRandom random;
  const Bytes good = HpkePrivateKey::Generate(HpkeKem::kP384, random).public_key();
  const auto is_accepted = [&](const Bytes& point) {
    return HpkeSender::Create(HpkeKem::kP384, AsBytes(point), {}, random).ok();
  };
  EXPECT_TRUE(is_accepted(good));
  Bytes off_curve = good;
  off_curve[96] ^= 1;
  EXPECT_FALSE(is_accepted(off_curve));
  Bytes hybrid = good;
  hybrid[0] = static_cast<char>(6 + (good[96] & 1));
  EXPECT_FALSE(is_accepted(hybrid));
  Bytes compressed = good.substr(0, 49);
  compressed[0] = static_cast<char>(2 + (good[96] & 1));
  EXPECT_FALSE(is_accepted(compressed));
  EXPECT_FALSE(is_accepted(Bytes(1, '\0')));  // infinity
  EXPECT_FALSE(is_accepted(Bytes(97, '\0')));
}

TEST(Hpke, CurvePrivateKeysOutOfRangeAreRefused) {
  const std::string order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc6325";
  const auto is_accepted = [&](const std::string& hex) {
    return HpkePrivateKey::Parse(HpkeKem::kP256, AsBytes(HexDecode(hex).value())).ok();
  };
  EXPECT_TRUE(is_accepted(order + "50"));
  EXPECT_FALSE(is_accepted(order + "51"));
  EXPECT_FALSE(is_accepted(order + "52"));
  EXPECT_FALSE(is_accepted(std::string(64, '0')));
  EXPECT_TRUE(is_accepted(std::string(63, '0') + "1"));
}

}  // namespace
}  // namespace latchkey::crypto
