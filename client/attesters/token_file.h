#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/attester.h"

namespace latchkey::client {

// `ReadRecipientKey` makes a platform recipient of an RSA private key in a PEM file (secret-file
// rules).
absl::StatusOr<PlatformRecipient> ReadRecipientKey(const std::string& path);

// `MakeTokenFileAttester` sends the attestation token in `token_path` as it is, with the RSA key in
// `recipient_key_path` as the recipient that the token names. The token is read anew at each fetch.
// It takes the place of a vTPM in tests and trials: on a confidential VM the private key lives in
// the vTPM and never in a file.
absl::StatusOr<std::unique_ptr<Attester>> MakeTokenFileAttester(
    std::string token_path, const std::string& recipient_key_path);

}  // namespace latchkey::client
