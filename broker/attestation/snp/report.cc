#include "broker/attestation/snp/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/byte_reader.h"
#include "base/check.h"
#include "broker/attestation/refusals.h"

namespace latchkey::attestation::snp {
namespace {

constexpr size_t kComponentSize = 48;   // of a P-384 signature
constexpr size_t kComponentField = 72;  // its place in the report

bool Bit(uint64_t value, int bit) { return ((value >> bit) & 1) != 0; }

GuestPolicy ParseGuestPolicy(uint64_t bits) {
  return {.abi_minor = static_cast<uint8_t>(bits),
          .abi_major = static_cast<uint8_t>(bits >> 8),
          .smt_allowed = Bit(bits, 16),
          .reserved_one = Bit(bits, 17),
          .migrate_ma = Bit(bits, 18),
          .debug = Bit(bits, 19),
          .single_socket = Bit(bits, 20),
          .reserved = bits >> 26};
}

// Bits that we do not know are ignored here (real Turin reports set bit 6): the host reports them,
// they grant nothing.
PlatformInfo ParsePlatformInfo(uint64_t bits) {
  return {.smt_enabled = Bit(bits, 0),
          .tsme_enabled = Bit(bits, 1),
          .ecc_enabled = Bit(bits, 2),
          .rapl_disabled = Bit(bits, 3),
          .ciphertext_hiding = Bit(bits, 4),
          .alias_check_complete = Bit(bits, 5)};
}

KeyInfo ParseKeyInfo(uint32_t bits) {
  return {.author_key_enabled = Bit(bits, 0),
          .mask_chip_key = Bit(bits, 1),
          .signing_key = static_cast<SigningKey>((bits >> 2) & 7),
          .reserved = bits >> 5};
}

// `Fields` reads a report whose size was checked: running out of bytes is our own mistake.
class Fields {
 public:
  explicit Fields(ByteView bytes) : reader_(bytes, "SNP report") {}

  uint8_t U8() { return Must(reader_.ReadU8()); }
  uint32_t U32() { return Must(reader_.ReadU32Le()); }
  uint64_t U64() { return Must(reader_.ReadU64Le()); }
  Bytes Take(size_t size) { return ToBytes(Must(reader_.Read(size))); }
  RawTcb TakeTcb() {
    RawTcb out;
    const ByteView raw = Must(reader_.Read(out.size()));
    std::copy(raw.begin(), raw.end(), out.begin());
    return out;
  }
  FirmwareVersion TakeVersion() {
    FirmwareVersion out{};
    out.build = U8();
    out.minor = U8();
    out.major = U8();
    Reserved(1);
    return out;
  }
  void Reserved(size_t size) { reserved_set_ |= !IsZero(Take(size)); }
  // One component of the signature, turned to big endian.
  Bytes TakeComponent() {
    Bytes component = Take(kComponentSize);
    upper_zero_ &= IsZero(Take(kComponentField - kComponentSize));
    std::reverse(component.begin(), component.end());
    return component;
  }

  bool reserved_set() const { return reserved_set_; }
  bool upper_zero() const { return upper_zero_; }
  size_t left() const { return reader_.left(); }

 private:
  template <typename T>
  static T Must(absl::StatusOr<T> value) {
    LATCHKEY_CHECK(value.ok());
    return *value;
  }

  ByteReader reader_;
  bool reserved_set_ = false;
  bool upper_zero_ = true;
};

void ReadIdentity(Fields& in, Report& out) {
  out.version = in.U32();
  out.guest_svn = in.U32();
  out.policy = ParseGuestPolicy(in.U64());
  out.family_id = in.Take(16);
  out.image_id = in.Take(16);
  out.vmpl = in.U32();
  out.signature_algorithm = in.U32();
  out.current_tcb = in.TakeTcb();
  out.platform_info = ParsePlatformInfo(in.U64());
  out.key_info = ParseKeyInfo(in.U32());
  in.Reserved(4);
  out.report_data = in.Take(64);
  out.measurement = in.Take(48);
  out.host_data = in.Take(32);
  out.id_key_digest = in.Take(48);
  out.author_key_digest = in.Take(48);
  out.report_id = in.Take(32);
  out.report_id_ma = in.Take(32);
}

void ReadPlatform(Fields& in, Report& out) {
  out.reported_tcb = in.TakeTcb();
  if (out.version >= 3) {
    out.cpuid.family = in.U8();
    out.cpuid.model = in.U8();
    out.cpuid.stepping = in.U8();
    in.Reserved(21);
  } else {
    in.Reserved(24);
  }
  out.chip_id = in.Take(kChipIdSize);
  out.committed_tcb = in.TakeTcb();
  out.current_version = in.TakeVersion();
  out.committed_version = in.TakeVersion();
  out.launch_tcb = in.TakeTcb();
  if (out.version >= 5) {
    out.launch_mitigations = in.U64();
    out.current_mitigations = in.U64();
  } else {
    in.Reserved(16);
  }
  in.Reserved(152);
}

}  // namespace

bool IsZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

std::optional<Tcb> ParseTcb(const RawTcb& raw, TcbLayout layout) {
  Tcb out;
  out.microcode = raw[7];
  if (layout == TcbLayout::kTurin) {
    out.fmc = raw[0];
    out.bootloader = raw[1];
    out.tee = raw[2];
    out.snp = raw[3];
    if (raw[4] != 0 || raw[5] != 0 || raw[6] != 0) return std::nullopt;
    return out;
  }
  out.bootloader = raw[0];
  out.tee = raw[1];
  out.snp = raw[6];
  if (raw[2] != 0 || raw[3] != 0 || raw[4] != 0 || raw[5] != 0) return std::nullopt;
  return out;
}

absl::StatusOr<Report> ParseReportUnverified(ByteView bytes) {
  if (bytes.size() != kReportSize) {
    return Malformed(
        absl::StrCat("snp: a report has ", kReportSize, " bytes; this one has ", bytes.size()));
  }
  Fields in(bytes);
  Report out{};
  ReadIdentity(in, out);
  ReadPlatform(in, out);
  out.signature = in.TakeComponent();
  out.signature += in.TakeComponent();
  if (!in.upper_zero()) out.signature.clear();
  // These bytes are outside the signature: a report must not be changeable into another that
  // verifies too.
  in.Reserved(in.left());
  out.reserved_set = in.reserved_set();
  return out;
}

}  // namespace latchkey::attestation::snp
