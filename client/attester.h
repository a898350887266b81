#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "crypto/digest.h"
#include "latchkey/v1/key_release.pb.h"

namespace latchkey::client {

// `AttestationRequest` is what evidence must carry to count for one fetch
// (docs/formats/binding.md). Which member an attester uses depends on what its platform can bind.
struct AttestationRequest {
  crypto::Sha512Digest report_data;  // fills the report data of SEV-SNP
  crypto::Sha256Digest nonce;  // where 32 bytes fit and the client's own recipient key is bound
  crypto::Sha256Digest platform_nonce;  // beside a recipient key that the platform made
};

// `PlatformRecipient` is a key pair of the platform, which the evidence names itself: the vTPM key
// in an MAA token. It takes the place of the client's own fresh key.
struct PlatformRecipient {
  Bytes spki_der;  // SubjectPublicKeyInfo, RSA 2048 to 4096
  // RSA-OAEP-SHA256 decryption where the private key lives.
  std::function<absl::StatusOr<SecretBytes>(ByteView ciphertext)> decrypt;
};

struct AttesterOutput {
  std::vector<v1::Attestation> attestations;  // 1 to 4
  std::optional<PlatformRecipient> recipient;
};

// `Attester` makes evidence about the machine it runs on. It is called once a fetch, and once more
// when the challenge expired meanwhile. An error ends the fetch and names the mend. Thread-safe
// where the KeyClient is shared by threads.
class Attester {
 public:
  virtual ~Attester() = default;
  virtual absl::StatusOr<AttesterOutput> Attest(const AttestationRequest& request) = 0;
};

}  // namespace latchkey::client
