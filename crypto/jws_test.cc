#include "crypto/jws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace latchkey::crypto {
namespace {

using ::testing::HasSubstr;

std::string Token(std::string_view header, std::string_view payload = "{}") {
  return absl::StrCat(Base64UrlEncode(AsBytes(header)), ".", Base64UrlEncode(AsBytes(payload)),
                      ".c2ln");
}

absl::Status Parse(std::string_view token) {
  return ParseCompactJwsUnverified(token, 1 << 16).status();
}

void ExpectMalformed(std::string_view token, const std::string& fault) {
  const absl::Status status = Parse(token);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << token;
  EXPECT_THAT(std::string(status.message()), HasSubstr(fault)) << token;
}

TEST(Jws, PartsAreDecoded) {
  const std::string token = Token(R"({"alg":"RS256","kid":"k1","typ":"JWT"})", R"({"iss":"i"})");
  const absl::StatusOr<ParsedJws> jws = ParseCompactJwsUnverified(token, token.size());
  ASSERT_TRUE(jws.ok()) << jws.status();
  EXPECT_EQ(jws->algorithm, "RS256");
  EXPECT_EQ(jws->kid, "k1");
  EXPECT_EQ(jws->header["typ"], "JWT");
  EXPECT_EQ(jws->payload, R"({"iss":"i"})");
  EXPECT_EQ(jws->signature, "sig");
  EXPECT_EQ(jws->signing_input + ".c2ln", token);
}

TEST(Jws, TokensOfTheMaximalSizePassAndLongerOnesDoNot) {
  const std::string token = Token(R"({"alg":"RS256"})");
  EXPECT_TRUE(ParseCompactJwsUnverified(token, token.size()).ok());
  EXPECT_FALSE(ParseCompactJwsUnverified(token, token.size() - 1).ok());
}

TEST(Jws, TokensHaveThreePartsAndNothingAround) {
  const std::string token = Token(R"({"alg":"RS256"})");
  EXPECT_TRUE(Parse(token).ok());
  ExpectMalformed("", "fewer than three parts");
  ExpectMalformed("a", "fewer than three parts");
  ExpectMalformed("a.b", "fewer than three parts");
  ExpectMalformed(token + ".", "more than three parts");
  ExpectMalformed(token + ".a.b", "more than three parts");
  ExpectMalformed(std::string(60000, '.'), "more than three parts");
  ExpectMalformed(" " + token, "header");
  ExpectMalformed(token + "\n", "signature");
  ExpectMalformed("Bearer " + token, "header");
  ExpectMalformed(token + std::string(1, '\0'), "signature");
  ExpectMalformed(R"({"payload":"e30","protected":"e30","signature":""})", "fewer than three");
}

TEST(Jws, PartsAreStrictBase64Url) {
  const std::string header = Base64UrlEncode(AsBytes(R"({"alg":"RS256"})"));
  EXPECT_TRUE(Parse(header + ".Zg.Zg").ok());
  ExpectMalformed(header + ".Zg==.Zg", "payload");
  ExpectMalformed(header + ".Zh.Zg", "payload: base64url: unused bits");
  ExpectMalformed(header + ".Zg.Zh", "signature: base64url: unused bits");
  ExpectMalformed(header + ".Z+g.Zg", "payload");
  ExpectMalformed(header + ".Zg.Zgggg", "signature");
  ExpectMalformed(header + "=.Zg.Zg", "header");
}

TEST(Jws, HeadersAreObjectsOfStrictJson) {
  EXPECT_TRUE(Parse(Token(R"({"alg":"RS256"})")).ok());
  for (const char* header : {"[]", "\"RS256\"", "7", "null"}) {
    ExpectMalformed(Token(header), "not a JSON object");
  }
  ExpectMalformed(Token(""), "header: JSON");
  ExpectMalformed(Token(R"({"alg":"none","alg":"RS256"})"), "duplicate member name");
  ExpectMalformed(Token(R"({"alg":"RS256","\u0061lg":"none"})"), "duplicate member name");
  ExpectMalformed(Token("\xef\xbb\xbf{\"alg\":\"RS256\"}"), "byte order mark");
}

TEST(Jws, AlgKidAndTypAreStrings) {
  EXPECT_TRUE(Parse(Token(R"({"alg":"RS256","kid":"k","typ":"JWT"})")).ok());
  ExpectMalformed(Token(R"({"kid":"k"})"), "header has no alg");
  ExpectMalformed(Token(R"({"alg":null})"), "alg is not a string");
  ExpectMalformed(Token(R"({"alg":["RS256"]})"), "alg is not a string");
  ExpectMalformed(Token(R"({"alg":"RS256","kid":7})"), "kid is not a string");
  ExpectMalformed(Token(R"({"alg":"RS256","kid":["k"]})"), "kid is not a string");
  ExpectMalformed(Token(R"({"alg":"RS256","kid":""})"), "kid is empty");
  ExpectMalformed(Token(R"({"alg":"RS256","typ":1})"), "typ is not a string");
}

TEST(Jws, ExtensionsAreRefused) {
  EXPECT_TRUE(Parse(Token(R"({"alg":"RS256","jku":"https://issuer.example/certs"})")).ok());
  ExpectMalformed(Token(R"({"alg":"RS256","crit":["exp"],"exp":1})"), "crit is refused");
  ExpectMalformed(Token(R"({"alg":"RS256","crit":[]})"), "crit is refused");
  ExpectMalformed(Token(R"({"alg":"RS256","zip":"DEF"})"), "zip is refused");
  ExpectMalformed(Token(R"({"alg":"RS256","b64":false})"), "b64 is refused");
}

TEST(Jws, OnlyAsymmetricRegisteredAlgorithmsHaveAMeaning) {
  EXPECT_EQ(JoseAlgorithm("RS256"), SignatureAlgorithm::kRsaPkcs1Sha256);
  EXPECT_EQ(JoseAlgorithm("PS384"), SignatureAlgorithm::kRsaPssSha384);
  EXPECT_EQ(JoseAlgorithm("ES512"), SignatureAlgorithm::kEcdsaP521Sha512);
  EXPECT_EQ(JoseAlgorithm("EdDSA"), SignatureAlgorithm::kEd25519);
  for (const char* name : {"none", "None", "nOnE", "", " RS256", "RS256\n", "rs256", "HS256",
                           "HS384", "HS512", "ES256K", "ES521", "Ed448", "ML-DSA-65", "RSA-OAEP"}) {
    EXPECT_EQ(JoseAlgorithm(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace latchkey::crypto
