#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "crypto/jws.h"
#include "crypto/x509.h"

namespace latchkey::crypto {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The generator of P-256 as a JWK, with `members` put in.
std::string EcKey(const std::string& members) {
  return absl::StrCat(R"({"kty":"EC","crv":"P-256",)"
                      R"("x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",)"
                      R"("y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU")",
                      members, "}");
}

std::string RsaKey(size_t bits, const std::string& members) {
  Bytes modulus(bits / 8, '\x5b');
  modulus[0] = '\x9d';
  return absl::StrCat(R"({"kty":"RSA","e":"AQAB","n":")", Base64UrlEncode(AsBytes(modulus)), "\"",
                      members, "}");
}

absl::StatusOr<Jwks> Parse(const std::vector<std::string>& keys) {
  return ParseJwks(absl::StrCat(R"({"keys":[)", absl::StrJoin(keys, ","), "]}"));
}

// Parses `key` beside a good one, so that leaving it out can be told from refusing the set.
absl::StatusOr<Jwks> ParseBesideGood(const std::string& key) {
  return Parse({EcKey(R"(,"kid":"good")"), key});
}

void ExpectLeftOut(const std::string& key, const std::string& why) {
  const absl::StatusOr<Jwks> jwks = ParseBesideGood(key);
  ASSERT_TRUE(jwks.ok()) << jwks.status();
  EXPECT_EQ(jwks->keys.size(), 1u) << key;
  EXPECT_THAT(jwks->warnings, ElementsAre(HasSubstr(why)));
}

void ExpectSetRefused(const std::string& key, const std::string& why) {
  EXPECT_THAT(std::string(ParseBesideGood(key).status().message()), HasSubstr(why)) << key;
}

TEST(Jwks, KeysOfEveryKindAreRead) {
  const absl::StatusOr<Jwks> jwks =
      Parse({RsaKey(2048, R"(,"kid":"r","use":"sig")"), EcKey(R"(,"kid":"e","alg":"ES256")"),
             R"({"kty":"OKP","crv":"Ed25519","kid":"o","key_ops":["verify"],)"
             R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"});
  ASSERT_TRUE(jwks.ok()) << jwks.status();
  EXPECT_THAT(jwks->warnings, IsEmpty());
  ASSERT_EQ(jwks->keys.size(), 3u);
  EXPECT_EQ(jwks->keys[0].kid, "r");
  EXPECT_EQ(jwks->keys[0].key.kind(), KeyKind::kRsa);
  EXPECT_EQ(jwks->keys[0].algorithm, std::nullopt);
  EXPECT_EQ(jwks->keys[1].algorithm, SignatureAlgorithm::kEcdsaP256Sha256);
  EXPECT_EQ(jwks->keys[2].key.kind(), KeyKind::kEd25519);
}

TEST(Jwks, SetsWithPrivateOrSymmetricMembersAreRefusedWhole) {
  ASSERT_TRUE(ParseBesideGood(EcKey(R"(,"kid":"k")")).ok());
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    ExpectSetRefused(EcKey(absl::StrCat(R"(,"kid":"k",")", name, R"(":"AQAB")")), "private member");
  }
  ExpectSetRefused(R"({"kty":"oct","kid":"k"})", "symmetric key");
}

TEST(Jwks, DuplicateKidsAreRefused) {
  EXPECT_TRUE(ParseBesideGood(EcKey(R"(,"kid":"other")")).ok());
  ExpectSetRefused(EcKey(R"(,"kid":"good")"), "kid good occurs twice");
  ExpectSetRefused(EcKey(R"(,"kid":"good","use":"enc")"), "kid good occurs twice");
}

TEST(Jwks, WeakRsaKeysAreLeftOut) {
  EXPECT_EQ(ParseBesideGood(RsaKey(2048, R"(,"kid":"k")"))->keys.size(), 2u);
  ExpectLeftOut(RsaKey(1024, R"(,"kid":"k")"), "key k is left out: RSA key of 1024 bits");
  ExpectLeftOut(RsaKey(16384, R"(,"kid":"k")"), "at most 8192");
}

TEST(Jwks, KeysForOtherUsesAreLeftOut) {
  EXPECT_EQ(ParseBesideGood(EcKey(R"(,"kid":"k","use":"sig","key_ops":["verify"])"))->keys.size(),
            2u);
  ExpectLeftOut(EcKey(R"(,"kid":"k","use":"enc")"), "use is not sig");
  ExpectLeftOut(EcKey(R"(,"kid":"k","use":["sig"])"), "use: not a string");
  ExpectLeftOut(EcKey(R"(,"kid":"k","key_ops":["sign"])"), "key_ops");
  ExpectLeftOut(EcKey(R"(,"kid":"k","key_ops":["verify","verify"])"), "key_ops");
  ExpectLeftOut(EcKey(R"(,"kid":"k","key_ops":"verify")"), "key_ops");
}

TEST(Jwks, AlgMustBeAsymmetricAndFitTheKey) {
  EXPECT_EQ(ParseBesideGood(EcKey(R"(,"kid":"k","alg":"ES256")"))->keys.size(), 2u);
  ExpectLeftOut(EcKey(R"(,"kid":"k","alg":"ES384")"), "alg does not fit");
  ExpectLeftOut(EcKey(R"(,"kid":"k","alg":"RS256")"), "alg does not fit");
  ExpectLeftOut(EcKey(R"(,"kid":"k","alg":"HS256")"), "not an asymmetric");
  ExpectLeftOut(EcKey(R"(,"kid":"k","alg":"none")"), "not an asymmetric");
}

TEST(Jwks, BrokenPointsAndUnknownCurvesAreLeftOut) {
  ExpectLeftOut(R"({"kty":"EC","crv":"P-256","kid":"k",)"
                R"("x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",)"
                R"("y":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"})",
                "no point of its curve");
  ExpectLeftOut(R"({"kty":"EC","crv":"P-256","kid":"k","x":"AQ","y":"AQ"})", "full size");
  ExpectLeftOut(R"({"kty":"EC","crv":"secp256k1","kid":"k","x":"AQ","y":"AQ"})", "curve");
  ExpectLeftOut(R"({"kty":"OKP","crv":"X25519","kid":"k","x":"AQ"})", "not Ed25519");
  ExpectLeftOut(R"({"kty":"new","kid":"k"})", "kty is not");
}

TEST(Jwks, CertificatesCountWhereNumbersAreAbsent) {
  const PrivateKey key = PrivateKey::GenerateRsa(2048);
  const Certificate certificate = MakeCertificate({.common_name = "issuer",
                                                   .not_before = absl::FromUnixSeconds(1700000000),
                                                   .not_after = absl::FromUnixSeconds(1800000000)},
                                                  key.public_key(), nullptr, key)
                                      .value();
  const std::string x5c = Base64Encode(certificate.der());
  const absl::StatusOr<Jwks> jwks =
      ParseBesideGood(absl::StrCat(R"({"kty":"RSA","kid":"k","x5c":[")", x5c, R"("]})"));
  ASSERT_TRUE(jwks.ok()) << jwks.status();
  ASSERT_EQ(jwks->keys.size(), 2u);
  EXPECT_EQ(jwks->keys[1].key.SpkiDer(), key.public_key().SpkiDer());
  ExpectLeftOut(R"({"kty":"RSA","kid":"k","x5c":[]})", "neither n and e nor x5c");
  ExpectLeftOut(R"({"kty":"RSA","kid":"k","x5c":["AAAA"]})", "not an X.509 certificate");
  ExpectLeftOut(R"({"kty":"RSA","kid":"k"})", "neither n and e nor x5c");
  ExpectLeftOut(absl::StrCat(R"({"kty":"RSA","kid":"k","e":"AQAB","x5c":[")", x5c, R"("]})"),
                "n: missing");
}

TEST(Jwks, SetsWithoutAUsableKeyOrOfTheWrongShapeAreRefused) {
  EXPECT_TRUE(Parse({EcKey("")}).ok());
  EXPECT_FALSE(Parse({}).ok());
  EXPECT_FALSE(Parse({EcKey(R"(,"use":"enc")")}).ok());
  EXPECT_FALSE(Parse({"7"}).ok());
  EXPECT_FALSE(ParseJwks("<html></html>").ok());
  EXPECT_FALSE(ParseJwks("[]").ok());
  EXPECT_FALSE(ParseJwks(R"({"keys":{}})").ok());
  EXPECT_FALSE(ParseJwks(absl::StrCat(R"({"keys":[],"keys":[)", EcKey(""), "]}")).ok());
  EXPECT_FALSE(Parse({EcKey(R"(,"kid":7)")}).ok());
  EXPECT_FALSE(Parse({EcKey(R"(,"kid":"")")}).ok());
}

TEST(Jwks, HundredKeysPassAndOneMoreIsRefused) {
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back(EcKey(absl::StrCat(R"(,"kid":")", i, "\"")));
  EXPECT_EQ(Parse(keys)->keys.size(), 100u);
  keys.push_back(EcKey(R"(,"kid":"one more")"));
  EXPECT_THAT(std::string(Parse(keys).status().message()), HasSubstr("101 keys; at most 100"));
}

}  // namespace
}  // namespace latchkey::crypto
