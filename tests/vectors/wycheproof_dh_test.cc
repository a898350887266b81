// ECDH vectors through HPKE: from a test's shared secret a sender is computed here, by RFC 9180
// alone; our receiver must open its message exactly when the test's point is valid.

#include <gtest/gtest.h>

#include "crypto/aead.h"
#include "crypto/hpke.h"
#include "crypto/kdf.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/wycheproof.h"

namespace latchkey::vectors {
namespace {

using crypto::Hash;
using crypto::HpkeKem;
using nlohmann::json;

struct Suite {
  HpkeKem kem;
  Hash hash;
  uint16_t kdf_id;
  size_t private_size;
};
constexpr Suite kX25519 = {HpkeKem::kX25519, Hash::kSha256, 1, 32};
constexpr Suite kP256 = {HpkeKem::kP256, Hash::kSha256, 1, 32};
constexpr Suite kP384 = {HpkeKem::kP384, Hash::kSha384, 2, 48};

Bytes Extract(const Suite& suite, const Bytes& id, const Bytes& salt, const Bytes& label,
              const Bytes& input) {
  const Bytes labeled = "HPKE-v1" + id + label + input;
  return ToBytes(crypto::HkdfExtract(suite.hash, AsBytes(salt), AsBytes(labeled)).view());
}

Bytes Expand(const Suite& suite, const Bytes& id, const Bytes& prk, const Bytes& label,
             const Bytes& info, size_t size) {
  Bytes labeled;
  AppendU16(labeled, static_cast<uint16_t>(size));
  labeled += "HPKE-v1" + id + label + info;
  return ToBytes(crypto::HkdfExpand(suite.hash, AsBytes(prk), AsBytes(labeled), size).view());
}

// Seals an empty message with empty info, as the owner of `enc` would whose DH result is `dh`.
Bytes SealWith(const Suite& suite, const Bytes& dh, const Bytes& enc, const Bytes& recipient) {
  Bytes kem_id = "KEM";
  AppendU16(kem_id, static_cast<uint16_t>(suite.kem));
  const Bytes shared = Expand(suite, kem_id, Extract(suite, kem_id, "", "eae_prk", dh),
                              "shared_secret", enc + recipient, crypto::HashSize(suite.hash));
  Bytes id = "HPKE";
  AppendU16(id, static_cast<uint16_t>(suite.kem));
  AppendU16(id, suite.kdf_id);
  AppendU16(id, 2);
  const Bytes context = Bytes(1, '\0') + Extract(suite, id, "", "psk_id_hash", "") +
                        Extract(suite, id, "", "info_hash", "");
  const Bytes secret = Extract(suite, id, shared, "secret", "");
  const Bytes key = Expand(suite, id, secret, "key", context, 32);
  const Bytes nonce = Expand(suite, id, secret, "base_nonce", context, 12);
  return crypto::AeadSeal(AsBytes(key), AsBytes(nonce), {}, {});
}

Check CheckDh(Suite suite) {
  return [suite](const json&, const json& test) {
    const Bytes private_bytes = FitTo(HexMember(test, "private"), suite.private_size);
    const auto key = crypto::HpkePrivateKey::Parse(suite.kem, AsBytes(private_bytes));
    EXPECT_TRUE(key.ok()) << test["tcId"] << key.status();
    if (!key.ok()) return Accept(false);
    const Bytes enc = HexMember(test, "public");
    auto receiver = crypto::HpkeReceiver::Create(*key, AsBytes(enc), {});
    if (!receiver.ok()) return Accept(false);
    const Bytes message = SealWith(suite, HexMember(test, "shared"), enc, key->public_key());
    EXPECT_TRUE(receiver->Open({}, AsBytes(message)).ok()) << "shared secret of " << test["tcId"];
    return Accept(true);
  };
}

TEST(Wycheproof, X25519) {
  Expectation expectation{.tests = 518, .accepts_acceptable = true};
  const auto vectors = ReadVectorJson("crypto/wycheproof/x25519_test.json");
  SKIP_WITHOUT(vectors, "crypto/wycheproof/x25519_test.json");
  for (const json& test : (*vectors)["testGroups"][0]["tests"]) {
    for (const json& flag : test["flags"]) {
      if (flag == "ZeroSharedSecret") {
        expectation.exceptions[test["tcId"]] = "a point of low order gives the secret zero";
      }
    }
  }
  EXPECT_EQ(expectation.exceptions.size(), 31u);
  RunWycheproof("x25519_test.json", expectation, CheckDh(kX25519));
}

// The one "acceptable" test of each file is a compressed point, which HPKE does not have.
TEST(Wycheproof, EcdhP256Points) {
  RunWycheproof("ecdh_secp256r1_ecpoint_test.json", {.tests = 355}, CheckDh(kP256));
}

TEST(Wycheproof, EcdhP384Points) {
  RunWycheproof("ecdh_secp384r1_ecpoint_test.json", {.tests = 790}, CheckDh(kP384));
}

}  // namespace
}  // namespace latchkey::vectors
