#include "broker/attestation/verifier.h"

#include "broker/attestation/test_evidence.h"

namespace latchkey::attestation {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

absl::Status Load(AuthorityConfig authority) {
  return MakeVerifiers({std::move(authority)}, {}).status();
}

TEST(Verifiers, SourcesAreNamed) {
  EXPECT_THAT(TestVerifiers().sources(), ElementsAre("hardware", "maa-test"));
  SnpConfig disabled;
  disabled.enabled = false;
  EXPECT_THAT(MakeVerifiers({MaaAuthority()}, disabled).value()->sources(),
              ElementsAre("maa-test"));
}

TEST(Verifiers, MissingPolicyHashIsAWarning) {
  AuthorityConfig authority = MaaAuthority();
  EXPECT_THAT(MakeVerifiers({authority}, {}).value()->warnings(), IsEmpty());
  authority.policy_hashes.clear();
  EXPECT_THAT(MakeVerifiers({authority}, {}).value()->warnings(),
              Contains(HasSubstr("no policy hash")));
}

TEST(Verifiers, WrongDefinitionsAreRefused) {
  EXPECT_TRUE(Load(MaaAuthority()).ok());
  AuthorityConfig authority = MaaAuthority();
  authority.name = "hardware";
  EXPECT_EQ(Load(authority).code(), absl::StatusCode::kInvalidArgument);
  authority = MaaAuthority();
  authority.profile = "oidc";
  EXPECT_EQ(Load(authority).code(), absl::StatusCode::kInvalidArgument);
  for (const char* issuer : {"", "http://maa.example", "maa.example", "https://maa.example/"}) {
    authority = MaaAuthority();
    authority.issuer = issuer;
    EXPECT_EQ(Load(authority).code(), absl::StatusCode::kInvalidArgument) << issuer;
  }
  for (const char* jwks : {"", "{}", "{\"keys\":[]}", "<html>"}) {
    authority = MaaAuthority();
    authority.jwks = jwks;
    EXPECT_EQ(Load(authority).code(), absl::StatusCode::kInvalidArgument) << jwks;
  }
  authority = MaaAuthority();
  authority.policy_hashes = {"short"};
  EXPECT_EQ(Load(authority).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Verifiers, TwoAuthoritiesWithOneNameOrIssuerAreRefused) {
  AuthorityConfig second = MaaAuthority();
  second.issuer = "https://second.latchkey.dev";
  EXPECT_FALSE(MakeVerifiers({MaaAuthority(), second}, {}).ok());
  second = MaaAuthority();
  second.name = "second";
  EXPECT_FALSE(MakeVerifiers({MaaAuthority(), second}, {}).ok());
  second.issuer = "https://second.latchkey.dev";
  EXPECT_TRUE(MakeVerifiers({MaaAuthority(), second}, {}).ok());
}

crypto::Sha256Digest VouchedBy(const AuthorityConfig& authority) {
  return MakeVerifiers({authority}, {})
      .value()
      ->Appraise(TokenEvidence(Maa().MintToken(TestToken())), TestBinding(), kNow)
      .value()
      .verifier_digest();
}

TEST(Verifiers, DigestCoversTheAuthorityDefinition) {
  const crypto::Sha256Digest digest = VouchedBy(MaaAuthority());
  EXPECT_EQ(digest, VouchedBy(MaaAuthority()));
  AuthorityConfig other = MaaAuthority();
  other.name = "other";
  EXPECT_NE(digest, VouchedBy(other));
  other = MaaAuthority();
  other.policy_hashes.clear();
  EXPECT_NE(digest, VouchedBy(other));
  other = MaaAuthority();
  other.jwks += " ";
  EXPECT_NE(digest, VouchedBy(other));
}

TEST(Verifiers, DigestCoversTheRoots) {
  SnpConfig both = TrustingTee();
  both.extra_roots.push_back({"Milan", Stranger().ark(), {Stranger().ask()}});
  const Evidence evidence = SnpEvidence(Tee().SignReport(TestReport()), {Tee().vcek()});
  const auto with_both = MakeVerifiers({}, both).value()->Appraise(evidence, TestBinding(), kNow);
  const auto with_one = TestVerifiers().Appraise(evidence, TestBinding(), kNow);
  ASSERT_THAT(with_both, IsAccepted());
  ASSERT_THAT(with_one, IsAccepted());
  EXPECT_NE(with_both->verifier_digest(), with_one->verifier_digest());
}

}  // namespace
}  // namespace latchkey::attestation
