// Reports are made whole by the software vendor and wounded once: before signing (each field shows
// its own reason) or after it.

#include "broker/attestation/snp/verifier.h"

#include <algorithm>
#include <functional>

#include "broker/attestation/snp/report.h"
#include "broker/attestation/test_evidence.h"

namespace latchkey::attestation {
namespace {

namespace at = dev::report_offset;
using policy::BytesValue;

absl::StatusOr<AttestationResult> Appraise(const Evidence& evidence, absl::Time now = kNow) {
  return TestVerifiers().Appraise(evidence, TestBinding(), now);
}

Bytes GoodReport() { return Tee().SignReport(TestReport()); }

absl::StatusOr<AttestationResult> AppraiseReport(Bytes report) {
  return Appraise(SnpEvidence(std::move(report), {Tee().vcek()}));
}

TEST(SnpVerifier, GenuineReportIsAcceptedAndBinds) {
  const Bytes report = GoodReport();
  const auto result = AppraiseReport(report);
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(result->evidence_digest(), crypto::Sha256(AsBytes(report)));
  EXPECT_EQ(result->binding(), Binding::kHardware);
  EXPECT_EQ(result->freshness(), Freshness::kChallengeInEvidence);
  EXPECT_EQ(result->claims().source(), "hardware");
  EXPECT_EQ(ClaimOf<std::string>(*result, "tee.type"), "snp");
  EXPECT_EQ(ClaimOf<bool>(*result, "tee.debug"), false);
  EXPECT_EQ(ClaimOf<std::string>(*result, "attestation.binding"), "hardware");
  EXPECT_EQ(ClaimOf<std::string>(*result, "attestation.freshness"), "challenge_in_evidence");
  EXPECT_EQ(ClaimOf<std::string>(*result, "snp.product"), "milan");
  EXPECT_EQ(ClaimOf<std::string>(*result, "snp.signing_key"), "vcek");
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.snp"), 24);
  EXPECT_EQ(ClaimOf<int64_t>(*result, "snp.reported_tcb.microcode"), 219);
  EXPECT_EQ(ClaimOf<BytesValue>(*result, "snp.measurement").bytes, Bytes(48, '\x4d'));
  EXPECT_EQ(ClaimOf<BytesValue>(*result, "snp.chip_id").bytes, Tee().chip_id());
  EXPECT_EQ(ClaimOf<bool>(*result, "snp.platform.alias_check"), true);
  // What is absent is not stated.
  EXPECT_EQ(result->claims().Find("snp.id_key_digest"), nullptr);
  EXPECT_EQ(result->claims().Find("snp.mitigation.launch"), nullptr);
  EXPECT_EQ(result->claims().Find("attestation.evidence_time"), nullptr);
}

TEST(SnpVerifier, InspectionWithoutBindingBindsNothing) {
  const auto result =
      TestVerifiers().Appraise(SnpEvidence(GoodReport(), {Tee().vcek()}), std::nullopt, kNow);
  ASSERT_THAT(result, IsAccepted());
  EXPECT_EQ(result->binding(), Binding::kNone);
  EXPECT_EQ(result->claims().Find("attestation.binding"), nullptr);
  EXPECT_EQ(ClaimOf<std::string>(*result, "attestation.freshness"), "none");
}

TEST(SnpVerifier, DebugAndMigrationAreClaimsForThePolicy) {
  dev::ReportFields fields = TestReport();
  fields.debug = true;
  fields.migratable = true;
  const auto result = AppraiseReport(Tee().SignReport(fields));
  ASSERT_THAT(result, IsAccepted());
  EXPECT_TRUE(ClaimOf<bool>(*result, "tee.debug"));
  EXPECT_TRUE(ClaimOf<bool>(*result, "tee.migratable"));
}

TEST(SnpVerifier, ReportOfAnotherSizeIsMalformed) {
  for (const size_t size : {size_t{0}, at::kSize - 1, at::kSize + 1}) {
    Bytes report = GoodReport();
    report.resize(size, '\0');
    EXPECT_THAT(AppraiseReport(report), RefusedAs("MALFORMED")) << size;
  }
}

// Wounds of a field that was signed so: the signature holds, only the meaning is wrong.
struct FieldWound {
  const char* name;
  std::function<void(Bytes&)> wound;
  const char* reason;
};

std::function<void(Bytes&)> SetU32(size_t offset, uint32_t value) {
  return [=](Bytes& report) { dev::PutU32Le(report, offset, value); };
}
std::function<void(Bytes&)> FlipBit(size_t offset, int bit) {
  return [=](Bytes& report) { report[offset + bit / 8] ^= static_cast<char>(1 << (bit % 8)); };
}
std::function<void(Bytes&)> Zero(size_t offset, size_t size) {
  return [=](Bytes& report) { dev::PutBytes(report, offset, size, {}); };
}

const FieldWound kFieldWounds[] = {
    {"version 0", SetU32(at::kVersion, 0), "UNSUPPORTED"},
    {"version 1", SetU32(at::kVersion, 1), "UNSUPPORTED"},
    {"version 4", SetU32(at::kVersion, 4), "UNSUPPORTED"},
    {"version 99", SetU32(at::kVersion, 99), "UNSUPPORTED"},
    {"version 2 with a processor id", SetU32(at::kVersion, 2), "UNSUPPORTED"},
    {"signature algorithm 0", SetU32(at::kSignatureAlgorithm, 0), "UNSUPPORTED"},
    {"signature algorithm 2", SetU32(at::kSignatureAlgorithm, 2), "UNSUPPORTED"},
    {"MASK_CHIP_KEY", FlipBit(at::kKeyInfo, 1), "BAD_SIGNATURE"},
    {"SIGNING_KEY none", SetU32(at::kKeyInfo, 7 << 2), "UNSUPPORTED"},
    {"SIGNING_KEY reserved", SetU32(at::kKeyInfo, 2 << 2), "UNSUPPORTED"},
    {"KEY_INFO reserved", FlipBit(at::kKeyInfo, 5), "UNSUPPORTED"},
    {"policy bit 17 clear", FlipBit(at::kPolicy, 17), "UNSUPPORTED"},
    {"policy bit 26", FlipBit(at::kPolicy, 26), "UNSUPPORTED"},
    {"policy bit 63", FlipBit(at::kPolicy, 63), "UNSUPPORTED"},
    {"asked for by the host", SetU32(at::kVmpl, 0xFFFFFFFF), "UNSUPPORTED"},
    {"VMPL 4", SetU32(at::kVmpl, 4), "UNSUPPORTED"},
    {"reserved after KEY_INFO", FlipBit(0x4C, 0), "UNSUPPORTED"},
    {"reserved after CPUID", FlipBit(0x18B, 0), "UNSUPPORTED"},
    {"reserved after the current version", FlipBit(0x1EB, 0), "UNSUPPORTED"},
    {"reserved after the committed version", FlipBit(0x1EF, 0), "UNSUPPORTED"},
    {"mitigation vector before version 5", FlipBit(0x1F8, 0), "UNSUPPORTED"},
    {"last reserved byte", FlipBit(0x29F, 7), "UNSUPPORTED"},
    {"processor of no product", SetU32(at::kCpuid, 0x010117), "UNSUPPORTED"},
    {"Venice, which has no pinned root", SetU32(at::kCpuid, 0x01501A), "UNSUPPORTED"},
    {"processor of Genoa", SetU32(at::kCpuid, 0x011119), "CHIP_MISMATCH"},
    {"reported boot loader", FlipBit(at::kReportedTcb, 0), "TCB_MISMATCH"},
    {"reported TEE", FlipBit(at::kReportedTcb + 1, 0), "TCB_MISMATCH"},
    {"reported reserved", FlipBit(at::kReportedTcb + 2, 0), "TCB_MISMATCH"},
    {"reported SNP", FlipBit(at::kReportedTcb + 6, 0), "TCB_MISMATCH"},
    {"reported microcode", FlipBit(at::kReportedTcb + 7, 0), "TCB_MISMATCH"},
    {"committed reserved", FlipBit(at::kCommittedTcb + 2, 0), "UNSUPPORTED"},
    {"another chip", FlipBit(at::kChipId, 0), "CHIP_MISMATCH"},
    {"another chip in the last bit", FlipBit(at::kChipId, 511), "CHIP_MISMATCH"},
    {"masked chip id", Zero(at::kChipId, 64), "CHIP_MISMATCH"},
    {"first bit of report data", FlipBit(at::kReportData, 0), "BINDING_MISMATCH"},
    {"last bit of report data", FlipBit(at::kReportData, 511), "BINDING_MISMATCH"},
    {"second half of report data zero", Zero(at::kReportData + 32, 32), "BINDING_MISMATCH"},
    {"report data zero", Zero(at::kReportData, 64), "BINDING_MISMATCH"},
};

TEST(SnpVerifier, EachWoundedFieldIsRefusedForItsOwnReason) {
  for (const FieldWound& wound : kFieldWounds) {
    Bytes report = GoodReport();
    wound.wound(report);
    EXPECT_THAT(AppraiseReport(Tee().Resign(report)), RefusedAs(wound.reason)) << wound.name;
  }
}

// Neighbours of those wounds that mean no harm.
TEST(SnpVerifier, FieldsThatMayVaryAreAccepted) {
  const FieldWound neighbours[] = {
      {"version 5 with a mitigation vector",
       [](Bytes& report) {
         dev::PutU32Le(report, at::kVersion, 5);
         report[0x1F8] = 0x0b;
       },
       ""},
      {"version 2 without a processor id",
       [](Bytes& report) {
         dev::PutU32Le(report, at::kVersion, 2);
         dev::PutU32Le(report, at::kCpuid, 0);
       },
       ""},
      {"platform bit 6, which real Turin reports set", FlipBit(at::kPlatformInfo, 6), ""},
      {"VMPL 3", SetU32(at::kVmpl, 3), ""},
      {"launch TCB", FlipBit(at::kLaunchTcb, 0), ""},
      {"measurement", FlipBit(at::kMeasurement, 0), ""},
  };
  for (const FieldWound& neighbour : neighbours) {
    Bytes report = GoodReport();
    neighbour.wound(report);
    EXPECT_THAT(AppraiseReport(Tee().Resign(report)), IsAccepted()) << neighbour.name;
  }
}

TEST(SnpVerifier, ProvisionalFirmwareIsStated) {
  Bytes report = GoodReport();
  report[at::kCurrentTcb + 7] ^= 1;
  const auto result = AppraiseReport(Tee().Resign(report));
  ASSERT_THAT(result, IsAccepted());
  EXPECT_TRUE(ClaimOf<bool>(*result, "snp.provisional_firmware"));
  const auto settled = AppraiseReport(GoodReport());
  ASSERT_THAT(settled, IsAccepted());
  EXPECT_FALSE(ClaimOf<bool>(*settled, "snp.provisional_firmware"));
}

TEST(SnpVerifier, NoFlippedBitAfterSigningIsAccepted) {
  const Bytes good = GoodReport();
  for (size_t offset = 0; offset < good.size(); offset += 7) {
    Bytes report = good;
    report[offset] ^= static_cast<char>(1 << (offset % 8));
    EXPECT_FALSE(AppraiseReport(report).ok()) << offset;
  }
}

TEST(SnpVerifier, ChangedFieldThatNothingElseChecksIsABadSignature) {
  for (const size_t offset :
       {at::kGuestSvn, at::kFamilyId, at::kImageId, at::kCurrentTcb, at::kPlatformInfo,
        at::kReportData, at::kMeasurement, at::kHostData, at::kIdKeyDigest, at::kReportId,
        at::kReportedTcb, at::kChipId, at::kCommittedTcb, at::kCurrentVersion, at::kLaunchTcb}) {
    Bytes report = GoodReport();
    report[offset] ^= 1;
    EXPECT_THAT(AppraiseReport(report), RefusedAs("BAD_SIGNATURE")) << offset;
  }
}

TEST(SnpVerifier, WoundedSignatureIsRefused) {
  constexpr size_t kR = at::kSignature;
  constexpr size_t kS = at::kSignature + 72;
  const FieldWound wounds[] = {
      {"r zero", Zero(kR, 72), "BAD_SIGNATURE"},
      {"s zero", Zero(kS, 72), "BAD_SIGNATURE"},
      {"both zero", Zero(kR, 144), "BAD_SIGNATURE"},
      {"r all ones", [](Bytes& report) { std::fill_n(report.begin() + kR, 48, '\xff'); },
       "BAD_SIGNATURE"},
      {"s all ones", [](Bytes& report) { std::fill_n(report.begin() + kS, 48, '\xff'); },
       "BAD_SIGNATURE"},
      {"upper bytes of r", FlipBit(kR + 48, 0), "BAD_SIGNATURE"},
      {"upper bytes of s", FlipBit(kS + 71, 7), "BAD_SIGNATURE"},
      {"big endian", [](Bytes& report) { std::reverse(&report[kR], &report[kR] + 48); },
       "BAD_SIGNATURE"},
      {"reserved after the signature", FlipBit(at::kSize - 1, 0), "UNSUPPORTED"},
  };
  for (const FieldWound& wound : wounds) {
    Bytes report = GoodReport();
    wound.wound(report);
    EXPECT_THAT(AppraiseReport(report), RefusedAs(wound.reason)) << wound.name;
  }
}

TEST(SnpVerifier, UnsignedReportOfAMaskedKeyIsRefused) {
  Bytes report = GoodReport();
  report[at::kKeyInfo] |= 2;
  dev::PutBytes(report, at::kSignature, 144, {});
  EXPECT_THAT(AppraiseReport(report), RefusedAs("BAD_SIGNATURE"));
}

TEST(SnpVerifier, DisabledVerifierRefusesReports) {
  SnpConfig disabled;
  disabled.enabled = false;
  const auto verifiers = MakeVerifiers({}, disabled);
  ASSERT_TRUE(verifiers.ok());
  EXPECT_THAT((*verifiers)->Appraise(SnpEvidence(GoodReport(), {Tee().vcek()}), std::nullopt, kNow),
              RefusedAs("UNSUPPORTED"));
}

}  // namespace
}  // namespace latchkey::attestation
