#include "crypto/digest.h"

#include <gtest/gtest.h>

namespace latchkey::crypto {
namespace {

TEST(Digest, GivesTheExamplesOfFips180) {
  EXPECT_EQ(HexEncode(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexEncode(Sha384(AsBytes("abc"))),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(HexEncode(Sha512(AsBytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(HexEncode(Sha256(ByteView())),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, HashesPartsAsTheirConcatenation) {
  EXPECT_EQ(Sha256({AsBytes("a"), ByteView(), AsBytes("bc")}), Sha256(AsBytes("abc")));
  EXPECT_NE(Sha256({AsBytes("ab"), AsBytes("d")}), Sha256(AsBytes("abc")));
}

TEST(Hmac, GivesTheTestCasesOfRfc4231) {
  const Bytes key1(20, '\x0b');
  EXPECT_EQ(HexEncode(HmacSha256(AsBytes(key1), {AsBytes("Hi "), AsBytes("There")})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  const Bytes key6(131, '\xaa');  // longer than a block
  EXPECT_EQ(
      HexEncode(HmacSha256(AsBytes(key6),
                           {AsBytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacDeathTest, ShortKeysEndTheProcess) {
  const Bytes key(15, 'k');
  EXPECT_DEATH(HmacSha256(AsBytes(key), {AsBytes("message")}), "key.size");
}

}  // namespace
}  // namespace latchkey::crypto
