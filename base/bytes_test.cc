#include "base/bytes.h"

#include <gtest/gtest.h>

namespace latchkey {
namespace {

TEST(Hex, RoundTripsEveryByte) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(HexDecode(HexEncode(AsBytes(all))).value(), all);
}

TEST(Hex, TakesBothCasesButNothingElse) {
  EXPECT_EQ(HexDecode("0aF9").value(), "\x0a\xf9");
  EXPECT_FALSE(HexDecode("0aF").ok());
  EXPECT_FALSE(HexDecode("0aFg").ok());
  EXPECT_FALSE(HexDecode("0a F").ok());
  EXPECT_FALSE(HexDecode("0xaF").ok());
}

TEST(Base64, GivesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(Base64Encode(AsBytes(plain)), encoded);
    EXPECT_EQ(Base64Decode(encoded).value(), plain);
    std::string unpadded = encoded;
    unpadded.resize(std::min(unpadded.size(), unpadded.find('=')));
    EXPECT_EQ(Base64UrlEncode(AsBytes(plain)), unpadded);
    EXPECT_EQ(Base64UrlDecode(unpadded).value(), plain);
  }
}

TEST(Base64, AlphabetsAreNotMixed) {
  EXPECT_EQ(Base64Decode("+/+/").value(), Base64UrlDecode("-_-_").value());
  EXPECT_FALSE(Base64Decode("-_-_").ok());
  EXPECT_FALSE(Base64UrlDecode("+/+/").ok());
}

TEST(Base64, PaddingIsRequiredHereAndRefusedThere) {
  EXPECT_TRUE(Base64Decode("Zg==").ok());
  EXPECT_FALSE(Base64Decode("Zg").ok());
  EXPECT_FALSE(Base64Decode("Zg=").ok());
  EXPECT_FALSE(Base64Decode("Z===").ok());
  EXPECT_FALSE(Base64Decode("Zg==Zg==").ok());
  EXPECT_TRUE(Base64UrlDecode("Zg").ok());
  EXPECT_FALSE(Base64UrlDecode("Zg==").ok());
}

TEST(Base64, BlanksAndLengthsThatEndInsideAByteAreRefused) {
  EXPECT_TRUE(Base64UrlDecode("Zm9v").ok());
  EXPECT_FALSE(Base64UrlDecode("Zm9v\n").ok());
  EXPECT_FALSE(Base64UrlDecode("Zm 9v").ok());
  EXPECT_FALSE(Base64UrlDecode("Zm9vZ").ok());
}

TEST(Base64, UnusedBitsMustBeZero) {
  EXPECT_TRUE(Base64UrlDecode("Zg").ok());
  EXPECT_FALSE(Base64UrlDecode("Zh").ok());
  EXPECT_TRUE(Base64Decode("Zm8=").ok());
  EXPECT_FALSE(Base64Decode("Zm9=").ok());
}

TEST(Append, WritesBigEndianAndLengthPrefix) {
  Bytes out;
  AppendU16(out, 0x0102);
  AppendU32(out, 0x03040506);
  AppendU64(out, 0x0708090a0b0c0d0eu);
  AppendLp(out, "hi");
  EXPECT_EQ(HexEncode(AsBytes(out)), "0102030405060708090a0b0c0d0e000000026869");
}

TEST(ConstantTimeEquals, ComparesContentAndLength) {
  EXPECT_TRUE(ConstantTimeEquals(AsBytes("abc"), AsBytes("abc")));
  EXPECT_FALSE(ConstantTimeEquals(AsBytes("abc"), AsBytes("abd")));
  EXPECT_FALSE(ConstantTimeEquals(AsBytes("abc"), AsBytes("ab")));
  EXPECT_TRUE(ConstantTimeEquals({}, {}));
}

}  // namespace
}  // namespace latchkey
