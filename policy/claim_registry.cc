#include <algorithm>
#include <deque>

#include "policy/claims.h"
#include "policy/str_cat.h"

// The table of all claims. A name is never reused with another meaning: signed policies rely on it.

namespace latchkey::policy {
namespace {

constexpr unsigned kSnpTokens = kSourceSnp | kTokenSources;
// What our SNP verifier and general tokens state, but MAA does not.
constexpr unsigned kSnpNotMaa = kSourceSnp | kSourceOtherToken;
constexpr unsigned kAzure = kSourceVtpm | kSourceMaa;

constexpr OwnerTie kNone = OwnerTie::kNone;
constexpr OwnerTie kTied = OwnerTie::kAlways;
constexpr OwnerTie kTiedOnOwnPlatform = OwnerTie::kOnOwnPlatform;

constexpr ClaimDefinition kFixedClaims[] = {
    {"attestation.age", Type::kDuration, 0, kAnySource, kAnyTee, kNone, "",
     "now - attestation.evidence_time; computed when the policy is evaluated"},
    {"attestation.binding", Type::kString, 0, kAnySource, kAnyTee, kNone, "hardware|vtpm|token_key",
     "what ties the recipient key to the evidence"},
    {"attestation.evidence_time", Type::kTimestamp, 0, kAnySource, kAnyTee, kNone, "",
     "when the evidence was made: the token's iat; where evidence holds the challenge and no time "
     "of its own, when the challenge was issued"},
    {"attestation.freshness", Type::kString, 0, kAnySource, kAnyTee, kNone,
     "challenge_in_evidence|challenge_echoed|none",
     "how the challenge of this release is held; with none, maxEvidenceAge must be set"},
    {"attestation.issuer", Type::kString, 0, kTokenSources, kAnyTee, kNone, "",
     "iss of the token, exactly"},
    {"attestation.together", Type::kString, 0, kAnySource, kAnyTee, kNone,
     "alone|same_machine|co_submitted",
     "whether attestations that came together are proven to be of one machine"},

    {"azure.attestation_type", Type::kString, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-attestation-type of the virtual machine"},
    {"azure.compliance_status", Type::kString, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-compliance-status, for instance azure-compliant-cvm"},
    {"azure.console_enabled", Type::kBool, 0, kAzure, kAnyTee, kNone, "",
     "vm-configuration: console-enabled"},
    {"azure.ostype", Type::kString, 0, kSourceMaa, kAnyTee, kNone, "", "x-ms-azurevm-ostype"},
    {"azure.secure_boot", Type::kBool, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-azurevm-is-secureboot or secureboot, as MAA judged the boot log"},
    {"azure.tpm_persisted", Type::kBool, 0, kAzure, kAnyTee, kNone, "",
     "vm-configuration: tpm-persisted"},
    {"azure.user_data", Type::kBytes, 64, kAzure, kAnyTee, kTied, "",
     "user-data that the hardware report vouches for"},
    {"azure.vm_configuration_secure_boot", Type::kBool, 0, kAzure, kAnyTee, kNone, "",
     "vm-configuration: secure-boot"},
    {"azure.vm_id", Type::kString, 0, kAzure, kAnyTee, kTied, "",
     "vm-configuration: vmUniqueId, unique to one virtual machine"},

    {"maa.attestation_protocol", Type::kString, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-azurevm-attestation-protocol-ver"},
    {"maa.boot_debug_enabled", Type::kBool, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-azurevm-bootdebug-enabled"},
    {"maa.debuggers_disabled", Type::kBool, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-azurevm-debuggersdisabled"},
    {"maa.kernel_debug_enabled", Type::kBool, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-azurevm-osdebug-enabled or kerneldebug-enabled"},
    {"maa.policy_hash", Type::kBytes, 32, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-policy-hash: the policy of the attestation provider itself"},
    {"maa.signing_disabled", Type::kBool, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-azurevm-signingdisabled"},
    {"maa.test_signing_enabled", Type::kBool, 0, kSourceMaa, kAnyTee, kNone, "",
     "x-ms-azurevm-testsigning-enabled"},
    {"maa.version", Type::kString, 0, kSourceMaa, kAnyTee, kNone, "", "x-ms-ver"},

    {"snp.author_key_digest", Type::kBytes, 48, kSnpTokens, kTeeSnp, kTiedOnOwnPlatform, "",
     "SHA-384 of the author key that signed the ID key"},
    {"snp.chip_id", Type::kBytes, 64, kSnpNotMaa, kTeeSnp, kNone, "",
     "CHIP_ID; absent when masked"},
    {"snp.chip_id_masked", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "the host hides CHIP_ID"},
    {"snp.csp_id", Type::kString, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "the cloud provider named by a VLEK certificate"},
    {"snp.family_id", Type::kBytes, 16, kSnpTokens, kTeeSnp, kNone, "", "FAMILY_ID"},
    {"snp.guest_svn", Type::kInt, 0, kSnpTokens, kTeeSnp, kNone, "", "GUEST_SVN"},
    {"snp.host_data", Type::kBytes, 32, kSnpTokens, kTeeSnp, kTied, "",
     "HOST_DATA: what the host committed to at launch, often the digest of a workload policy"},
    {"snp.id_key_digest", Type::kBytes, 48, kSnpTokens, kTeeSnp, kTiedOnOwnPlatform, "",
     "SHA-384 of the ID key that signed the launch measurement"},
    {"snp.image_id", Type::kBytes, 16, kSnpTokens, kTeeSnp, kNone, "", "IMAGE_ID"},
    {"snp.measurement", Type::kBytes, 48, kSnpTokens, kTeeSnp, kTiedOnOwnPlatform, "",
     "MEASUREMENT: the launch digest; on Azure that of the provider's paravisor, the same for "
     "every customer"},
    {"snp.mitigation.current", Type::kInt, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "CURRENT_MIT_VECTOR as a number (report version 5)"},
    {"snp.mitigation.launch", Type::kInt, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "LAUNCH_MIT_VECTOR as a number (report version 5)"},
    {"snp.platform.alias_check", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "ALIAS_CHECK_COMPLETE: memory aliases were looked for (BadRAM)"},
    {"snp.platform.ciphertext_hiding", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "CIPHERTEXT_HIDING_DRAM_EN"},
    {"snp.platform.ecc", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "", "ECC_EN"},
    {"snp.platform.rapl_disabled", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "", "RAPL_DIS"},
    {"snp.platform.smt", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "", "SMT_EN"},
    {"snp.platform.tsme", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "", "TSME_EN"},
    {"snp.policy.abi_major", Type::kInt, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "guest policy: lowest ABI major version"},
    {"snp.policy.abi_minor", Type::kInt, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "guest policy: lowest ABI minor version"},
    {"snp.policy.single_socket", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "guest policy: one socket only"},
    {"snp.product", Type::kString, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "product line, lower case: milan, genoa, turin"},
    {"snp.provisional_firmware", Type::kBool, 0, kSnpNotMaa, kTeeSnp, kNone, "",
     "current firmware is not the committed one"},
    {"snp.report_data", Type::kBytes, 64, kSnpTokens, kTeeSnp, kNone, "",
     "REPORT_DATA; the binding check has used it already"},
    {"snp.report_id", Type::kBytes, 32, kSnpTokens, kTeeSnp, kNone, "", "REPORT_ID"},
    {"snp.signing_key", Type::kString, 0, kSnpNotMaa, kTeeSnp, kNone, "vcek|vlek",
     "the kind of key that signed the report"},
    {"snp.version", Type::kInt, 0, kSnpNotMaa, kTeeSnp, kNone, "", "version of the report"},
    {"snp.vmpl", Type::kInt, 0, kSnpTokens, kTeeSnp, kNone, "",
     "privilege level that asked for the report, 0 to 3"},

    {"tee.debug", Type::kBool, 0, kAnySource, kAnyTee, kNone, "",
     "the host may read the guest's memory"},
    {"tee.migratable", Type::kBool, 0, kAnySource, kAnyTee, kNone, "",
     "a migration agent may move the guest"},
    {"tee.smt_allowed", Type::kBool, 0, kAnySource, kAnyTee, kNone, "",
     "the guest may run with simultaneous multithreading"},
    {"tee.type", Type::kString, 0, kAnySource, kAnyTee, kNone, "snp|tdx",
     "the kind of trusted execution environment"},
};

// PCRs that hold the owner's image: boot loader, kernel, command line, initrd, unified kernel
// image, shim and system identity. PCRs 0 to 3 and 5 to 7 are alike for all who rent the same
// firmware and settings; 16 to 23 can be reset from inside a running guest, so anyone can give them
// any value.
constexpr bool HoldsOwnImage(int pcr) { return pcr == 4 || (pcr >= 8 && pcr <= 15); }

std::vector<ClaimDefinition> BuildRegistry() {
  static std::deque<std::string>& texts = *new std::deque<std::string>;
  const auto keep = [](std::string text) -> std::string_view {
    return texts.emplace_back(std::move(text));
  };
  std::vector<ClaimDefinition> all(std::begin(kFixedClaims), std::end(kFixedClaims));
  for (const char* tcb : {"reported", "committed", "current", "launch"}) {
    const bool reported = std::string_view(tcb) == "reported";
    for (const char* part : {"bootloader", "tee", "snp", "microcode", "fmc"}) {
      const bool in_maa = reported && std::string_view(part) != "fmc";
      all.push_back({keep(StrCat("snp.", tcb, "_tcb.", part)), Type::kInt, 0,
                     in_maa ? kSnpTokens : kSnpNotMaa, kTeeSnp, kNone, "",
                     keep(StrCat(tcb, " TCB: security version of ", part))});
    }
  }
  for (int pcr = 0; pcr < 24; ++pcr) {
    const bool own = HoldsOwnImage(pcr);
    all.push_back({keep(StrCat("vtpm.pcr.", pcr)), Type::kBytes, 32, kSourceVtpm | kTokenSources,
                   kAnyTee, own ? kTied : kNone, "",
                   keep(StrCat("SHA-256 PCR ", pcr, own ? ", holds the owner's image" : ""))});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

}  // namespace

std::span<const ClaimDefinition> AllClaims() {
  static const std::vector<ClaimDefinition>& all =
      *new std::vector<ClaimDefinition>(BuildRegistry());
  return all;
}

}  // namespace latchkey::policy
