// Certificates, key sets and tokens that real vendors made.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/jws.h"
#include "crypto/x509.h"
#include "tests/vectors/vector_files.h"

namespace latchkey::vectors {
namespace {

using crypto::Certificate;
using Strength = Certificate::Strength;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Certificate> ReadCertificates(const std::string& path) {
  const auto bytes = ReadVectorFile(path);
  EXPECT_TRUE(bytes.has_value()) << path;
  if (bytes->find("-----BEGIN") != Bytes::npos) {
    auto chain = Certificate::ParsePem(*bytes);
    EXPECT_TRUE(chain.ok()) << path << ": " << chain.status();
    return *std::move(chain);
  }
  auto certificate = Certificate::ParseDer(AsBytes(*bytes));
  EXPECT_TRUE(certificate.ok()) << path << ": " << certificate.status();
  return {*std::move(certificate)};
}

struct Chain {
  const char* leaf;
  const char* roots;
  const char* root_fingerprint;
};
constexpr char kMilan[] = "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd";
constexpr char kGenoa[] = "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1";
constexpr char kTurin[] = "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a";

TEST(AmdCertificates, RealChainsVerifyToTheirRoots) {
  SKIP_WITHOUT(ReadVectorFile("snp/README.md"), "snp");
  for (const Chain& chain : {Chain{"milan_v2.vcek.der", "milan_ask_ark.pem", kMilan},
                             Chain{"milan_v2_debug.vcek.pem", "milan_ask_ark.pem", kMilan},
                             Chain{"milan_v2_virtee.vcek.der", "milan_ask_ark.pem", kMilan},
                             Chain{"milan_v3_aci.vcek.pem", "milan_ask_ark.pem", kMilan},
                             Chain{"milan_v3_vlek_aws.vlek.der", "milan_asvk_ark.pem", kMilan},
                             Chain{"bergamo_v5.vcek.der", "genoa_ask_ark.pem", kGenoa},
                             Chain{"turin_other_chip.vcek.der", "turin_ask_ark.pem", kTurin}}) {
    const Certificate leaf = ReadCertificates(std::string("snp/") + chain.leaf).front();
    const auto roots = ReadCertificates(std::string("snp/roots/") + chain.roots);
    ASSERT_EQ(roots.size(), 2u);
    EXPECT_EQ(leaf.public_key().kind(), crypto::KeyKind::kP384);
    EXPECT_FALSE(leaf.is_ca());
    EXPECT_TRUE(roots[0].is_ca() && roots[1].is_ca());
    EXPECT_EQ(HexEncode(AsBytes(roots[1].Sha256Fingerprint())), chain.root_fingerprint);
    EXPECT_TRUE(leaf.VerifySignedBy(roots[0], Strength::kPss384).ok()) << chain.leaf;
    EXPECT_TRUE(roots[0].VerifySignedBy(roots[1], Strength::kPss384).ok()) << chain.leaf;
    EXPECT_TRUE(roots[1].VerifySignedBy(roots[1], Strength::kPss384).ok()) << chain.leaf;
    EXPECT_FALSE(leaf.VerifySignedBy(roots[1], Strength::kPss384).ok()) << chain.leaf;
  }
}

TEST(AmdCertificates, LeafExtensionsDecode) {
  SKIP_WITHOUT(ReadVectorFile("snp/README.md"), "snp");
  const Certificate leaf = ReadCertificates("snp/milan_v2.vcek.der").front();
  const auto product = leaf.Extension("1.3.6.1.4.1.3704.1.2");
  ASSERT_TRUE(product.ok() && product->has_value());
  EXPECT_EQ(crypto::ParseDerIa5String(AsBytes(**product)).value(), "Milan-B0");
  const auto microcode = leaf.Extension("1.3.6.1.4.1.3704.1.3.8");
  ASSERT_TRUE(microcode.ok() && microcode->has_value());
  EXPECT_EQ(crypto::ParseDerInteger(AsBytes(**microcode)).value(), 115);
  EXPECT_EQ(leaf.subject_common_name(), "SEV-VCEK");
  EXPECT_EQ(leaf.not_after() - leaf.not_before(), absl::Hours(24) * 365 * 7 + absl::Hours(24) * 2);
}

TEST(AmdCertificates, ForgedLeavesDoNotVerify) {
  SKIP_WITHOUT(ReadVectorFile("snp/README.md"), "snp");
  const auto roots = ReadCertificates("snp/roots/milan_ask_ark.pem");
  EXPECT_TRUE(ReadCertificates("snp/milan_v2.vcek.der")[0]
                  .VerifySignedBy(roots[0], Strength::kPss384)
                  .ok());
  for (const char* name :
       {"milan_v2.wrong_vcek_legacy.der", "milan_v2.wrong_vcek_octetstring.der"}) {
    EXPECT_EQ(ReadCertificates(std::string("snp/") + name)[0]
                  .VerifySignedBy(roots[0], Strength::kPss384)
                  .code(),
              absl::StatusCode::kUnauthenticated);
  }
}

absl::StatusOr<crypto::Jwks> ReadJwks(const std::string& name) {
  return crypto::ParseJwks(ReadVectorFile("maa/jwks/" + name).value());
}

TEST(MaaKeySets, PublishedSetsLoad) {
  SKIP_WITHOUT(ReadVectorFile("maa/README.md"), "maa");
  const std::pair<const char*, size_t> sets[] = {{"sharedwus-20220531.json", 3},
                                                 {"othertenant-wus-20220531.json", 3},
                                                 {"sharedeus2-recovered.json", 1}};
  for (const auto& [name, count] : sets) {
    const auto jwks = ReadJwks(name);
    ASSERT_TRUE(jwks.ok()) << name << ": " << jwks.status();
    EXPECT_EQ(jwks->keys.size(), count) << name;
    EXPECT_THAT(jwks->warnings, IsEmpty()) << name;
  }
}

TEST(MaaKeySets, KeysOf1024BitsAreLeftOut) {
  SKIP_WITHOUT(ReadVectorFile("maa/README.md"), "maa");
  const std::pair<const char*, size_t> sets[] = {{"sharedweu-202304.json", 1},
                                                 {"sharedwus-20220217.json", 3}};
  for (const auto& [name, count] : sets) {
    const auto jwks = ReadJwks(name);
    ASSERT_TRUE(jwks.ok()) << name << ": " << jwks.status();
    EXPECT_EQ(jwks->keys.size(), count) << name;
    EXPECT_THAT(jwks->warnings, ElementsAre(HasSubstr("RSA key of 1024 bits"))) << name;
  }
  // The same text with comments is no JSON.
  EXPECT_FALSE(ReadJwks("sharedweu-202304.jsonc").ok());
}

// Whether the token's signature is by the key of the set that its kid names.
bool IsSignedBy(const std::string& token_name, const std::string& jwks_name) {
  Bytes token = ReadVectorFile("maa/tokens/" + token_name).value();
  while (token.ends_with('\n')) token.pop_back();
  const auto jws = crypto::ParseCompactJwsUnverified(token, 64 << 10);
  EXPECT_TRUE(jws.ok()) << token_name << ": " << jws.status();
  const auto jwks = ReadJwks(jwks_name);
  EXPECT_TRUE(jwks.ok()) << jwks.status();
  const auto algorithm = crypto::JoseAlgorithm(jws->algorithm);
  const auto jwk = std::ranges::find(jwks->keys, jws->kid, &crypto::Jwk::kid);
  return algorithm.has_value() && jwk != jwks->keys.end() &&
         crypto::VerifySignature(jwk->key, *algorithm, AsBytes(jws->signing_input),
                                 AsBytes(jws->signature))
             .ok();
}

TEST(MaaTokens, VerifyByTheKeysOfTheirIssuer) {
  SKIP_WITHOUT(ReadVectorFile("maa/README.md"), "maa");
  EXPECT_TRUE(IsSignedBy("cvm-snp-linux-sharedwus-202209.jwt", "sharedwus-20220531.json"));
  EXPECT_TRUE(IsSignedBy("cvm-snp-linux-sharedweu-202212.jwt", "sharedweu-202304.json"));
  EXPECT_TRUE(IsSignedBy("cvm-snp-linux-sharedeus2-202512.jwt", "sharedeus2-recovered.json"));
  EXPECT_TRUE(IsSignedBy("sgx-runtimejson-sharedwus-202205.jwt", "sharedwus-20220531.json"));
  EXPECT_FALSE(IsSignedBy("cvm-snp-linux-sharedwus-202209.jwt", "sharedweu-202304.json"));
  // Genuine, but with alg none.
  EXPECT_FALSE(
      IsSignedBy("sgx-draftpolicy-ALGNONE-sharedwus-202205.jwt", "sharedwus-20220531.json"));
}

}  // namespace
}  // namespace latchkey::vectors
