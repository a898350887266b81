#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/attestation/verifier.h"
#include "crypto/digest.h"
#include "crypto/x509.h"

namespace latchkey::attestation::snp {

// `Roots` are the trust anchors of SEV-SNP: AMD's ARKs, pinned by fingerprint, and what SnpConfig
// adds. Evidence never adds one (google/go-sev-guest#185 is what happens otherwise). Immutable and
// thread-safe.
class Roots {
 public:
  // An intermediate (ASK or ASVK) whose signature by a pinned ARK was verified; both certificates
  // have dates of their own.
  struct Issuer {
    std::string product;
    crypto::Certificate intermediate;
    crypto::Certificate ark;
  };

  // InvalidArgument when an added root is not self-signed or did not sign its intermediates with
  // RSASSA-PSS SHA-384.
  static absl::StatusOr<Roots> Create(const std::vector<SnpConfig::Root>& extra_roots);

  // The issuers of `product` whose subject is `common_name`: "SEV-Milan", "SEV-VLEK-Milan".
  std::vector<const Issuer*> Find(std::string_view product, std::string_view common_name) const;

  // SHA-256 over the fingerprints of all ARKs and the product each speaks for.
  const crypto::Sha256Digest& digest() const { return digest_; }

 private:
  absl::Status Add(const SnpConfig::Root& root);

  std::vector<Issuer> issuers_;
  crypto::Sha256Digest digest_{};
};

}  // namespace latchkey::attestation::snp
