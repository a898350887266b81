#pragma once

#include <string>
#include <utility>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "policy/claims.h"

namespace latchkey::attestation {

// How the recipient key is bound to the attested machine; kNone only where no binding was expected
// (offline inspection).
enum class Binding { kNone, kHardware, kVtpm, kTokenKey };
enum class Freshness { kNone, kChallengeInEvidence, kChallengeEchoed };

std::string_view BindingName(Binding binding);  // "none", "hardware", "vtpm", "token_key"
std::string_view FreshnessName(
    Freshness freshness);  // "none", "challenge_in_evidence", "challenge_echoed"

// `AttestationResult` is evidence that a verifier appraised: signature, chain, dates and, where
// expected, binding hold. Only a verifier can make one. Policy has not spoken yet.
class AttestationResult {
 public:
  const policy::Claims& claims() const { return claims_; }
  Binding binding() const { return binding_; }
  Freshness freshness() const { return freshness_; }
  // SHA-256 of the evidence bytes.
  const crypto::Sha256Digest& evidence_digest() const { return evidence_digest_; }
  // SHA-256 over what vouched: the authority definition or the roots, for the closure digest.
  const crypto::Sha256Digest& verifier_digest() const { return verifier_digest_; }

 private:
  friend class ResultMaker;  // in the .cc files of the verifiers: see result_maker.h
  AttestationResult(policy::Claims claims, Binding binding, Freshness freshness,
                    crypto::Sha256Digest evidence_digest, crypto::Sha256Digest verifier_digest)
      : claims_(std::move(claims)),
        binding_(binding),
        freshness_(freshness),
        evidence_digest_(evidence_digest),
        verifier_digest_(verifier_digest) {}

  policy::Claims claims_;
  Binding binding_;
  Freshness freshness_;
  crypto::Sha256Digest evidence_digest_;
  crypto::Sha256Digest verifier_digest_;
};

}  // namespace latchkey::attestation
