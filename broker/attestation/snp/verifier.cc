#include "broker/attestation/snp/verifier.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/attestation/refusals.h"
#include "broker/attestation/result_maker.h"
#include "broker/attestation/snp/cert_table.h"
#include "broker/attestation/snp/chain.h"
#include "broker/attestation/snp/claims.h"
#include "broker/attestation/snp/report.h"
#include "broker/attestation/snp/roots.h"

namespace latchkey::attestation::snp {
namespace {

using crypto::Certificate;

constexpr uint32_t kEcdsaP384Sha384 = 1;
constexpr uint32_t kMaxVmpl = 3;
constexpr uint32_t kHostRequested = 0xFFFFFFFF;

absl::Status EnsureVersionKnown(const Report& report) {
  if (report.version == 2 || report.version == 3 || report.version == 5) return absl::OkStatus();
  return Unsupported(
      absl::StrCat("snp: report version ", report.version, "; versions 2, 3 and 5 are understood"));
}

absl::Status EnsureSignatureAlgorithmKnown(const Report& report) {
  if (report.signature_algorithm == kEcdsaP384Sha384) return absl::OkStatus();
  return Unsupported(absl::StrCat("snp: signature algorithm ", report.signature_algorithm,
                                  "; only 1 (ECDSA P-384 with SHA-384) is understood"));
}

// With MASK_CHIP_KEY the firmware writes zeros where the signature goes: such a report proves
// nothing.
absl::Status EnsureSigned(const Report& report) {
  if (report.key_info.mask_chip_key) {
    return Unproven("BAD_SIGNATURE",
                    "snp: the report is not signed, as the host set MASK_CHIP_KEY; ask the host to "
                    "clear it");
  }
  const SigningKey key = report.key_info.signing_key;
  if (key == SigningKey::kVcek || key == SigningKey::kVlek) return absl::OkStatus();
  return Unsupported(absl::StrCat("snp: SIGNING_KEY ", static_cast<int>(key),
                                  "; 0 (VCEK) and 1 (VLEK) are understood"));
}

// A guest policy that we do not understand whole may grant something.
absl::Status EnsureGuestPolicyKnown(const Report& report) {
  if (!report.policy.reserved_one) {
    return Unsupported("snp: guest policy bit 17 is 0; firmware demands 1");
  }
  if (report.policy.reserved != 0) {
    return Unsupported(absl::StrCat("snp: guest policy has unknown bits: ",
                                    absl::Hex(report.policy.reserved), " from bit 26 up"));
  }
  return absl::OkStatus();
}

absl::Status EnsureAskedByGuest(const Report& report) {
  if (report.vmpl == kHostRequested) {
    return Unsupported("snp: the host asked for this report, not the guest");
  }
  if (report.vmpl > kMaxVmpl) {
    return Unsupported(absl::StrCat("snp: VMPL ", report.vmpl, "; 0 to 3 exist"));
  }
  return absl::OkStatus();
}

absl::Status EnsureReservedZero(const Report& report) {
  if (!report.reserved_set && report.key_info.reserved == 0) return absl::OkStatus();
  return Unsupported(
      absl::StrCat("snp: report of version ", report.version, " has reserved bytes set"));
}

// From version 3 on the processor says what it is; version 2 leaves it to the certificate, and
// chips that came later never make one.
absl::Status EnsureProductKnown(const Report& report) {
  if (report.version < 3 || ProductOfCpu(report.cpuid).has_value()) return absl::OkStatus();
  return Unsupported(absl::StrCat("snp: processor family ", absl::Hex(report.cpuid.family),
                                  "h model ", absl::Hex(report.cpuid.model),
                                  "h is of no product with a pinned root"));
}

absl::Status EnsureProductMatches(const Report& report, const LeafCertificate& leaf) {
  if (report.version < 3) {
    if (leaf.product.layout == TcbLayout::kMilanGenoa) return absl::OkStatus();
    return Unsupported(
        absl::StrCat("snp: report version 2 beside a certificate for ", leaf.product.name));
  }
  const std::optional<Product> product = ProductOfCpu(report.cpuid);
  if (product.has_value() && product->name == leaf.product.name) return absl::OkStatus();
  return Unproven("CHIP_MISMATCH", absl::StrCat("snp: the processor is of ",
                                                product.has_value() ? product->name : "?",
                                                ", the certificate for ", leaf.product.name));
}

absl::Status EnsureSignatureVerifies(const Report& report, ByteView bytes,
                                     const crypto::PublicKey& key) {
  if (!report.signature.empty() &&
      crypto::VerifySignature(key, crypto::SignatureAlgorithm::kEcdsaP384Sha384,
                              bytes.first(kSignedSize), AsBytes(report.signature))
          .ok()) {
    return absl::OkStatus();
  }
  return Unproven("BAD_SIGNATURE", "snp: the signature of the report does not verify");
}

// The key was derived for exactly one TCB: a host that reports an older or newer one has another
// key.
absl::Status EnsureTcbMatches(const Report& report, const LeafCertificate& leaf) {
  if (ParseTcb(report.reported_tcb, leaf.product.layout) == leaf.tcb) return absl::OkStatus();
  return Unproven("TCB_MISMATCH",
                  absl::StrCat("snp: reported TCB ", HexEncode(report.reported_tcb),
                               " is not that of the ", std::string(SigningKeyName(leaf.kind)),
                               " certificate; send the certificate for the reported TCB"));
}

absl::Status EnsureChipMatches(const Report& report, const LeafCertificate& leaf) {
  if (leaf.kind == SigningKey::kVlek) return absl::OkStatus();  // made for all chips of a provider
  if (IsZero(report.chip_id)) {
    return Unproven("CHIP_MISMATCH",
                    "snp: the chip id is masked, so the VCEK cannot be tied to the chip; ask the "
                    "host to clear MASK_CHIP_ID");
  }
  // Turin has 8 bytes of id, the rest of the field is zero.
  Bytes hwid = leaf.hwid;
  hwid.resize(kChipIdSize, '\0');
  if (hwid == report.chip_id) return absl::OkStatus();
  return Unproven(
      "CHIP_MISMATCH",
      absl::StrCat("snp: the report is of chip ", HexEncode(AsBytes(report.chip_id)).substr(0, 16),
                   "..., the certificate of chip ", HexEncode(AsBytes(leaf.hwid)).substr(0, 16),
                   "..."));
}

absl::Status EnsureBound(const Report& report, const ExpectedBinding& expected) {
  if (ConstantTimeEquals(AsBytes(report.report_data), expected.report_data)) {
    return absl::OkStatus();
  }
  return Unproven("BINDING_MISMATCH",
                  "snp: report data is not SHA-512 of this request's binding; make the report with "
                  "the challenge and recipient key that are sent");
}

// The checks on the report alone, cheapest first (before any signature is computed).
absl::Status EnsureStructure(const Report& report) {
  RETURN_IF_ERROR(EnsureVersionKnown(report));
  RETURN_IF_ERROR(EnsureSignatureAlgorithmKnown(report));
  RETURN_IF_ERROR(EnsureSigned(report));
  RETURN_IF_ERROR(EnsureGuestPolicyKnown(report));
  RETURN_IF_ERROR(EnsureAskedByGuest(report));
  RETURN_IF_ERROR(EnsureReservedZero(report));
  return EnsureProductKnown(report);
}

// The certificate that SIGNING_KEY calls for. What was supplied never decides which key counts;
// other certificates are ignored.
absl::StatusOr<Certificate> ChooseLeaf(const std::vector<Certificate>& supplied, SigningKey kind) {
  const std::string name = absl::StrCat("SEV-", std::string(SigningKeyName(kind)));
  const Certificate* chosen = nullptr;
  for (const Certificate& certificate : supplied) {
    if (certificate.subject_common_name() != name) continue;
    if (chosen != nullptr && AsText(chosen->der()) != AsText(certificate.der())) {
      return Malformed(absl::StrCat("snp: two different ", name, " certificates; send one"));
    }
    chosen = &certificate;
  }
  if (chosen != nullptr) return *chosen;
  return Unproven("CHAIN_DENIED",
                  absl::StrCat("snp: the report is signed by the ", name,
                               " key, whose certificate did not come; send it as an endorsement"));
}

class SnpVerifierImpl final : public SnpVerifier {
 public:
  explicit SnpVerifierImpl(Roots roots) : roots_(std::move(roots)), chain_(roots_) {}

  absl::StatusOr<AttestationResult> Appraise(const Evidence& evidence,
                                             const std::optional<ExpectedBinding>& expected,
                                             absl::Time now) override {
    const ByteView bytes = AsBytes(evidence.bytes);
    ASSIGN_OR_RETURN(const Report report, ParseReportUnverified(bytes));
    RETURN_IF_ERROR(EnsureStructure(report));
    ASSIGN_OR_RETURN(const std::vector<Certificate> supplied,
                     ParseEndorsements(evidence.endorsements));
    const SigningKey kind = report.key_info.signing_key;
    ASSIGN_OR_RETURN(const Certificate certificate, ChooseLeaf(supplied, kind));
    ASSIGN_OR_RETURN(const auto verified, chain_.Verify(certificate, kind, now));
    const LeafCertificate& leaf = verified->leaf();
    RETURN_IF_ERROR(EnsureSignatureVerifies(report, bytes, verified->key()));
    RETURN_IF_ERROR(EnsureProductMatches(report, leaf));
    RETURN_IF_ERROR(EnsureTcbMatches(report, leaf));
    RETURN_IF_ERROR(EnsureChipMatches(report, leaf));
    ASSIGN_OR_RETURN(policy::Claims claims, MakeClaims(report, leaf));
    Appraised appraised{std::move(claims)};
    if (expected.has_value()) {
      RETURN_IF_ERROR(EnsureBound(report, *expected));
      appraised.binding = Binding::kHardware;
      appraised.freshness = Freshness::kChallengeInEvidence;
    }
    return ResultMaker::Make(std::move(appraised), evidence, roots_.digest());
  }

 private:
  const Roots roots_;
  ChainVerifier chain_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SnpVerifier>> SnpVerifier::Create(const SnpConfig& config) {
  ASSIGN_OR_RETURN(Roots roots, Roots::Create(config.extra_roots));
  return std::make_unique<SnpVerifierImpl>(std::move(roots));
}

}  // namespace latchkey::attestation::snp
