#include "crypto/rsa_spki.h"

#include "crypto/key_impl.h"
#include "crypto/signature.h"
#include "gtest/gtest.h"

namespace latchkey::crypto {
namespace {

// What OpenSSL's own encoder writes.
Bytes OpenSslSpki(const PublicKey& key) {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key.impl().pkey.get(), &der);
  Bytes out(reinterpret_cast<const char*>(der), size);
  OPENSSL_free(der);
  return out;
}

TEST(RsaSpkiTest, WritesWhatOpenSslWritesAndReadsItBack) {
  for (const int bits : {2048, 2056, 3072, 4096}) {
    const PublicKey key = PrivateKey::GenerateRsa(bits).public_key();
    const Bytes der = OpenSslSpki(key);
    EXPECT_EQ(key.SpkiDer(), der) << bits;
    const auto numbers = DecodeRsaSpki(AsBytes(der));
    ASSERT_TRUE(numbers.has_value()) << bits;
    EXPECT_EQ(numbers->modulus, key.RsaModulus());
    EXPECT_EQ(numbers->exponent, key.RsaExponent());
  }
}

TEST(RsaSpkiTest, EveryChangeOfAnEncodingByteAndEveryOtherLengthIsNotDecoded) {
  const PublicKey key = PrivateKey::GenerateRsa(2048).public_key();
  const Bytes der = key.SpkiDer();
  // Before the modulus and its sign byte; 5 bytes of exponent follow.
  const size_t header = der.size() - 5 - 256 - 1;
  for (size_t i = 0; i < header; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes wounded = der;
      wounded[i] = static_cast<char>(wounded[i] ^ (1 << bit));
      EXPECT_FALSE(DecodeRsaSpki(AsBytes(wounded)).has_value()) << "byte " << i << " bit " << bit;
    }
  }
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(DecodeRsaSpki(AsBytes(der.substr(0, size))).has_value()) << size;
  }
  EXPECT_FALSE(DecodeRsaSpki(AsBytes(der + "x")).has_value());
  EXPECT_TRUE(DecodeRsaSpki(AsBytes(der)).has_value());
}

}  // namespace
}  // namespace latchkey::crypto
