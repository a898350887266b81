#include "dev/software_tee/report_layout.h"

#include <algorithm>

#include "base/check.h"

namespace latchkey::dev {
namespace {

constexpr uint64_t kPolicySmt = uint64_t{1} << 16;
constexpr uint64_t kPolicyReservedOne = uint64_t{1} << 17;
constexpr uint64_t kPolicyMigrate = uint64_t{1} << 18;
constexpr uint64_t kPolicyDebug = uint64_t{1} << 19;
constexpr uint32_t kKeyInfoVlek = 1 << 2;

void PutLittleEndian(Bytes& report, size_t offset, size_t size, uint64_t value) {
  LATCHKEY_CHECK(offset + size <= report.size());
  for (size_t i = 0; i < size; ++i) report[offset + i] = static_cast<char>(value >> (8 * i));
}

// Milan: boot loader, TEE, four reserved bytes, SNP, microcode.
uint64_t MilanTcb(const SnpTcb& tcb) {
  return uint64_t{tcb.bootloader} | uint64_t{tcb.tee} << 8 | uint64_t{tcb.snp} << 48 |
         uint64_t{tcb.microcode} << 56;
}

}  // namespace

void PutBytes(Bytes& report, size_t offset, size_t size, ByteView value) {
  LATCHKEY_CHECK(offset + size <= report.size());
  std::fill_n(report.begin() + offset, size, '\0');
  std::copy_n(value.begin(), std::min(size, value.size()), report.begin() + offset);
}

void PutU32Le(Bytes& report, size_t offset, uint32_t value) {
  PutLittleEndian(report, offset, 4, value);
}

void PutU64Le(Bytes& report, size_t offset, uint64_t value) {
  PutLittleEndian(report, offset, 8, value);
}

Bytes WriteReport(const ReportFields& fields, ByteView chip_id) {
  Bytes report(report_offset::kSize, '\0');
  PutU32Le(report, report_offset::kVersion, 3);
  PutU32Le(report, report_offset::kGuestSvn, fields.guest_svn);
  uint64_t policy = kPolicyReservedOne;
  if (fields.smt_allowed) policy |= kPolicySmt;
  if (fields.migratable) policy |= kPolicyMigrate;
  if (fields.debug) policy |= kPolicyDebug;
  PutU64Le(report, report_offset::kPolicy, policy);
  PutU32Le(report, report_offset::kVmpl, fields.vmpl);
  PutU32Le(report, report_offset::kSignatureAlgorithm, 1);
  for (const size_t at : {report_offset::kCurrentTcb, report_offset::kReportedTcb,
                          report_offset::kCommittedTcb, report_offset::kLaunchTcb}) {
    PutU64Le(report, at, MilanTcb(fields.tcb));
  }
  PutU64Le(report, report_offset::kPlatformInfo, fields.platform_info);
  PutU32Le(report, report_offset::kKeyInfo, fields.signed_by_vlek ? kKeyInfoVlek : 0);
  PutBytes(report, report_offset::kReportData, 64, AsBytes(fields.report_data));
  PutBytes(report, report_offset::kMeasurement, 48, AsBytes(fields.measurement));
  PutBytes(report, report_offset::kHostData, 32, AsBytes(fields.host_data));
  PutBytes(report, report_offset::kIdKeyDigest, 48, AsBytes(fields.id_key_digest));
  PutBytes(report, report_offset::kReportId, 32, AsBytes(Bytes(32, '\x1d')));
  PutBytes(report, report_offset::kReportIdMa, 32, AsBytes(Bytes(32, '\xff')));
  PutU32Le(report, report_offset::kCpuid, 0x010119);  // family 19h, model 01h, stepping 1: Milan
  PutBytes(report, report_offset::kChipId, 64, chip_id);
  PutU32Le(report, report_offset::kCurrentVersion, 0x013716);  // 1.55.22
  PutU32Le(report, report_offset::kCommittedVersion, 0x013716);
  return report;
}

}  // namespace latchkey::dev
