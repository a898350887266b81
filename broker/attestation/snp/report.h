#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/bytes.h"

// The SEV-SNP attestation report (AMD 56860, "SEV Secure Nested Paging Firmware ABI", table 23):
// bytes to struct.

namespace latchkey::attestation::snp {

inline constexpr size_t kReportSize = 1184;
inline constexpr size_t kSignedSize = 0x2A0;  // the signature covers bytes 0 to 0x29F
inline constexpr size_t kChipIdSize = 64;

using RawTcb = std::array<uint8_t, 8>;

// `Tcb` holds the security versions of one TCB_VERSION; `fmc` exists from Turin on.
struct Tcb {
  uint8_t bootloader = 0;
  uint8_t tee = 0;
  uint8_t snp = 0;
  uint8_t microcode = 0;
  std::optional<uint8_t> fmc;
  friend bool operator==(const Tcb&, const Tcb&) = default;
};

// Where the components lie in a TCB_VERSION.
enum class TcbLayout { kMilanGenoa, kTurin };

// `ParseTcb` returns nullopt when a byte that `layout` does not use is not zero.
std::optional<Tcb> ParseTcb(const RawTcb& raw, TcbLayout layout);

struct GuestPolicy {
  uint8_t abi_minor;
  uint8_t abi_major;
  bool smt_allowed;
  bool reserved_one;  // bit 17, which must be 1
  bool migrate_ma;
  bool debug;
  bool single_socket;
  uint64_t reserved;  // bits 63 to 26, which must be 0
};

struct PlatformInfo {
  bool smt_enabled;
  bool tsme_enabled;
  bool ecc_enabled;
  bool rapl_disabled;
  bool ciphertext_hiding;
  bool alias_check_complete;
};

enum class SigningKey : uint8_t { kVcek = 0, kVlek = 1, kNone = 7 };  // other values are reserved

struct KeyInfo {
  bool author_key_enabled;
  bool mask_chip_key;
  SigningKey signing_key;
  uint32_t reserved;  // bits 31 to 5, which must be 0
};

struct FirmwareVersion {
  uint8_t build;
  uint8_t minor;
  uint8_t major;
  friend bool operator==(const FirmwareVersion&, const FirmwareVersion&) = default;
};

// Family, model and stepping of the processor; reports have them from version 3 on.
struct Cpuid {
  uint8_t family;
  uint8_t model;
  uint8_t stepping;
};

struct Report {
  uint32_t version;
  uint32_t guest_svn;
  GuestPolicy policy;
  Bytes family_id;
  Bytes image_id;
  uint32_t vmpl;
  uint32_t signature_algorithm;
  RawTcb current_tcb;
  PlatformInfo platform_info;
  KeyInfo key_info;
  Bytes report_data;
  Bytes measurement;
  Bytes host_data;
  Bytes id_key_digest;
  Bytes author_key_digest;
  Bytes report_id;
  Bytes report_id_ma;
  RawTcb reported_tcb;
  Cpuid cpuid;
  Bytes chip_id;
  RawTcb committed_tcb;
  FirmwareVersion current_version;
  FirmwareVersion committed_version;
  RawTcb launch_tcb;
  uint64_t launch_mitigations;   // version 5
  uint64_t current_mitigations;  // version 5
  // Whether a byte was set that this version of the report does not define.
  bool reserved_set;
  // r || s, 48 bytes each, big endian; empty when the upper bytes of a component are not zero.
  Bytes signature;
};

// `ParseReportUnverified` reads the fields. MALFORMED unless there are exactly 1184 bytes; nothing
// is judged or verified.
absl::StatusOr<Report> ParseReportUnverified(ByteView bytes);

// Whether every byte is zero.
bool IsZero(std::string_view bytes);

}  // namespace latchkey::attestation::snp
