#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "broker/attestation/evidence.h"
#include "broker/attestation/result_maker.h"
#include "broker/attestation/token/authority.h"
#include "broker/attestation/token/verified_token.h"

// Tokens of Microsoft Azure Attestation. The guest layout (POST /attest/AzureGuest) nests what the
// hardware said under x-ms-isolation-tee and holds a vTPM key of the guest, which binds; the
// platform layout (POST /attest/SevSnpVm) has hardware claims at the top and no key that we accept,
// so it serves inspection only.

namespace latchkey::attestation::token {

inline constexpr SigningRules kMaaSigningRules = {
    "RS256", crypto::SignatureAlgorithm::kRsaPkcs1Sha256, "/certs"};

// `AppraiseMaa` judges what a token says. CLAIMS_MISSING when it does not speak of a confidential
// VM, CLAIM_TYPE, CLAIMS_MISMATCH when it contradicts itself or a pin, UNSUPPORTED for Intel TDX;
// where a binding is expected, KEY_BINDING unless the recipient is the token's vTPM key, and
// NONCE_MISMATCH when it echoes another nonce.
absl::StatusOr<Appraised> AppraiseMaa(const VerifiedToken& token, const Authority& authority,
                                      const std::optional<ExpectedBinding>& expected);

}  // namespace latchkey::attestation::token
