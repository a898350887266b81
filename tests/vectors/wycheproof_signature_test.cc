#include <gtest/gtest.h>

#include "crypto/signature.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/wycheproof.h"

namespace latchkey::vectors {
namespace {

using crypto::PublicKey;
using crypto::SignatureAlgorithm;
using nlohmann::json;

using VerifyFunction = absl::Status (*)(const PublicKey&, SignatureAlgorithm, ByteView, ByteView);

// Verifies each test by the key in its group's SubjectPublicKeyInfo.
Check CheckSignature(SignatureAlgorithm algorithm,
                     VerifyFunction verify = crypto::VerifySignature) {
  return [=](const json& group, const json& test) {
    const Bytes der = HexMember(group, "publicKeyDer");
    const absl::StatusOr<PublicKey> key = PublicKey::FromSpkiDer(AsBytes(der));
    EXPECT_TRUE(key.ok()) << key.status();
    if (!key.ok()) return Accept(false);
    const Bytes message = HexMember(test, "msg");
    const Bytes signature = HexMember(test, "sig");
    return Accept(verify(*key, algorithm, AsBytes(message), AsBytes(signature)).ok());
  };
}

// The same by modulus and exponent, for a file whose keys are of type id-RSASSA-PSS.
Check CheckByNumbers(SignatureAlgorithm algorithm) {
  return [=](const json& group, const json& test) {
    const Bytes modulus = HexMember(group["publicKey"], "modulus");
    const Bytes exponent = HexMember(group["publicKey"], "publicExponent");
    const absl::StatusOr<PublicKey> key = PublicKey::FromRsa(AsBytes(modulus), AsBytes(exponent));
    EXPECT_TRUE(key.ok()) << key.status();
    if (!key.ok()) return Accept(false);
    const Bytes message = HexMember(test, "msg");
    const Bytes signature = HexMember(test, "sig");
    return Accept(
        crypto::VerifySignature(*key, algorithm, AsBytes(message), AsBytes(signature)).ok());
  };
}

TEST(Wycheproof, EcdsaP256Der) {
  RunWycheproof("ecdsa_secp256r1_sha256_test.json", {.tests = 484},
                CheckSignature(SignatureAlgorithm::kEcdsaP256Sha256, crypto::VerifyEcdsaDer));
}

TEST(Wycheproof, EcdsaP384Der) {
  RunWycheproof("ecdsa_secp384r1_sha384_test.json", {.tests = 504},
                CheckSignature(SignatureAlgorithm::kEcdsaP384Sha384, crypto::VerifyEcdsaDer));
}

TEST(Wycheproof, EcdsaP256FixedSize) {
  RunWycheproof("ecdsa_secp256r1_sha256_p1363_test.json", {.tests = 262},
                CheckSignature(SignatureAlgorithm::kEcdsaP256Sha256));
}

TEST(Wycheproof, EcdsaP521FixedSize) {
  RunWycheproof("ecdsa_secp521r1_sha512_p1363_test.json", {.tests = 318},
                CheckSignature(SignatureAlgorithm::kEcdsaP521Sha512));
}

TEST(Wycheproof, Ed25519) {
  RunWycheproof("ed25519_test.json", {.tests = 151}, CheckSignature(SignatureAlgorithm::kEd25519));
}

// Test 8 of each file, "acceptable", lacks the NULL of DigestInfo: refused.
TEST(Wycheproof, RsaPkcs1) {
  RunWycheproof("rsa_signature_2048_sha256_test.json", {.tests = 259},
                CheckSignature(SignatureAlgorithm::kRsaPkcs1Sha256));
  RunWycheproof("rsa_signature_3072_sha256_test.json", {.tests = 259},
                CheckSignature(SignatureAlgorithm::kRsaPkcs1Sha256));
  RunWycheproof("rsa_signature_3072_sha512_test.json", {.tests = 260},
                CheckSignature(SignatureAlgorithm::kRsaPkcs1Sha512));
  RunWycheproof("rsa_signature_4096_sha256_test.json", {.tests = 258},
                CheckSignature(SignatureAlgorithm::kRsaPkcs1Sha256));
  RunWycheproof("rsa_signature_4096_sha512_test.json", {.tests = 259},
                CheckSignature(SignatureAlgorithm::kRsaPkcs1Sha512));
}

TEST(Wycheproof, RsaPssWithSaltAsLongAsTheHash) {
  RunWycheproof("rsa_pss_2048_sha256_mgf1_32_test.json", {.tests = 108},
                CheckSignature(SignatureAlgorithm::kRsaPssSha256));
  RunWycheproof("rsa_pss_2048_sha384_mgf1_48_test.json", {.tests = 141},
                CheckSignature(SignatureAlgorithm::kRsaPssSha384));
  RunWycheproof("rsa_pss_3072_sha256_mgf1_32_params_test.json", {.tests = 108},
                CheckByNumbers(SignatureAlgorithm::kRsaPssSha256));
  RunWycheproof("rsa_pss_4096_sha256_mgf1_32_test.json", {.tests = 108},
                CheckSignature(SignatureAlgorithm::kRsaPssSha256));
  RunWycheproof("rsa_pss_4096_sha512_mgf1_64_test.json", {.tests = 179},
                CheckSignature(SignatureAlgorithm::kRsaPssSha512));
}

// Signatures that are right for other parameters must all fail under ours.
TEST(Wycheproof, RsaPssWithOtherSaltOrMaskIsRefused) {
  for (const char* file :
       {"rsa_pss_2048_sha256_mgf1_0_test.json", "rsa_pss_2048_sha256_mgf1sha1_20_test.json"}) {
    const auto vectors = ReadVectorJson(std::string("crypto/wycheproof/") + file);
    SKIP_WITHOUT(vectors, std::string("crypto/wycheproof/") + file);
    int seen = 0;
    for (const json& group : (*vectors)["testGroups"]) {
      for (const json& test : group["tests"]) {
        ++seen;
        // One test of the first file happens to carry our salt.
        EXPECT_EQ(CheckSignature(SignatureAlgorithm::kRsaPssSha256)(group, test).accepted,
                  test["comment"] == "s_len changed to 32" && group["sLen"] == 0)
            << file << " test " << test["tcId"];
      }
    }
    EXPECT_EQ(seen, (*vectors)["numberOfTests"]);
  }
}

TEST(Wycheproof, RsaOaepSha256) {
  const Check check = [](const json& group, const json& test) {
    const auto key = crypto::PrivateKey::FromPem(group["privateKeyPem"].get<std::string>());
    EXPECT_TRUE(key.ok()) << key.status();
    if (!key.ok()) return Accept(false);
    const Bytes ciphertext = HexMember(test, "ct");
    const auto plaintext = crypto::RsaOaepSha256Decrypt(*key, AsBytes(ciphertext));
    if (test["label"] != "") {
      EXPECT_FALSE(plaintext.ok()) << test["tcId"];
      return NotApplicable("label not empty");
    }
    return Accept(plaintext.ok() && AsText(plaintext->view()) == HexMember(test, "msg"));
  };
  RunWycheproof("rsa_oaep_2048_sha256_mgf1sha256_test.json",
                {.tests = 37, .not_applicable = {{"label not empty", 8}}}, check);
  RunWycheproof("rsa_oaep_3072_sha256_mgf1sha256_test.json",
                {.tests = 37, .not_applicable = {{"label not empty", 8}}}, check);
  RunWycheproof("rsa_oaep_4096_sha256_mgf1sha256_test.json",
                {.tests = 37, .not_applicable = {{"label not empty", 8}}}, check);
}

}  // namespace
}  // namespace latchkey::vectors
