#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/attestation/attestation_result.h"
#include "broker/attestation/evidence.h"
#include "crypto/x509.h"

namespace latchkey::attestation {

// `AuthorityConfig` is one outside verifier whose tokens count, under `name` in policies (`source:
// name`).
struct AuthorityConfig {
  std::string name;
  std::string profile;  // "maa"
  std::string issuer;   // compared exactly with `iss`
  std::string jwks;     // the key set as JSON text
  // x-ms-policy-hash values (base64url of 32 bytes) that count; empty: any, and check-config warns.
  std::vector<std::string> policy_hashes;
};

// `SnpConfig` is how SEV-SNP reports are verified. AMD's roots are built in.
struct SnpConfig {
  bool enabled = true;
  // Further ARK certificates with their ASKs. latchkeyd offers no way to set them: they are for the
  // software TEE and tests.
  struct Root {
    std::string product;  // the product name whose chips it speaks for
    crypto::Certificate ark;
    std::vector<crypto::Certificate> intermediates;
  };
  std::vector<Root> extra_roots;
};

// `Verifiers` holds every verifier of one configuration. Immutable and thread-safe.
class Verifiers {
 public:
  virtual ~Verifiers() = default;
  // Appraises one piece of evidence at `now`. `expected` absent means offline inspection: binding
  // kNone. Refusals carry an audit reason (base/reason.h): MALFORMED, ISSUER_UNKNOWN, ALG_DENIED,
  // KEY_UNKNOWN, BAD_SIGNATURE, TIME_INVALID, CLAIMS_MISSING, CLAIM_TYPE, NONCE_MISMATCH,
  // KEY_BINDING, UNSUPPORTED, CHAIN_DENIED, TCB_MISMATCH, CHIP_MISMATCH, BINDING_MISMATCH, ...
  virtual absl::StatusOr<AttestationResult> Appraise(const Evidence& evidence,
                                                     const std::optional<ExpectedBinding>& expected,
                                                     absl::Time now) const = 0;
  // Warnings of loading (keys left out, no policy hash pinned), for check-config and the log.
  virtual const std::vector<std::string>& warnings() const = 0;
  // The configured source names, "hardware" among them when SNP is enabled.
  virtual std::vector<std::string> sources() const = 0;
};

absl::StatusOr<std::unique_ptr<Verifiers>> MakeVerifiers(
    const std::vector<AuthorityConfig>& authorities, const SnpConfig& snp);

}  // namespace latchkey::attestation
