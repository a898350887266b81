// HPKE against RFC 9180's own vectors, and the P-384 ones that the RFC lacks.

#include <gtest/gtest.h>

#include <map>

#include "base/check.h"
#include "crypto/hpke.h"
#include "crypto/system_random.h"
#include "tests/vectors/vector_files.h"

namespace latchkey::vectors {
namespace {

using crypto::HpkeKem;
using nlohmann::json;

// Answers with given bytes, once.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
  void Fill(std::span<uint8_t> out) override {
    LATCHKEY_CHECK(out.size() == bytes_.size());
    std::ranges::copy(AsBytes(bytes_), out.begin());
  }

 private:
  const Bytes bytes_;
};

// The KEM of a vector whose suite is ours; nullopt for the others.
std::optional<HpkeKem> KemOf(const json& vector) {
  const int kem = vector["kem_id"], kdf = vector["kdf_id"], aead = vector["aead_id"];
  if (aead != 2) return std::nullopt;
  if (kem == 0x10 && kdf == 1) return HpkeKem::kP256;
  if (kem == 0x11 && kdf == 2) return HpkeKem::kP384;
  if (kem == 0x20 && kdf == 1) return HpkeKem::kX25519;
  return std::nullopt;
}

void CheckKeyDerivation(HpkeKem kem, const json& vector) {
  FixedRandom random(HexMember(vector, "ikmR"));
  const auto key = crypto::HpkePrivateKey::Generate(kem, random);
  EXPECT_EQ(key.public_key(), HexMember(vector, "pkRm"));
  EXPECT_EQ(AsText(key.Export().view()), HexMember(vector, "skRm"));
}

// Seals and opens every sequence number up to the last one of the vector.
void CheckMessages(HpkeKem kem, const json& vector) {
  const Bytes info = HexMember(vector, "info");
  const Bytes recipient = HexMember(vector, "pkRm");
  FixedRandom random(HexMember(vector, "ikmE"));
  auto sender = crypto::HpkeSender::Create(kem, AsBytes(recipient), AsBytes(info), random);
  ASSERT_TRUE(sender.ok()) << sender.status();
  EXPECT_EQ(sender->enc(), HexMember(vector, "enc"));
  const Bytes private_key = HexMember(vector, "skRm");
  const auto key = crypto::HpkePrivateKey::Parse(kem, AsBytes(private_key));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->public_key(), recipient);
  auto receiver = crypto::HpkeReceiver::Create(*key, AsBytes(sender->enc()), AsBytes(info));
  ASSERT_TRUE(receiver.ok()) << receiver.status();
  int sequence = 0;
  for (const json& message : vector["encryptions"]) {
    for (; sequence < message["seq"]; ++sequence) {
      ASSERT_TRUE(receiver->Open({}, AsBytes(sender->Seal({}, {}))).ok()) << sequence;
    }
    const Bytes context = HexMember(message, "aad");
    const Bytes plaintext = HexMember(message, "pt");
    const Bytes ciphertext = HexMember(message, "ct");
    EXPECT_EQ(sender->Seal(AsBytes(context), AsBytes(plaintext)), ciphertext) << sequence;
    const auto opened = receiver->Open(AsBytes(context), AsBytes(ciphertext));
    ASSERT_TRUE(opened.ok()) << sequence;
    EXPECT_EQ(AsText(opened->view()), plaintext);
    ++sequence;
  }
}

void CheckVectors(const json& vectors, size_t count, size_t ours) {
  ASSERT_EQ(vectors.size(), count);
  size_t run = 0;
  for (const json& vector : vectors) {
    ASSERT_EQ(vector["mode"], 0);
    const std::optional<HpkeKem> kem = KemOf(vector);
    if (!kem.has_value()) continue;
    ++run;
    CheckKeyDerivation(*kem, vector);
    CheckMessages(*kem, vector);
  }
  EXPECT_EQ(run, ours);
}

TEST(HpkeVectors, ThoseOfRfc9180InTheTree) {
  const auto text = ReadFile("tests/vectors/data/rfc9180_aes256gcm.json");
  ASSERT_TRUE(text.has_value()) << "run from the source root";
  CheckVectors(json::parse(*text)["vectors"], 2, 2);
}

TEST(HpkeVectors, ThoseOfRfc9180) {
  const auto vectors = ReadVectorJson("crypto/hpke/cfrg_base_x25519_p256_sha256.json");
  SKIP_WITHOUT(vectors, "crypto/hpke/cfrg_base_x25519_p256_sha256.json");
  CheckVectors(*vectors, 6, 2);
}

TEST(HpkeVectors, ThoseForP384) {
  const auto vectors = ReadVectorJson("crypto/hpke/generated_p384_and_sha384.json");
  SKIP_WITHOUT(vectors, "crypto/hpke/generated_p384_and_sha384.json");
  CheckVectors(*vectors, 5, 1);
}

// This vector has no ephemeral key, so only the receiver is checked.
TEST(HpkeVectors, TheOneOfCaliptra) {
  const auto vectors = ReadVectorJson("crypto/hpke/p384_sha384_a256gcm_caliptra.json");
  SKIP_WITHOUT(vectors, "crypto/hpke/p384_sha384_a256gcm_caliptra.json");
  ASSERT_EQ(vectors->size(), 1u);
  const json& vector = vectors->front();
  const Bytes private_key = HexMember(vector, "skRm");
  const auto key = crypto::HpkePrivateKey::Parse(HpkeKem::kP384, AsBytes(private_key));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->public_key(), HexMember(vector, "pkRm"));
  const Bytes enc = HexMember(vector, "enc");
  const Bytes info = HexMember(vector, "info");
  auto receiver = crypto::HpkeReceiver::Create(*key, AsBytes(enc), AsBytes(info));
  ASSERT_TRUE(receiver.ok()) << receiver.status();
  for (const json& message : vector["encryptions"]) {
    const Bytes context = HexMember(message, "aad");
    const Bytes ciphertext = HexMember(message, "ct");
    const auto opened = receiver->Open(AsBytes(context), AsBytes(ciphertext));
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(AsText(opened->view()), HexMember(message, "pt"));
  }
}

// Opens one case; false for any error.
bool Opens(HpkeKem kem, const json& test) {
  const Bytes private_key = HexMember(test, "skRm");
  const auto key = crypto::HpkePrivateKey::Parse(kem, AsBytes(private_key));
  EXPECT_TRUE(key.ok()) << test["tcId"] << key.status();
  const Bytes enc = HexMember(test, "enc");
  const Bytes info = HexMember(test, "info");
  auto receiver = crypto::HpkeReceiver::Create(*key, AsBytes(enc), AsBytes(info));
  if (!receiver.ok()) {
    EXPECT_EQ(receiver.status().code(), absl::StatusCode::kInvalidArgument);
    return false;
  }
  const Bytes context = HexMember(test, "aad");
  const Bytes ciphertext = HexMember(test, "ct");
  const auto opened = receiver->Open(AsBytes(context), AsBytes(ciphertext));
  if (!opened.ok()) {
    EXPECT_EQ(opened.status(), absl::InvalidArgumentError("does not authenticate"));
  }
  return opened.ok();
}

TEST(HpkeVectors, NegativeCasesAreRefusedAndControlsOpen) {
  const auto vectors = ReadVectorJson("crypto/hpke/negative_base_open.json");
  SKIP_WITHOUT(vectors, "crypto/hpke/negative_base_open.json");
  std::map<std::string, int> results;
  for (const json& test : (*vectors)["cases"]) {
    const std::optional<HpkeKem> kem = KemOf(test);
    if (!kem.has_value()) {
      ++results["suite that does not exist here"];
      EXPECT_EQ(test["result"], "invalid");
    } else if (test["seq"] != 0) {
      ++results["sequence that the receiver counts itself"];
      EXPECT_EQ(test["result"], "invalid");
    } else {
      const bool opens = Opens(*kem, test);
      EXPECT_EQ(opens, test["result"] == "valid") << test["tcId"] << test["why"];
      ++results[opens ? "opened" : "refused"];
    }
  }
  const std::map<std::string, int> expected = {{"opened", 3},
                                               {"refused", 66},
                                               {"sequence that the receiver counts itself", 3},
                                               {"suite that does not exist here", 12}};
  EXPECT_EQ(results, expected);
}

}  // namespace
}  // namespace latchkey::vectors
