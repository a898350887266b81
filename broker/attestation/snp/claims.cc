#include "broker/attestation/snp/claims.h"

#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/attestation/refusals.h"

namespace latchkey::attestation::snp {
namespace {

using policy::BytesValue;
using policy::Claims;

void SetTcb(Claims& claims, const char* name, const Tcb& tcb) {
  const std::string prefix = absl::StrCat("snp.", name, "_tcb.");
  claims.Set(prefix + "bootloader", int{tcb.bootloader});
  claims.Set(prefix + "tee", int{tcb.tee});
  claims.Set(prefix + "snp", int{tcb.snp});
  claims.Set(prefix + "microcode", int{tcb.microcode});
  if (tcb.fmc.has_value()) claims.Set(prefix + "fmc", int{*tcb.fmc});
}

absl::Status SetTcbs(Claims& claims, const Report& report, TcbLayout layout) {
  const std::pair<const char*, const RawTcb*> all[] = {{"reported", &report.reported_tcb},
                                                       {"committed", &report.committed_tcb},
                                                       {"current", &report.current_tcb},
                                                       {"launch", &report.launch_tcb}};
  for (const auto& [name, raw] : all) {
    const std::optional<Tcb> tcb = ParseTcb(*raw, layout);
    if (!tcb.has_value()) {
      return Unsupported(absl::StrCat("snp: ", name, " TCB ", HexEncode(*raw),
                                      " uses bytes that this product does not have"));
    }
    SetTcb(claims, name, *tcb);
  }
  // Firmware that the host can still roll back.
  claims.Set("snp.provisional_firmware", report.current_tcb != report.committed_tcb ||
                                             report.current_version != report.committed_version);
  return absl::OkStatus();
}

void SetGuest(Claims& claims, const Report& report) {
  const GuestPolicy& policy = report.policy;
  claims.Set("tee.type", "snp");
  claims.Set("tee.debug", policy.debug);
  claims.Set("tee.migratable", policy.migrate_ma);
  claims.Set("tee.smt_allowed", policy.smt_allowed);
  claims.Set("snp.policy.abi_major", int{policy.abi_major});
  claims.Set("snp.policy.abi_minor", int{policy.abi_minor});
  claims.Set("snp.policy.single_socket", policy.single_socket);
  claims.Set("snp.version", int64_t{report.version});
  claims.Set("snp.guest_svn", int64_t{report.guest_svn});
  claims.Set("snp.vmpl", int64_t{report.vmpl});
  claims.Set("snp.family_id", BytesValue{report.family_id});
  claims.Set("snp.image_id", BytesValue{report.image_id});
  claims.Set("snp.report_data", BytesValue{report.report_data});
  claims.Set("snp.measurement", BytesValue{report.measurement});
  claims.Set("snp.host_data", BytesValue{report.host_data});
  claims.Set("snp.report_id", BytesValue{report.report_id});
  // All zero means that there was no such key, and what is absent is not stated.
  if (!IsZero(report.id_key_digest)) {
    claims.Set("snp.id_key_digest", BytesValue{report.id_key_digest});
  }
  if (!IsZero(report.author_key_digest)) {
    claims.Set("snp.author_key_digest", BytesValue{report.author_key_digest});
  }
}

void SetPlatform(Claims& claims, const Report& report) {
  const PlatformInfo& info = report.platform_info;
  claims.Set("snp.platform.smt", info.smt_enabled);
  claims.Set("snp.platform.tsme", info.tsme_enabled);
  claims.Set("snp.platform.ecc", info.ecc_enabled);
  claims.Set("snp.platform.rapl_disabled", info.rapl_disabled);
  claims.Set("snp.platform.ciphertext_hiding", info.ciphertext_hiding);
  claims.Set("snp.platform.alias_check", info.alias_check_complete);
  const bool masked = IsZero(report.chip_id);
  claims.Set("snp.chip_id_masked", masked);
  if (!masked) claims.Set("snp.chip_id", BytesValue{report.chip_id});
}

// A vector that no int64 holds stays absent, which no policy accepts.
void SetMitigation(Claims& claims, const char* name, uint64_t vector) {
  if (vector <= uint64_t{std::numeric_limits<int64_t>::max()}) {
    claims.Set(name, static_cast<int64_t>(vector));
  }
}

}  // namespace

absl::StatusOr<Claims> MakeClaims(const Report& report, const LeafCertificate& leaf) {
  Claims claims{std::string(policy::kHardwareSourceName), policy::kSourceSnp};
  SetGuest(claims, report);
  SetPlatform(claims, report);
  RETURN_IF_ERROR(SetTcbs(claims, report, leaf.product.layout));
  if (report.version >= 5) {
    SetMitigation(claims, "snp.mitigation.launch", report.launch_mitigations);
    SetMitigation(claims, "snp.mitigation.current", report.current_mitigations);
  }
  claims.Set("snp.product", absl::AsciiStrToLower(leaf.product.name));
  claims.Set("snp.signing_key", absl::AsciiStrToLower(std::string(SigningKeyName(leaf.kind))));
  if (!leaf.csp_id.empty()) claims.Set("snp.csp_id", leaf.csp_id);
  return claims;
}

}  // namespace latchkey::attestation::snp
