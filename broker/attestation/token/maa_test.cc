#include "broker/attestation/token/maa.h"

#include "broker/attestation/test_evidence.h"

namespace latchkey::attestation {
namespace {

using policy::BytesValue;

absl::StatusOr<AttestationResult> Appraise(const dev::MaaTokenFields& fields,
                                           const std::optional<ExpectedBinding>& expected) {
  return TestVerifiers().Appraise(TokenEvidence(Maa().MintToken(fields)), expected, kNow);
}

TEST(Maa, GuestTokenIsAcceptedAndBindsTheVtpmKey) {
  const std::string token = Maa().MintToken(TestToken());
  const auto result = TestVerifiers().Appraise(TokenEvidence(token), TestBinding(), kNow);
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(result->binding(), Binding::kTokenKey);
  EXPECT_EQ(result->freshness(), Freshness::kChallengeEchoed);
  EXPECT_EQ(result->evidence_digest(), crypto::Sha256(AsBytes(token)));
  EXPECT_EQ(result->claims().source(), "maa-test");
  EXPECT_EQ(ClaimOf<std::string>(*result, "attestation.binding"), "token_key");
  EXPECT_EQ(ClaimOf<std::string>(*result, "attestation.freshness"), "challenge_echoed");
  EXPECT_EQ(ClaimOf<std::string>(*result, "attestation.issuer"), Maa().issuer());
  EXPECT_EQ(ClaimOf<absl::Time>(*result, "attestation.evidence_time"), kNow - absl::Minutes(1));
  EXPECT_EQ(ClaimOf<std::string>(*result, "tee.type"), "snp");
  EXPECT_FALSE(ClaimOf<bool>(*result, "tee.debug"));
  EXPECT_EQ(ClaimOf<BytesValue>(*result, "snp.measurement").bytes, Bytes(48, '\x4d'));
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.microcode"), 219);
  EXPECT_EQ(ClaimOf<std::string>(*result, "azure.vm_id"), TestToken().vm_id);
  EXPECT_EQ(ClaimOf<BytesValue>(*result, "azure.user_data").bytes, Bytes(64, '\0'));
  EXPECT_TRUE(ClaimOf<bool>(*result, "azure.secure_boot"));
  EXPECT_EQ(ClaimOf<std::string>(*result, "azure.compliance_status"), "azure-compliant-cvm");
  EXPECT_EQ(ClaimOf<BytesValue>(*result, "maa.policy_hash").bytes.size(), 32);
  EXPECT_EQ(result->claims().Find("snp.author_key_digest"), nullptr);
}

TEST(Maa, RawTokenHoldsScalarsByPath) {
  const auto result = Appraise(TestToken(), TestBinding());
  ASSERT_THAT(result, IsAccepted());
  const policy::Value* vmpl =
      result->claims().FindRawToken("x-ms-isolation-tee.x-ms-sevsnpvm-vmpl");
  ASSERT_NE(vmpl, nullptr);
  EXPECT_EQ(*vmpl, policy::Value(0));
  EXPECT_NE(result->claims().FindRawToken("x-ms-azurevm-is-windows"), nullptr);
  EXPECT_EQ(result->claims().FindRawToken("x-ms-azurevm-attested-pcrs"), nullptr);  // an array
}

TEST(Maa, DebuggableGuestIsAClaimForThePolicy) {
  dev::MaaTokenFields fields = TestToken();
  fields.debug = true;
  const auto result = Appraise(fields, TestBinding());
  ASSERT_THAT(result, IsAccepted());
  EXPECT_TRUE(ClaimOf<bool>(*result, "tee.debug"));
}

TEST(Maa, InspectionWithoutBindingBindsNothing) {
  dev::MaaTokenFields fields = TestToken();
  fields.nonce = "of another session";
  const auto result = Appraise(fields, std::nullopt);
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(result->binding(), Binding::kNone);
  EXPECT_EQ(result->freshness(), Freshness::kNone);
}

TEST(Maa, TokenWithoutNonceIsBoundButNotFresh) {
  for (const auto& nonce : {std::optional<std::string>(), std::optional<std::string>("")}) {
    dev::MaaTokenFields fields = TestToken();
    fields.nonce = nonce;
    const auto result = Appraise(fields, TestBinding());
    ASSERT_THAT(result, IsAccepted());
    EXPECT_EQ(result->binding(), Binding::kTokenKey);
    EXPECT_EQ(result->freshness(), Freshness::kNone);
    EXPECT_EQ(ClaimOf<std::string>(*result, "attestation.freshness"), "none");
  }
}

TEST(Maa, AnotherNonceIsRefusedInEveryForm) {
  const ExpectedBinding binding = TestBinding();
  const std::string text = Base64UrlEncode(binding.platform_key_nonce);
  for (const std::string& nonce :
       {std::string("ADE0101"), text.substr(0, 8), text.substr(0, text.size() - 1), text + "=",
        Base64Encode(AsBytes(text)),  // encoded twice
        Base64Encode(binding.platform_key_nonce), HexEncode(binding.platform_key_nonce),
        Base64UrlEncode(binding.nonce), ToBytes(binding.platform_key_nonce)}) {
    dev::MaaTokenFields fields = TestToken();
    fields.nonce = nonce;
    EXPECT_THAT(Appraise(fields, binding), RefusedAs("NONCE_MISMATCH")) << nonce;
  }
  EXPECT_THAT(Appraise(TestToken(), binding), IsAccepted());
}

TEST(Maa, OnlyTheVtpmKeyOfTheTokenIsARecipient) {
  ExpectedBinding binding = TestBinding();
  binding.rsa_recipient_spki = Maa().key().public_key().SpkiDer();
  EXPECT_THAT(Appraise(TestToken(), binding), RefusedAs("KEY_BINDING"));
  binding.rsa_recipient_spki = "not a key";
  EXPECT_THAT(Appraise(TestToken(), binding), RefusedAs("KEY_BINDING"));
  binding.rsa_recipient_spki.clear();  // an HPKE recipient, which such a token does not bind
  EXPECT_THAT(Appraise(TestToken(), binding), RefusedAs("KEY_BINDING"));
  EXPECT_THAT(Appraise(TestToken(), TestBinding()), IsAccepted());
}

TEST(Maa, DatesHoldToTheSecondWithAMinuteOfSkew) {
  const dev::MaaTokenFields fields = TestToken();
  const std::string token = Maa().MintToken(fields);
  const absl::Time expires = fields.issued_at + fields.lifetime;
  const auto at = [&](absl::Time now) {
    return TestVerifiers().Appraise(TokenEvidence(token), TestBinding(), now);
  };
  EXPECT_THAT(at(expires + absl::Seconds(59)), IsAccepted());
  EXPECT_THAT(at(expires + absl::Seconds(60)), RefusedAs("TIME_INVALID"));
  EXPECT_THAT(at(fields.issued_at - absl::Seconds(60)), IsAccepted());
  EXPECT_THAT(at(fields.issued_at - absl::Seconds(61)), RefusedAs("TIME_INVALID"));
}

TEST(Maa, PinnedPolicyHashIsCompared) {
  AuthorityConfig authority = MaaAuthority();
  const std::string other = Base64UrlEncode(crypto::Sha256(AsBytes("another policy")));
  const auto appraise = [&](std::vector<std::string> hashes) {
    authority.policy_hashes = std::move(hashes);
    return MakeVerifiers({authority}, {})
        .value()
        ->Appraise(TokenEvidence(Maa().MintToken(TestToken())), TestBinding(), kNow);
  };
  EXPECT_THAT(appraise({other}), RefusedAs("CLAIMS_MISMATCH"));
  EXPECT_THAT(appraise({other, dev::MaaIssuer::PolicyHash()}), IsAccepted());
  EXPECT_THAT(appraise({}), IsAccepted());
}

// All customers of a region share one signing key; the name in `iss` is all that tells them apart.
TEST(Maa, SameKeyUnderAnotherIssuerIsUnknown) {
  const auto pem = Maa().ToPem();
  const auto neighbour =
      dev::MaaIssuer::FromPem("https://neighbour.latchkey.dev", AsText(pem.view()));
  ASSERT_TRUE(neighbour.ok());
  ASSERT_EQ(neighbour->kid(), Maa().kid());
  EXPECT_THAT(TestVerifiers().Appraise(TokenEvidence(neighbour->MintToken(TestToken())),
                                       TestBinding(), kNow),
              RefusedAs("ISSUER_UNKNOWN"));
}

}  // namespace
}  // namespace latchkey::attestation
