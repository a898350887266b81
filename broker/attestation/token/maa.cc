#include "broker/attestation/token/maa.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "broker/attestation/refusals.h"
#include "broker/attestation/token/json_claims.h"
#include "broker/attestation/token/maa_runtime.h"

namespace latchkey::attestation::token {
namespace {

using nlohmann::json;
using policy::Claims;

// What the SEV-SNP report said, as MAA read it: under x-ms-isolation-tee, or at the top of a
// platform token.
constexpr ClaimMapping kSnpClaims[] = {
    {"x-ms-sevsnpvm-is-debuggable", "tee.debug", true},
    {"x-ms-sevsnpvm-launchmeasurement", "snp.measurement", true},
    {"x-ms-sevsnpvm-reportdata", "snp.report_data", true},
    {"x-ms-sevsnpvm-migration-allowed", "tee.migratable"},
    {"x-ms-sevsnpvm-smt-allowed", "tee.smt_allowed"},
    {"x-ms-sevsnpvm-authorkeydigest", "snp.author_key_digest", false, 0, true},
    {"x-ms-sevsnpvm-idkeydigest", "snp.id_key_digest", false, 0, true},
    {"x-ms-sevsnpvm-familyId", "snp.family_id"},
    {"x-ms-sevsnpvm-imageId", "snp.image_id"},
    {"x-ms-sevsnpvm-hostdata", "snp.host_data"},
    {"x-ms-sevsnpvm-reportid", "snp.report_id"},
    {"x-ms-sevsnpvm-guestsvn", "snp.guest_svn", false, UINT32_MAX},
    {"x-ms-sevsnpvm-vmpl", "snp.vmpl", false, 3},
    {"x-ms-sevsnpvm-bootloader-svn", "snp.reported_tcb.bootloader", false, 255},
    {"x-ms-sevsnpvm-tee-svn", "snp.reported_tcb.tee", false, 255},
    {"x-ms-sevsnpvm-snpfw-svn", "snp.reported_tcb.snp", false, 255},
    {"x-ms-sevsnpvm-microcode-svn", "snp.reported_tcb.microcode", false, 255},
    {"x-ms-compliance-status", "azure.compliance_status"},
};

// What the paravisor put into the runtime data that the report vouches for.
constexpr ClaimMapping kVmConfigurationClaims[] = {
    {"vmUniqueId", "azure.vm_id", true},
    {"console-enabled", "azure.console_enabled"},
    {"secure-boot", "azure.vm_configuration_secure_boot"},
    {"tpm-persisted", "azure.tpm_persisted"},
};
constexpr ClaimMapping kRuntimeClaims[] = {{"user-data", "azure.user_data"}};

// What MAA itself found in the guest's boot log and settings. Newer names win over older ones.
constexpr ClaimMapping kGuestClaims[] = {
    {"secureboot", "azure.secure_boot"},
    {"x-ms-azurevm-is-secureboot", "azure.secure_boot"},
    {"x-ms-azurevm-ostype", "azure.ostype"},
    {"x-ms-azurevm-attestation-protocol-ver", "maa.attestation_protocol"},
    {"x-ms-azurevm-bootdebug-enabled", "maa.boot_debug_enabled"},
    {"x-ms-azurevm-debuggersdisabled", "maa.debuggers_disabled"},
    {"x-ms-azurevm-kerneldebug-enabled", "maa.kernel_debug_enabled"},
    {"x-ms-azurevm-osdebug-enabled", "maa.kernel_debug_enabled"},
    {"x-ms-azurevm-signingdisabled", "maa.signing_disabled"},
    {"x-ms-azurevm-testsigning-enabled", "maa.test_signing_enabled"},
};

constexpr ClaimMapping kTokenClaims[] = {
    {"x-ms-attestation-type", "azure.attestation_type", true},
    {"x-ms-ver", "maa.version", true},
};

absl::Status Mismatch(std::string_view message) { return Unproven("CLAIMS_MISMATCH", message); }

// `Layout` is where a token speaks of the hardware.
struct Layout {
  const json* hardware;
  bool guest;
};

absl::Status UnknownType(const std::string& type) {
  if (type == "tdxvm") {
    return Unsupported("token: of an Intel TDX machine; SEV-SNP tokens are understood");
  }
  if (type == "sgx") {
    return Unproven("CLAIMS_MISSING", "token: of an SGX enclave, not of a confidential VM");
  }
  return Mismatch(absl::StrCat("token: x-ms-attestation-type \"", type.substr(0, 32),
                               "\"; azurevm and sevsnpvm are understood"));
}

absl::StatusOr<Layout> FindLayout(const json& payload) {
  const std::string type = JsonString(payload, "x-ms-attestation-type").value_or("");
  if (type == "sevsnpvm") return Layout{&payload, false};
  if (type != "azurevm") return UnknownType(type);
  const json* hardware = ObjectMember(payload, "x-ms-isolation-tee");
  // Trusted Launch machines have such tokens too: genuine, and of no TEE.
  if (hardware == nullptr) {
    return Unproven("CLAIMS_MISSING",
                    "token: x-ms-isolation-tee is missing: the machine is not a confidential VM");
  }
  const std::string tee = JsonString(*hardware, "x-ms-attestation-type").value_or("");
  if (tee != "sevsnpvm") return UnknownType(tee);
  return Layout{hardware, true};
}

absl::Status EnsureVersionKnown(const json& payload) {
  if (JsonString(payload, "x-ms-ver").value_or("") == "1.0") return absl::OkStatus();
  return Mismatch("token: x-ms-ver is not \"1.0\"");
}

absl::Status EnsureCompliant(const json& hardware) {
  const auto status = hardware.find("x-ms-compliance-status");
  if (status == hardware.end() || *status == "azure-compliant-cvm") return absl::OkStatus();
  return Mismatch("token: x-ms-compliance-status is not \"azure-compliant-cvm\"");
}

// All customers of a region share one signing key, and each writes the policy of its own provider:
// the hash says which one spoke.
absl::Status CheckPolicyHash(const json& payload, const Authority& authority, Claims& claims) {
  const auto text = JsonString(payload, "x-ms-policy-hash");
  if (!text.ok() && authority.policy_hashes.empty() && !payload.contains("x-ms-policy-hash")) {
    return absl::OkStatus();
  }
  const auto hash = Base64UrlDecode(text.value_or(""));
  if (!hash.ok() || hash->size() != crypto::Sha256Digest().size()) {
    return Unproven("CLAIM_TYPE", "token: x-ms-policy-hash is not base64url of 32 bytes");
  }
  const auto& pinned = authority.policy_hashes;
  if (!pinned.empty() && std::find(pinned.begin(), pinned.end(), *hash) == pinned.end()) {
    return Mismatch(absl::StrCat("token: x-ms-policy-hash ", *text, " is not one that authority ",
                                 authority.name, " pins"));
  }
  claims.Set("maa.policy_hash", policy::BytesValue{*hash});
  return absl::OkStatus();
}

bool IsGuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(text[i])) return false;
  }
  return true;
}

// MAA writes the id twice, in upper case; policies compare lower case.
absl::Status NormalizeVmId(const json& payload, Claims& claims) {
  const policy::Value* found = claims.Find("azure.vm_id");
  LATCHKEY_CHECK(found != nullptr);
  const std::string vm_id = absl::AsciiStrToLower(*found->Get<std::string>());
  if (!IsGuid(vm_id)) return Unproven("CLAIM_TYPE", "token: vmUniqueId is not a GUID");
  const auto outer = JsonString(payload, "x-ms-azurevm-vmid");
  if (outer.ok() && absl::AsciiStrToLower(*outer) != vm_id) {
    return Mismatch("token: x-ms-azurevm-vmid and vmUniqueId are two machines");
  }
  claims.Set("azure.vm_id", vm_id);
  return absl::OkStatus();
}

absl::Status AddGuestClaims(const json& payload, const json& hardware, Claims& claims) {
  const json* runtime = ObjectMember(hardware, "x-ms-runtime");
  if (runtime == nullptr) {
    return Unproven("CLAIMS_MISSING", "token: x-ms-isolation-tee.x-ms-runtime is missing");
  }
  const auto* report_data = claims.Find("snp.report_data")->Get<policy::BytesValue>();
  RETURN_IF_ERROR(EnsureRuntimeIsAttested(*runtime, report_data->bytes));
  RETURN_IF_ERROR(MapClaims(*runtime, kRuntimeClaims, claims));
  RETURN_IF_ERROR(MapClaims((*runtime)["vm-configuration"], kVmConfigurationClaims, claims));
  RETURN_IF_ERROR(NormalizeVmId(payload, claims));
  return MapClaims(payload, kGuestClaims, claims);
}

absl::Status EnsureRecipientIs(const crypto::PublicKey& token_key,
                               const ExpectedBinding& expected) {
  if (expected.rsa_recipient_spki.empty()) {
    return Unproven(
        "KEY_BINDING",
        "token: it binds the vTPM's RSA key; ask for the release to that key, not to an "
        "HPKE key");
  }
  if (expected.rsa_recipient_spki == token_key.SpkiDer()) return absl::OkStatus();
  return Unproven("KEY_BINDING",
                  "token: the recipient key of the request is not the vTPM key of the token");
}

absl::Status Bind(const VerifiedToken& token, bool guest, const ExpectedBinding& expected,
                  Appraised& appraised) {
  if (!guest) {
    return Unproven("KEY_BINDING",
                    "token: a platform token (sevsnpvm) holds no vTPM key; get one from the guest "
                    "attestation API (azurevm)");
  }
  ASSIGN_OR_RETURN(const crypto::PublicKey key, FindRecipientKey(token.payload()));
  RETURN_IF_ERROR(EnsureRecipientIs(key, expected));
  ASSIGN_OR_RETURN(appraised.freshness, CheckNonce(token.payload(), expected.platform_key_nonce));
  appraised.binding = Binding::kTokenKey;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Appraised> AppraiseMaa(const VerifiedToken& token, const Authority& authority,
                                      const std::optional<ExpectedBinding>& expected) {
  const json& payload = token.payload();
  Appraised appraised{Claims(authority.name, policy::kSourceMaa)};
  Claims& claims = appraised.claims;
  RETURN_IF_ERROR(EnsureVersionKnown(payload));
  RETURN_IF_ERROR(CheckPolicyHash(payload, authority, claims));
  ASSIGN_OR_RETURN(const Layout layout, FindLayout(payload));
  RETURN_IF_ERROR(EnsureCompliant(*layout.hardware));
  claims.Set("tee.type", "snp");
  RETURN_IF_ERROR(MapClaims(payload, kTokenClaims, claims));
  RETURN_IF_ERROR(MapClaims(*layout.hardware, kSnpClaims, claims));
  if (layout.guest) RETURN_IF_ERROR(AddGuestClaims(payload, *layout.hardware, claims));
  claims.Set("attestation.evidence_time", token.issued_at());
  claims.Set("attestation.issuer", authority.issuer);
  claims.SetRawToken(Flatten(payload));
  if (expected.has_value()) RETURN_IF_ERROR(Bind(token, layout.guest, *expected, appraised));
  return appraised;
}

}  // namespace latchkey::attestation::token
