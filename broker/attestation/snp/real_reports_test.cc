// Genuine AMD reports (Milan, Genoa, Bergamo, Turin) and certificates, as found in public
// repositories.

#include "broker/attestation/snp/certificates.h"
#include "broker/attestation/test_evidence.h"
#include "nlohmann/json.hpp"

namespace latchkey::attestation {
namespace {

const absl::Time kVlekTime = absl::FromUnixSeconds(1748736000);  // 2025-06-01

const Verifiers& ReleaseVerifiers() {
  static const Verifiers& verifiers = *MakeVerifiers({}, {})->release();
  return verifiers;
}

Bytes Read(const std::string& name) { return ReadVector("snp/" + name).value_or(""); }

absl::StatusOr<AttestationResult> Appraise(const std::string& report, const std::string& leaf,
                                           absl::Time now = kNow) {
  return ReleaseVerifiers().Appraise({EvidenceKind::kSnpReport, Read(report), {Read(leaf)}},
                                     std::nullopt, now);
}

class RealReports : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_VECTORS("snp/milan_v2.report.bin"); }
};

struct RealReport {
  const char* report;
  const char* leaf;
  const char* product;
  int64_t version;
  int64_t snp;
  int64_t microcode;
  bool debug;
  bool provisional;
};

TEST_F(RealReports, VerifyWithTheirVcek) {
  const RealReport all[] = {
      {"milan_v2_debug.report.bin", "milan_v2_debug.vcek.pem", "milan", 2, 5, 0x44, true, false},
      {"milan_v2.report.bin", "milan_v2.vcek.der", "milan", 2, 8, 115, false, true},
      {"milan_v3_aci.report.bin", "milan_v3_aci.vcek.pem", "milan", 3, 24, 219, false, false},
      {"turin_v5_aci.report.bin", "turin_v5_aci.vcek.pem", "turin", 5, 4, 81, false, false},
      {"bergamo_v5.report.bin", "bergamo_v5.vcek.der", "genoa", 5, 27, 27, false, false},
  };
  for (const RealReport& real : all) {
    SCOPED_TRACE(real.report);
    const auto result = Appraise(real.report, real.leaf);
    ASSERT_THAT(result, IsAccepted());
    EXPECT_EQ(ClaimOf<std::string>(*result, "snp.product"), real.product);
    EXPECT_EQ(ClaimOf<std::string>(*result, "snp.signing_key"), "vcek");
    EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.version"), real.version);
    EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.snp"), real.snp);
    EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.microcode"), real.microcode);
    EXPECT_EQ(ClaimOf<bool>(*result, "tee.debug"), real.debug);
    EXPECT_EQ(ClaimOf<bool>(*result, "snp.provisional_firmware"), real.provisional);
  }
}

TEST_F(RealReports, TurinHasItsOwnTcbLayoutAndMitigations) {
  const auto result = Appraise("turin_v5_aci.report.bin", "turin_v5_aci.vcek.pem");
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.fmc"), 1);
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.bootloader"), 1);
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.mitigation.launch"), 0x3f);
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.mitigation.current"), 0x3f);
}

TEST_F(RealReports, VirteeReportVerifies) {
  const auto report = HexDecode(Read("milan_v2_virtee.report.hex"));
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(ReleaseVerifiers().Appraise(
                  {EvidenceKind::kSnpReport, *report, {Read("milan_v2_virtee.vcek.der")}},
                  std::nullopt, kNow),
              IsAccepted());
}

TEST_F(RealReports, VlekReportVerifiesUntilItsCertificateExpires) {
  const auto result =
      Appraise("milan_v3_vlek_aws.report.bin", "milan_v3_vlek_aws.vlek.der", kVlekTime);
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(ClaimOf<std::string>(*result, "snp.signing_key"), "vlek");
  EXPECT_EQ(ClaimOf<std::string>(*result, "snp.csp_id"), "CN=cc-us-east-2.amazonaws.com");
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.vmpl"), 1);
  EXPECT_TRUE(ClaimOf<bool>(*result, "snp.chip_id_masked"));
  EXPECT_THAT(Appraise("milan_v3_vlek_aws.report.bin", "milan_v3_vlek_aws.vlek.der"),
              RefusedAs("CHAIN_DENIED"));
}

TEST_F(RealReports, GenoaReportVerifiesWithTheTableOfConfigfsTsm) {
  const auto bundle = nlohmann::json::parse(Read("genoa_v3_tsm.json"));
  const auto report = Base64UrlDecode(bundle["outblob"].get<std::string>());
  const auto table = Base64UrlDecode(bundle["auxblob"].get<std::string>());
  ASSERT_TRUE(report.ok() && table.ok());
  const auto result = ReleaseVerifiers().Appraise({EvidenceKind::kSnpReport, *report, {*table}},
                                                  std::nullopt, kNow);
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(ClaimOf<std::string>(*result, "snp.product"), "genoa");
}

TEST_F(RealReports, LeafOfAnotherChipIsRefused) {
  EXPECT_THAT(Appraise("milan_v2.report.bin", "milan_v2.wrong_vcek_legacy.der"),
              RefusedAs("CHAIN_DENIED"));
  EXPECT_THAT(Appraise("milan_v2.report.bin", "milan_v2.wrong_vcek_octetstring.der"),
              RefusedAs("CHAIN_DENIED"));
  // These two are genuine, each for another chip: the report's signature is of another key.
  EXPECT_THAT(Appraise("turin_v5_aci.report.bin", "turin_other_chip.vcek.der"),
              RefusedAs("BAD_SIGNATURE"));
  EXPECT_THAT(Appraise("milan_v2.report.bin", "milan_v3_aci.vcek.pem"), RefusedAs("BAD_SIGNATURE"));
}

TEST_F(RealReports, BothHardwareIdEncodingsParse) {
  for (const char* name :
       {"milan_v2.wrong_vcek_legacy.der", "milan_v2.wrong_vcek_octetstring.der"}) {
    const auto certificate = crypto::Certificate::ParseDer(AsBytes(Read(name)));
    ASSERT_TRUE(certificate.ok()) << certificate.status();
    const auto leaf = snp::ParseLeaf(*certificate, snp::SigningKey::kVcek);
    ASSERT_TRUE(leaf.ok()) << leaf.status();
    EXPECT_EQ(leaf->hwid.size(), 64);
  }
  const auto turin = crypto::Certificate::ParseDer(AsBytes(Read("turin_other_chip.vcek.der")));
  ASSERT_TRUE(turin.ok()) << turin.status();
  const auto leaf = snp::ParseLeaf(*turin, snp::SigningKey::kVcek);
  ASSERT_TRUE(leaf.ok()) << leaf.status();
  EXPECT_EQ(leaf->hwid.size(), 8);
}

TEST_F(RealReports, WrongSizesAreMalformed) {
  EXPECT_THAT(Appraise("malformed_short.report.bin", "milan_v2.vcek.der"), RefusedAs("MALFORMED"));
  EXPECT_THAT(Appraise("malformed_extra_byte.report.bin", "milan_v2.vcek.der"),
              RefusedAs("MALFORMED"));
}

TEST_F(RealReports, CapturedIntermediateBesideTheLeafIsIgnored) {
  EXPECT_THAT(
      ReleaseVerifiers().Appraise({EvidenceKind::kSnpReport,
                                   Read("turin_v5_aci.report.bin"),
                                   {Read("turin_v5_aci.vcek.pem"), Read("turin_v5_aci.ask.pem"),
                                    Read("roots/milan_ask_ark.pem")}},
                                  std::nullopt, kNow),
      IsAccepted());
}

}  // namespace
}  // namespace latchkey::attestation
