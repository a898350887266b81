// Genuine tokens of Microsoft Azure Attestation, each at a time inside its life.

#include "absl/strings/str_cat.h"
#include "broker/attestation/test_evidence.h"

namespace latchkey::attestation {
namespace {

Bytes Read(const std::string& name) { return ReadVector("maa/" + name).value_or(""); }

AuthorityConfig Region(const std::string& region, const std::string& jwks,
                       std::vector<std::string> hashes = {}) {
  return {absl::StrCat("maa-", region), "maa",
          absl::StrCat("https://shared", region, ".", region, ".attest.azure.net"),
          Read("jwks/" + jwks), std::move(hashes)};
}

absl::StatusOr<AttestationResult> Appraise(const AuthorityConfig& authority,
                                           const std::string& token, int64_t unix_time) {
  auto verifiers = MakeVerifiers({authority}, {});
  if (!verifiers.ok()) return verifiers.status();
  return (*verifiers)
      ->Appraise(TokenEvidence(Read("tokens/" + token)), std::nullopt,
                 absl::FromUnixSeconds(unix_time));
}

class RealTokens : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_VECTORS("maa/tokens/cvm-snp-linux-sharedwus-202209.jwt"); }
};

constexpr char kOldHash[] = "wm9mHlvTU82e8UqoOy1Yj1FBRSNkfe99-69IYDq9eWs";
constexpr char kNewHash[] = "QsNi9UE365SgcskuV_a4p-uFQyGlNcIlQkrsi0UIy7o";

struct RealToken {
  const char* token;
  const char* region;
  const char* jwks;
  const char* hash;
  int64_t issued_at;
  const char* vm_id;
  int64_t snp;
  bool has_user_data;
};

TEST_F(RealTokens, ConfidentialVmTokensVerifyInsideTheirLife) {
  const RealToken all[] = {
      {"cvm-snp-linux-sharedwus-202209.jwt", "wus", "sharedwus-20220531.json", kOldHash, 1662584687,
       "d3fd4b09-37a3-40d5-8f2a-ea80762213cc", 6, false},
      {"cvm-snp-linux-sharedweu-202212.jwt", "weu", "sharedweu-202304.json", kOldHash, 1671836418,
       nullptr, 0, false},
      {"cvm-snp-linux-sharedeus2-202512.jwt", "eus2", "sharedeus2-recovered.json", kNewHash,
       1765826648, "abd9ea99-d837-4f68-ad3e-c87c88006afa", 24, true},
  };
  for (const RealToken& real : all) {
    SCOPED_TRACE(real.token);
    const AuthorityConfig authority = Region(real.region, real.jwks, {real.hash});
    const auto result = Appraise(authority, real.token, real.issued_at + 3600);
    ASSERT_THAT(result, IsAccepted());
    EXPECT_EQ(ClaimOf<std::string>(*result, "tee.type"), "snp");
    EXPECT_FALSE(ClaimOf<bool>(*result, "tee.debug"));
    EXPECT_TRUE(ClaimOf<bool>(*result, "azure.secure_boot"));
    EXPECT_EQ(ClaimOf<std::string>(*result, "azure.ostype"), "Linux");
    if (real.vm_id != nullptr) {
      EXPECT_EQ(ClaimOf<std::string>(*result, "azure.vm_id"), real.vm_id);
      EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.snp"), real.snp);
    }
    EXPECT_EQ(result->claims().Find("azure.user_data") != nullptr, real.has_user_data);
    // Eight hours and a minute of skew later it is over, a minute before its time it has not begun.
    EXPECT_THAT(Appraise(authority, real.token, real.issued_at + 28859), IsAccepted());
    EXPECT_THAT(Appraise(authority, real.token, real.issued_at + 28860), RefusedAs("TIME_INVALID"));
    EXPECT_THAT(Appraise(authority, real.token, real.issued_at - 61), RefusedAs("TIME_INVALID"));
  }
}

TEST_F(RealTokens, KeySetBeforeTheRolloverDoesNotHoldTheKey) {
  EXPECT_THAT(Appraise(Region("wus", "sharedwus-20220217.json"),
                       "cvm-snp-linux-sharedwus-202209.jwt", 1662584687 + 60),
              RefusedAs("KEY_UNKNOWN"));
}

TEST_F(RealTokens, KeyOf1024BitsIsLeftOutWithAWarning) {
  for (const char* jwks : {"sharedweu-202304.json", "sharedwus-20220217.json"}) {
    const auto verifiers = MakeVerifiers({Region("weu", jwks, {kOldHash})}, {});
    ASSERT_TRUE(verifiers.ok()) << verifiers.status();
    EXPECT_THAT((*verifiers)->warnings(), testing::Contains(testing::HasSubstr("1024"))) << jwks;
  }
}

TEST_F(RealTokens, AnotherTenantWithTheSameKeyIsAnotherIssuer) {
  EXPECT_THAT(Appraise(Region("wus", "sharedwus-20220531.json"),
                       "sgx-runtimejson-othertenant-samekey-wus-202205.jwt", 1654037282 + 60),
              RefusedAs("ISSUER_UNKNOWN"));
}

TEST_F(RealTokens, EnclaveTokenIsOfNoConfidentialVm) {
  EXPECT_THAT(Appraise(Region("wus", "sharedwus-20220531.json"),
                       "sgx-runtimejson-sharedwus-202205.jwt", 1654037281 + 60),
              RefusedAs("CLAIMS_MISSING"));
}

TEST_F(RealTokens, UnsignedTokenOfTheServiceItselfIsRefused) {
  EXPECT_THAT(Appraise(Region("wus", "sharedwus-20220531.json"),
                       "sgx-draftpolicy-ALGNONE-sharedwus-202205.jwt", 1654037279 + 60),
              RefusedAs("ALG_DENIED"));
}

TEST_F(RealTokens, TokensOfUnknownKeysAndIssuersAreRefused) {
  EXPECT_THAT(Appraise(Region("eus2", "sharedeus2-recovered.json"),
                       "azurevm-windows-noisolation-sharedeus2-202204.jwt", 1649979780 + 60),
              RefusedAs("KEY_UNKNOWN"));
  EXPECT_THAT(Appraise(Region("weu", "sharedweu-202304.json"), "aci-snp-sharedweu-test-202504.jwt",
                       1744085700 + 60),
              RefusedAs("ISSUER_UNKNOWN"));
}

TEST_F(RealTokens, RecipientOfARealTokenIsItsVtpmKeyAndNoOther) {
  const auto verifiers = MakeVerifiers({Region("eus2", "sharedeus2-recovered.json")}, {});
  ASSERT_TRUE(verifiers.ok());
  EXPECT_THAT((*verifiers)
                  ->Appraise(TokenEvidence(Read("tokens/cvm-snp-linux-sharedeus2-202512.jwt")),
                             TestBinding(), absl::FromUnixSeconds(1765826648 + 60)),
              RefusedAs("KEY_BINDING"));
}

}  // namespace
}  // namespace latchkey::attestation
