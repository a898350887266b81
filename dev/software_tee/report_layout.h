#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace latchkey::dev {

// Offsets of the SEV-SNP attestation report (AMD 56860, table 23); integers are little endian.
namespace report_offset {
inline constexpr size_t kVersion = 0x000;
inline constexpr size_t kGuestSvn = 0x004;
inline constexpr size_t kPolicy = 0x008;
inline constexpr size_t kFamilyId = 0x010;
inline constexpr size_t kImageId = 0x020;
inline constexpr size_t kVmpl = 0x030;
inline constexpr size_t kSignatureAlgorithm = 0x034;
inline constexpr size_t kCurrentTcb = 0x038;
inline constexpr size_t kPlatformInfo = 0x040;
inline constexpr size_t kKeyInfo = 0x048;
inline constexpr size_t kReportData = 0x050;
inline constexpr size_t kMeasurement = 0x090;
inline constexpr size_t kHostData = 0x0C0;
inline constexpr size_t kIdKeyDigest = 0x0E0;
inline constexpr size_t kReportId = 0x140;
inline constexpr size_t kReportIdMa = 0x160;
inline constexpr size_t kReportedTcb = 0x180;
inline constexpr size_t kCpuid = 0x188;
inline constexpr size_t kChipId = 0x1A0;
inline constexpr size_t kCommittedTcb = 0x1E0;
inline constexpr size_t kCurrentVersion = 0x1E8;
inline constexpr size_t kCommittedVersion = 0x1EC;
inline constexpr size_t kLaunchTcb = 0x1F0;
inline constexpr size_t kSignature = 0x2A0;
inline constexpr size_t kSize = 0x4A0;
}  // namespace report_offset

// `SnpTcb` are the security versions of a Milan platform.
struct SnpTcb {
  uint8_t bootloader = 4;
  uint8_t tee = 0;
  uint8_t snp = 24;
  uint8_t microcode = 219;
};

// `ReportFields` is what a guest and its host decide about a report. Byte strings are filled with
// zeros or cut to the field's size.
struct ReportFields {
  Bytes report_data;  // 64 bytes
  Bytes measurement = Bytes(48, '\x4d');
  Bytes host_data;      // 32 bytes
  Bytes id_key_digest;  // 48 bytes
  bool debug = false;
  bool migratable = false;
  bool smt_allowed = true;
  uint32_t guest_svn = 1;
  uint32_t vmpl = 0;
  uint64_t platform_info = 0x25;  // SMT, ECC, ALIAS_CHECK_COMPLETE
  SnpTcb tcb;                     // current, reported, committed and launch
  std::optional<Bytes> chip_id;   // else that of the platform
  bool signed_by_vlek = false;
};

// `WriteReport` lays out a version 3 Milan report of 1184 bytes, its signature still zero.
Bytes WriteReport(const ReportFields& fields, ByteView chip_id);

// `PutBytes`, `PutU32Le`, `PutU64Le` overwrite part of a report.
void PutBytes(Bytes& report, size_t offset, size_t size, ByteView value);
void PutU32Le(Bytes& report, size_t offset, uint32_t value);
void PutU64Le(Bytes& report, size_t offset, uint64_t value);

}  // namespace latchkey::dev
