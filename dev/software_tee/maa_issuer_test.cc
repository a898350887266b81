#include "dev/software_tee/maa_issuer.h"

#include "crypto/digest.h"
#include "crypto/jws.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace latchkey::dev {
namespace {

using nlohmann::json;

const MaaIssuer& Issuer() {
  static const MaaIssuer& issuer = *new MaaIssuer(MaaIssuer::Create());
  return issuer;
}

MaaTokenFields Fields() {
  MaaTokenFields fields;
  fields.issued_at = absl::FromUnixSeconds(1780272000);
  fields.recipient_modulus = Issuer().key().public_key().RsaModulus();
  fields.nonce = "nonce";
  return fields;
}

TEST(MaaIssuer, TokenVerifiesWithThePublishedKeySet) {
  const auto jwks = crypto::ParseJwks(Issuer().Jwks());
  ASSERT_TRUE(jwks.ok()) << jwks.status();
  const auto jws = crypto::ParseCompactJwsUnverified(Issuer().MintToken(Fields()), 65536);
  ASSERT_TRUE(jws.ok()) << jws.status();
  EXPECT_EQ(jws->kid, jwks->keys[0].kid);
  EXPECT_TRUE(crypto::VerifySignature(jwks->keys[0].key,
                                      crypto::SignatureAlgorithm::kRsaPkcs1Sha256,
                                      AsBytes(jws->signing_input), AsBytes(jws->signature))
                  .ok());
}

TEST(MaaIssuer, NestedRuntimeHashesToTheReportData) {
  const json payload = json::parse(Issuer().Payload(Fields()));
  const json& tee = payload["x-ms-isolation-tee"];
  const std::string text = RuntimeText(Fields());
  EXPECT_EQ(json::parse(text), tee["x-ms-runtime"]);
  EXPECT_EQ(tee["x-ms-sevsnpvm-reportdata"],
            HexEncode(crypto::Sha256(AsBytes(text))) + std::string(64, '0'));
}

TEST(MaaIssuer, NonceIsEncodedOnceAndLeftOutWhenAbsent) {
  MaaTokenFields fields = Fields();
  EXPECT_EQ(json::parse(Issuer().Payload(fields))["x-ms-runtime"]["client-payload"]["nonce"],
            "bm9uY2U=");
  fields.nonce.reset();
  EXPECT_FALSE(json::parse(Issuer().Payload(fields))["x-ms-runtime"].contains("client-payload"));
}

TEST(MaaIssuer, ReloadedKeyHasTheSameKid) {
  const SecretBytes pem = Issuer().ToPem();
  const auto reloaded = MaaIssuer::FromPem(Issuer().issuer(), AsText(pem.view()));
  ASSERT_TRUE(reloaded.ok()) << reloaded.status();
  EXPECT_EQ(reloaded->kid(), Issuer().kid());
}

}  // namespace
}  // namespace latchkey::dev
