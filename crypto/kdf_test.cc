#include "crypto/kdf.h"

#include <gtest/gtest.h>

namespace latchkey::crypto {
namespace {

TEST(Hkdf, GivesTestCase1OfRfc5869) {
  const Bytes input(22, '\x0b');
  const Bytes salt = HexDecode("000102030405060708090a0b0c").value();
  const Bytes info = HexDecode("f0f1f2f3f4f5f6f7f8f9").value();
  const SecretBytes prk = HkdfExtract(Hash::kSha256, AsBytes(salt), AsBytes(input));
  EXPECT_EQ(HexEncode(prk.view()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(HexEncode(HkdfExpand(Hash::kSha256, prk.view(), AsBytes(info), 42).view()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, GivesTestCase3OfRfc5869WithoutSaltAndInfo) {
  const Bytes input(22, '\x0b');
  EXPECT_EQ(HexEncode(Hkdf(Hash::kSha256, {}, AsBytes(input), {}, 42).view()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, AShorterOutputIsAPrefixOfALongerOne) {
  const SecretBytes long_output = Hkdf(Hash::kSha384, {}, AsBytes("input"), AsBytes("info"), 200);
  const SecretBytes short_output = Hkdf(Hash::kSha384, {}, AsBytes("input"), AsBytes("info"), 49);
  EXPECT_EQ(AsText(long_output.view().first(49)), AsText(short_output.view()));
}

TEST(Hkdf, TheLongestOutputIs255Hashes) {
  EXPECT_EQ(Hkdf(Hash::kSha512, {}, AsBytes("input"), {}, 255 * 64).size(), 255u * 64u);
  EXPECT_DEATH(Hkdf(Hash::kSha512, {}, AsBytes("input"), {}, 255 * 64 + 1), "255");
}

}  // namespace
}  // namespace latchkey::crypto
