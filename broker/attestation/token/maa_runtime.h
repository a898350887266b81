#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/attestation/attestation_result.h"
#include "broker/attestation/evidence.h"
#include "crypto/signature.h"
#include "nlohmann/json.hpp"

namespace latchkey::attestation::token {

// `EnsureRuntimeIsAttested` writes the nested runtime of x-ms-isolation-tee back as the paravisor
// wrote it and checks that its SHA-256 (and 32 zero bytes) is the report data: then vmUniqueId and
// user-data are what the hardware signed. CLAIMS_MISMATCH otherwise, and for members that would be
// left out of the hash.
absl::Status EnsureRuntimeIsAttested(const nlohmann::json& runtime, const Bytes& report_data);

// `FindRecipientKey` returns the guest's vTPM key of the top-level x-ms-runtime: the one key with
// kid TpmEphemeralEncryptionKey. (The first key "for encryption" would be wrong: old paravisors
// mark their signing key so.) KEY_BINDING when it is not one RSA key of 2048 bits or more with
// exponent 65537.
absl::StatusOr<crypto::PublicKey> FindRecipientKey(const nlohmann::json& payload);

// `CheckNonce` compares client-payload.nonce with the one accepted form: base64 of the text that
// the guest gave, which is base64url(`nonce`). kNone when the token echoes none; NONCE_MISMATCH
// when it echoes another.
absl::StatusOr<Freshness> CheckNonce(const nlohmann::json& payload,
                                     const crypto::Sha256Digest& nonce);

}  // namespace latchkey::attestation::token
