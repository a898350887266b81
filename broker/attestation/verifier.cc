#include "broker/attestation/verifier.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/attestation/refusals.h"
#include "broker/attestation/result_maker.h"
#include "broker/attestation/snp/verifier.h"
#include "broker/attestation/token/authority.h"
#include "broker/attestation/token/maa.h"
#include "broker/attestation/token/verified_token.h"

namespace latchkey::attestation {
namespace {

class VerifiersImpl final : public Verifiers {
 public:
  VerifiersImpl(std::vector<token::Authority> authorities, std::unique_ptr<snp::SnpVerifier> snp,
                std::vector<std::string> warnings)
      : authorities_(std::move(authorities)),
        snp_(std::move(snp)),
        warnings_(std::move(warnings)) {}

  absl::StatusOr<AttestationResult> Appraise(const Evidence& evidence,
                                             const std::optional<ExpectedBinding>& expected,
                                             absl::Time now) const override {
    switch (evidence.kind) {
      case EvidenceKind::kSnpReport:
        if (snp_ == nullptr) {
          return Unsupported("snp: this broker does not verify SEV-SNP reports itself");
        }
        return snp_->Appraise(evidence, expected, now);
      case EvidenceKind::kToken:
        return AppraiseToken(evidence, expected, now);
    }
    return Malformed("evidence of an unknown kind");
  }

  const std::vector<std::string>& warnings() const override { return warnings_; }

  std::vector<std::string> sources() const override {
    std::vector<std::string> names;
    if (snp_ != nullptr) names.emplace_back(policy::kHardwareSourceName);
    for (const token::Authority& authority : authorities_) names.push_back(authority.name);
    return names;
  }

 private:
  absl::StatusOr<AttestationResult> AppraiseToken(const Evidence& evidence,
                                                  const std::optional<ExpectedBinding>& expected,
                                                  absl::Time now) const {
    ASSIGN_OR_RETURN(token::UnverifiedToken parsed, token::ParseTokenUnverified(evidence.bytes));
    ASSIGN_OR_RETURN(const token::Authority* authority,
                     FindAuthority(token::IssuerUnverified(parsed)));
    ASSIGN_OR_RETURN(
        const token::VerifiedToken verified,
        token::VerifiedToken::Verify(std::move(parsed), *authority, token::kMaaSigningRules, now));
    ASSIGN_OR_RETURN(Appraised appraised, token::AppraiseMaa(verified, *authority, expected));
    return ResultMaker::Make(std::move(appraised), evidence, authority->digest);
  }

  // By exactly equal text: customers of one service share its keys, so the name is all that tells
  // them apart.
  absl::StatusOr<const token::Authority*> FindAuthority(const std::string& issuer) const {
    for (const token::Authority& authority : authorities_) {
      if (authority.issuer == issuer) return &authority;
    }
    return Unproven("ISSUER_UNKNOWN", absl::StrCat("token: issuer \"", issuer.substr(0, 128),
                                                   "\" is none of the configured authorities"));
  }

  const std::vector<token::Authority> authorities_;
  const std::unique_ptr<snp::SnpVerifier> snp_;
  const std::vector<std::string> warnings_;
};

absl::Status EnsureDistinct(const std::vector<AuthorityConfig>& authorities) {
  for (size_t i = 0; i < authorities.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (authorities[i].name == authorities[j].name) {
        return absl::InvalidArgumentError(
            absl::StrCat("authority ", authorities[i].name, " is defined twice"));
      }
      if (authorities[i].issuer == authorities[j].issuer) {
        return absl::InvalidArgumentError(
            absl::StrCat("authorities ", authorities[j].name, " and ", authorities[i].name,
                         " have the same issuer; its tokens would have two names"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Verifiers>> MakeVerifiers(
    const std::vector<AuthorityConfig>& authorities, const SnpConfig& snp) {
  RETURN_IF_ERROR(EnsureDistinct(authorities));
  std::vector<std::string> warnings;
  std::vector<token::Authority> loaded;
  for (const AuthorityConfig& config : authorities) {
    ASSIGN_OR_RETURN(token::Authority authority, token::LoadAuthority(config, warnings));
    loaded.push_back(std::move(authority));
  }
  std::unique_ptr<snp::SnpVerifier> snp_verifier;
  if (snp.enabled) {
    ASSIGN_OR_RETURN(snp_verifier, snp::SnpVerifier::Create(snp));
  }
  return std::make_unique<VerifiersImpl>(std::move(loaded), std::move(snp_verifier),
                                         std::move(warnings));
}

}  // namespace latchkey::attestation
