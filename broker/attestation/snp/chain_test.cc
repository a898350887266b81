#include "broker/attestation/snp/chain.h"

#include <functional>

#include "broker/attestation/test_evidence.h"

namespace latchkey::attestation {
namespace {

using crypto::Certificate;

constexpr char kOid[] = "1.3.6.1.4.1.3704.1.";

absl::StatusOr<AttestationResult> AppraiseWith(std::vector<Certificate> certificates,
                                               absl::Time now = kNow) {
  return TestVerifiers().Appraise(
      SnpEvidence(Tee().SignReport(TestReport()), std::move(certificates)), TestBinding(), now);
}

dev::ReportFields VlekReport() {
  dev::ReportFields fields = TestReport();
  fields.signed_by_vlek = true;
  fields.chip_id = Bytes(64, '\0');
  return fields;
}

absl::StatusOr<AttestationResult> AppraiseVlek(std::vector<Certificate> certificates,
                                               absl::Time now = kNow) {
  return TestVerifiers().Appraise(
      SnpEvidence(Tee().SignReport(VlekReport()), std::move(certificates)), TestBinding(), now);
}

// A VCEK certificate whose extensions were changed before it was signed.
Certificate Vcek(const std::function<void(dev::LeafSpec&)>& change) {
  dev::LeafSpec spec = Tee().VcekSpec();
  change(spec);
  return *Tee().IssueVcek(spec);
}

void Set(dev::LeafSpec& spec, const std::string& arc, Bytes der) {
  for (auto& extension : spec.extensions) {
    if (extension.oid == kOid + arc) extension.der = der;
  }
}

TEST(Chain, VlekIsAcceptedWithoutChipAndNamesItsProvider) {
  const auto result = AppraiseVlek({Tee().vlek()});
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(ClaimOf<std::string>(*result, "snp.signing_key"), "vlek");
  EXPECT_EQ(ClaimOf<std::string>(*result, "snp.csp_id"), dev::SoftwareTee::kCspId);
  EXPECT_TRUE(ClaimOf<bool>(*result, "snp.chip_id_masked"));
  EXPECT_EQ(result->claims().Find("snp.chip_id"), nullptr);
}

TEST(Chain, TheReportSaysWhichKindOfLeafCounts) {
  EXPECT_THAT(AppraiseWith({Tee().vlek()}), RefusedAs("CHAIN_DENIED"));
  EXPECT_THAT(AppraiseVlek({Tee().vcek()}), RefusedAs("CHAIN_DENIED"));
  EXPECT_THAT(AppraiseWith({Tee().vlek(), Tee().vcek()}), IsAccepted());
  EXPECT_THAT(AppraiseVlek({Tee().vlek(), Tee().vcek()}), IsAccepted());
}

TEST(Chain, MissingLeafIsRefused) {
  EXPECT_THAT(AppraiseWith({}), RefusedAs("CHAIN_DENIED"));
  EXPECT_THAT(AppraiseWith({Tee().ask(), Tee().ark()}), RefusedAs("CHAIN_DENIED"));
  EXPECT_THAT(AppraiseWith({Tee().vcek(), Tee().ask(), Tee().ark()}), IsAccepted());
}

TEST(Chain, TwoDifferentLeavesAreMalformedAndTheSameTwiceIsNot) {
  const Certificate other = Vcek([](dev::LeafSpec& spec) { spec.not_after -= absl::Hours(1); });
  EXPECT_THAT(AppraiseWith({Tee().vcek(), other}), RefusedAs("MALFORMED"));
  EXPECT_THAT(AppraiseWith({Tee().vcek(), Tee().vcek()}), IsAccepted());
}

// The attack on verifiers that take roots from evidence: a whole chain of the attacker's own, all
// names right.
TEST(Chain, SuppliedRootIsNeverTrusted) {
  const Evidence evidence =
      SnpEvidence(Stranger().SignReport(TestReport()),
                  {Stranger().vcek(), Stranger().ask(), Stranger().asvk(), Stranger().ark()});
  EXPECT_THAT(TestVerifiers().Appraise(evidence, TestBinding(), kNow), RefusedAs("CHAIN_DENIED"));
}

TEST(Chain, SoftwareRootIsUnknownWhereItWasNotAdded) {
  const auto release = MakeVerifiers({}, {});
  ASSERT_TRUE(release.ok());
  EXPECT_THAT(
      (*release)->Appraise(SnpEvidence(Tee().SignReport(TestReport()), {Tee().vcek(), Tee().ask()}),
                           TestBinding(), kNow),
      RefusedAs("CHAIN_DENIED"));
}

TEST(Chain, LeafOfTheOtherIntermediateIsRefused) {
  dev::LeafSpec spec = Tee().VcekSpec();
  const auto by_asvk = Tee().IssueVlek(spec);  // named SEV-VCEK, signed by the ASVK
  ASSERT_TRUE(by_asvk.ok());
  EXPECT_THAT(AppraiseWith({*by_asvk}), RefusedAs("CHAIN_DENIED"));
}

TEST(Chain, DatesHoldToTheSecondAlsoForARememberedLeaf) {
  const absl::Time first = Tee().vcek().not_before();
  const absl::Time last = Tee().vcek().not_after();
  EXPECT_THAT(AppraiseWith({Tee().vcek()}, kNow), IsAccepted());  // remembered from here on
  EXPECT_THAT(AppraiseWith({Tee().vcek()}, first), IsAccepted());
  EXPECT_THAT(AppraiseWith({Tee().vcek()}, first - absl::Seconds(1)), RefusedAs("CHAIN_DENIED"));
  EXPECT_THAT(AppraiseWith({Tee().vcek()}, last), IsAccepted());
  EXPECT_THAT(AppraiseWith({Tee().vcek()}, last + absl::Seconds(1)), RefusedAs("CHAIN_DENIED"));
}

TEST(Chain, RememberedLeafDoesNotVouchForAnotherReport) {
  EXPECT_THAT(AppraiseWith({Tee().vcek()}), IsAccepted());
  Bytes report = Tee().SignReport(TestReport());
  report[dev::report_offset::kMeasurement] ^= 1;
  EXPECT_THAT(TestVerifiers().Appraise(SnpEvidence(report, {Tee().vcek()}), TestBinding(), kNow),
              RefusedAs("BAD_SIGNATURE"));
}

TEST(Chain, EachRequiredExtensionIsRequired) {
  for (const char* arc : {"1", "2", "3.1", "3.2", "3.3", "3.8", "4"}) {
    const Certificate leaf = Vcek([&](dev::LeafSpec& spec) {
      std::erase_if(spec.extensions,
                    [&](const auto& e) { return e.oid == std::string(kOid) + arc; });
    });
    EXPECT_THAT(AppraiseWith({leaf}), RefusedAs("MALFORMED")) << arc;
  }
  // Turin has no 3.4.
  const Certificate leaf = Vcek([](dev::LeafSpec& spec) {
    std::erase_if(spec.extensions,
                  [](const auto& e) { return e.oid == std::string(kOid) + "3.4"; });
  });
  EXPECT_THAT(AppraiseWith({leaf}), IsAccepted());
}

struct ExtensionWound {
  const char* name;
  const char* arc;
  Bytes der;
  const char* reason;
};

TEST(Chain, WoundedExtensionIsRefused) {
  const Bytes octet_string = Bytes("\x04\x40", 2) + Tee().chip_id();
  const ExtensionWound wounds[] = {
      {"structure version 1", "1", dev::DerInteger(1), "MALFORMED"},
      {"product unknown", "2", dev::DerIa5String("Naples"), "UNSUPPORTED"},
      {"product empty", "2", dev::DerIa5String(""), "MALFORMED"},
      {"product of another root", "2", dev::DerIa5String("Genoa"), "CHAIN_DENIED"},
      {"version is text", "3.1", dev::DerIa5String("4"), "MALFORMED"},
      {"version with a byte behind it", "3.3", dev::DerInteger(24) + "x", "MALFORMED"},
      {"version 256", "3.8", Bytes("\x02\x02\x01\x00", 4), "MALFORMED"},
      {"version negative", "3.8", Bytes("\x02\x01\xdb", 3), "MALFORMED"},
      {"another boot loader", "3.1", dev::DerInteger(5), "TCB_MISMATCH"},
      {"another TEE", "3.2", dev::DerInteger(5), "TCB_MISMATCH"},
      {"another SNP", "3.3", dev::DerInteger(5), "TCB_MISMATCH"},
      {"another microcode", "3.8", dev::DerInteger(5), "TCB_MISMATCH"},
      {"reserved version set", "3.5", dev::DerInteger(1), "MALFORMED"},
      {"hardware id of 8 bytes", "4", Bytes(8, '\x01'), "MALFORMED"},
      {"hardware id of 65 bytes", "4", Tee().chip_id() + "x", "MALFORMED"},
      {"another chip", "4", Bytes(64, '\x01'), "CHIP_MISMATCH"},
  };
  for (const ExtensionWound& wound : wounds) {
    const Certificate leaf = Vcek([&](dev::LeafSpec& spec) { Set(spec, wound.arc, wound.der); });
    EXPECT_THAT(AppraiseWith({leaf}), RefusedAs(wound.reason)) << wound.name;
  }
  const Certificate wrapped = Vcek([&](dev::LeafSpec& spec) { Set(spec, "4", octet_string); });
  EXPECT_THAT(AppraiseWith({wrapped}), IsAccepted());
  const Certificate unstepped =
      Vcek([](dev::LeafSpec& spec) { Set(spec, "2", dev::DerIa5String("Milan")); });
  EXPECT_THAT(AppraiseWith({unstepped}), IsAccepted());
}

TEST(Chain, ExtensionThatDoesNotBelongIsRefused) {
  const Certificate with_csp = Vcek([](dev::LeafSpec& spec) {
    spec.extensions.push_back({std::string(kOid) + "5", dev::DerIa5String("CSP")});
  });
  EXPECT_THAT(AppraiseWith({with_csp}), RefusedAs("MALFORMED"));
  const Certificate with_fmc = Vcek([](dev::LeafSpec& spec) {
    spec.extensions.push_back({std::string(kOid) + "3.9", dev::DerInteger(1)});
  });
  EXPECT_THAT(AppraiseWith({with_fmc}), RefusedAs("MALFORMED"));
  dev::LeafSpec vlek = Tee().VlekSpec();
  vlek.extensions.push_back({std::string(kOid) + "4", Tee().chip_id()});
  EXPECT_THAT(AppraiseVlek({*Tee().IssueVlek(vlek)}), RefusedAs("MALFORMED"));
  EXPECT_THAT(AppraiseVlek({*Tee().IssueVlek(Tee().VlekSpec())}), IsAccepted());
}

TEST(Chain, ExtensionThatOccursTwiceIsRefused) {
  const Certificate leaf = Vcek([](dev::LeafSpec& spec) {
    spec.extensions.push_back({std::string(kOid) + "3.3", dev::DerInteger(24)});
  });
  EXPECT_THAT(AppraiseWith({leaf}), RefusedAs("MALFORMED"));
}

TEST(Chain, AddedRootMustHaveSignedItsIntermediates) {
  SnpConfig config;
  config.extra_roots.push_back({"Milan", Tee().ark(), {Stranger().ask()}});
  EXPECT_EQ(MakeVerifiers({}, config).status().code(), absl::StatusCode::kInvalidArgument);
  config.extra_roots = {{"Milan", Tee().ask(), {}}};  // not self-signed
  EXPECT_EQ(MakeVerifiers({}, config).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(MakeVerifiers({}, TrustingTee()).ok());
}

}  // namespace
}  // namespace latchkey::attestation
