#include "crypto/aead.h"

#include <gtest/gtest.h>

namespace latchkey::crypto {
namespace {

class AeadTest : public ::testing::Test {
 protected:
  Bytes Seal(std::string_view plaintext) {
    return AeadSeal(AsBytes(key_), AsBytes(nonce_), AsBytes("context"), AsBytes(plaintext));
  }
  absl::StatusOr<SecretBytes> Open(ByteView ciphertext, std::string_view context = "context") {
    return AeadOpen(AsBytes(key_), AsBytes(nonce_), AsBytes(context), ciphertext);
  }

  Bytes key_ = Bytes(32, 'k');
  Bytes nonce_ = Bytes(12, 'n');
};

TEST_F(AeadTest, GivesTestCase14OfTheGcmSpecification) {
  const Bytes zeros(32, '\0');
  EXPECT_EQ(HexEncode(AsBytes(
                AeadSeal(AsBytes(zeros), AsBytes(zeros).first(12), {}, AsBytes(zeros).first(16)))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST_F(AeadTest, OpensWhatItSealed) {
  const Bytes ciphertext = Seal("plaintext");
  EXPECT_EQ(ciphertext.size(), 9u + 16u);
  EXPECT_EQ(AsText(Open(AsBytes(ciphertext))->view()), "plaintext");
}

TEST_F(AeadTest, EmptyPlaintextIsAuthenticatedToo) {
  Bytes ciphertext = Seal("");
  EXPECT_EQ(ciphertext.size(), 16u);
  EXPECT_TRUE(Open(AsBytes(ciphertext)).ok());
  ciphertext[0] ^= 1;
  EXPECT_FALSE(Open(AsBytes(ciphertext)).ok());
}

TEST_F(AeadTest, EveryFlippedBitIsRefusedWithTheSameError) {
  const Bytes ciphertext = Seal("plaintext");
  for (size_t bit = 0; bit < 8 * ciphertext.size(); ++bit) {
    Bytes wounded = ciphertext;
    wounded[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_EQ(Open(AsBytes(wounded)).status(), absl::InvalidArgumentError("does not authenticate"));
  }
}

TEST_F(AeadTest, TruncatedTagsAreRefused) {
  const Bytes ciphertext = Seal("plaintext");
  ASSERT_TRUE(Open(AsBytes(ciphertext)).ok());
  for (size_t size = 0; size < ciphertext.size(); ++size) {
    EXPECT_FALSE(Open(AsBytes(ciphertext).first(size)).ok()) << size;
  }
}

TEST_F(AeadTest, OtherContextKeyOrNonceIsRefused) {
  const Bytes ciphertext = Seal("plaintext");
  EXPECT_TRUE(Open(AsBytes(ciphertext), "context").ok());
  EXPECT_FALSE(Open(AsBytes(ciphertext), "contexT").ok());
  EXPECT_FALSE(Open(AsBytes(ciphertext), "").ok());
  nonce_[11] ^= 1;
  EXPECT_FALSE(Open(AsBytes(ciphertext)).ok());
  nonce_[11] ^= 1;
  key_[31] ^= 1;
  EXPECT_FALSE(Open(AsBytes(ciphertext)).ok());
}

using AeadDeathTest = AeadTest;

TEST_F(AeadDeathTest, KeysAndNoncesOfOtherSizesEndTheProcess) {
  key_.push_back('k');
  EXPECT_DEATH(Seal("x"), "key.size");
  key_.pop_back();
  nonce_.pop_back();
  EXPECT_DEATH(Seal("x"), "nonce.size");
}

}  // namespace
}  // namespace latchkey::crypto
