#pragma once

// Included by the .cc files of verifiers only: making a result is what a verifier is for.

#include <utility>

#include "broker/attestation/attestation_result.h"
#include "broker/attestation/evidence.h"

namespace latchkey::attestation {

// `Appraised` is what a verifier found out about one piece of evidence.
struct Appraised {
  policy::Claims claims;
  Binding binding = Binding::kNone;
  Freshness freshness = Freshness::kNone;
};

class ResultMaker {
 public:
  // Adds attestation.binding and attestation.freshness to the claims: every source states them
  // alike.
  static AttestationResult Make(Appraised appraised, const Evidence& evidence,
                                const crypto::Sha256Digest& verifier_digest) {
    if (appraised.binding != Binding::kNone) {
      appraised.claims.Set("attestation.binding", std::string(BindingName(appraised.binding)));
    }
    appraised.claims.Set("attestation.freshness", std::string(FreshnessName(appraised.freshness)));
    return AttestationResult(std::move(appraised.claims), appraised.binding, appraised.freshness,
                             crypto::Sha256(AsBytes(evidence.bytes)), verifier_digest);
  }
};

}  // namespace latchkey::attestation
