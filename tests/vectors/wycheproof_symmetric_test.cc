#include <gtest/gtest.h>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/wycheproof.h"

namespace latchkey::vectors {
namespace {

using nlohmann::json;

Verdict CheckGcm(const json& group, const json& test) {
  if (group["keySize"] != 256) return NotApplicable("key not of 256 bits");
  if (group["ivSize"] != 96) return NotApplicable("nonce not of 96 bits");
  if (group["tagSize"] != 128) return NotApplicable("tag not of 128 bits");
  const Bytes key = HexMember(test, "key");
  const Bytes nonce = HexMember(test, "iv");
  const Bytes context = HexMember(test, "aad");
  const Bytes plaintext = HexMember(test, "msg");
  const Bytes ciphertext = HexMember(test, "ct") + HexMember(test, "tag");
  const auto opened =
      crypto::AeadOpen(AsBytes(key), AsBytes(nonce), AsBytes(context), AsBytes(ciphertext));
  if (!opened.ok()) return Accept(false);
  EXPECT_EQ(AsText(opened->view()), plaintext) << test["tcId"];
  EXPECT_EQ(crypto::AeadSeal(AsBytes(key), AsBytes(nonce), AsBytes(context), AsBytes(plaintext)),
            ciphertext)
      << test["tcId"];
  return Accept(true);
}

TEST(Wycheproof, AesGcm) {
  RunWycheproof("aes_gcm_test.json",
                {.tests = 316,
                 .not_applicable = {{"key not of 256 bits", 211}, {"nonce not of 96 bits", 39}}},
                CheckGcm);
}

Check CheckHkdf(crypto::Hash hash) {
  return [hash](const json&, const json& test) {
    const Bytes input = HexMember(test, "ikm");
    const Bytes salt = HexMember(test, "salt");
    const Bytes info = HexMember(test, "info");
    const size_t size = test["size"];
    // Hkdf ends the process on such a size: its callers name constants.
    if (size > 255 * crypto::HashSize(hash)) return Accept(false);
    const SecretBytes output =
        crypto::Hkdf(hash, AsBytes(salt), AsBytes(input), AsBytes(info), size);
    return Accept(AsText(output.view()) == HexMember(test, "okm"));
  };
}

TEST(Wycheproof, HkdfSha256) {
  RunWycheproof("hkdf_sha256_test.json", {.tests = 86}, CheckHkdf(crypto::Hash::kSha256));
}

TEST(Wycheproof, HkdfSha384) {
  RunWycheproof("hkdf_sha384_test.json", {.tests = 83}, CheckHkdf(crypto::Hash::kSha384));
}

TEST(Wycheproof, HmacSha256) {
  RunWycheproof("hmac_sha256_test.json", {.tests = 174, .not_applicable = {{"truncated tag", 87}}},
                [](const json& group, const json& test) {
                  if (group["tagSize"] != 256) return NotApplicable("truncated tag");
                  const Bytes key = HexMember(test, "key");
                  const Bytes message = HexMember(test, "msg");
                  const Bytes tag = HexMember(test, "tag");
                  return Accept(ConstantTimeEquals(
                      crypto::HmacSha256(AsBytes(key), {AsBytes(message)}), AsBytes(tag)));
                });
}

}  // namespace
}  // namespace latchkey::vectors
