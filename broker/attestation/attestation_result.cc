#include "broker/attestation/attestation_result.h"

#include "base/check.h"

namespace latchkey::attestation {

std::string_view BindingName(Binding binding) {
  switch (binding) {
    case Binding::kNone:
      return "none";
    case Binding::kHardware:
      return "hardware";
    case Binding::kVtpm:
      return "vtpm";
    case Binding::kTokenKey:
      return "token_key";
  }
  LATCHKEY_CHECK(false);
}

std::string_view FreshnessName(Freshness freshness) {
  switch (freshness) {
    case Freshness::kNone:
      return "none";
    case Freshness::kChallengeInEvidence:
      return "challenge_in_evidence";
    case Freshness::kChallengeEchoed:
      return "challenge_echoed";
  }
  LATCHKEY_CHECK(false);
}

}  // namespace latchkey::attestation
