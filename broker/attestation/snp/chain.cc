#include "broker/attestation/snp/chain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/attestation/refusals.h"

namespace latchkey::attestation::snp {
namespace {

using crypto::Certificate;

std::string LeafName(SigningKey kind) {
  return absl::StrCat("SEV-", std::string(SigningKeyName(kind)));
}

std::string IssuerName(SigningKey kind, const std::string& product) {
  return absl::StrCat(kind == SigningKey::kVcek ? "SEV-" : "SEV-VLEK-", product);
}

absl::Status EnsureIsLeaf(const Certificate& certificate, SigningKey kind) {
  if (certificate.subject_common_name() != LeafName(kind)) {
    return Unproven("CHAIN_DENIED",
                    absl::StrCat("snp: certificate of \"", certificate.subject_common_name(),
                                 "\" where ", LeafName(kind), " is needed"));
  }
  if (certificate.public_key().kind() != crypto::KeyKind::kP384) {
    return Unproven("CHAIN_DENIED",
                    absl::StrCat("snp: ", LeafName(kind), " key is not on the curve P-384"));
  }
  return absl::OkStatus();
}

absl::Status EnsureInDates(const Certificate& certificate, absl::Time now) {
  const absl::Status dates = certificate.CheckDates(now);
  if (dates.ok()) return dates;
  return Unproven("CHAIN_DENIED", absl::StrCat("snp: ", dates.message()));
}

// More than one issuer may bear the name: AMD's and one that was added. The signature decides.
absl::StatusOr<const Roots::Issuer*> FindSigner(const Roots& roots, const Certificate& leaf,
                                                SigningKey kind, const std::string& product) {
  const std::string issuer_name = IssuerName(kind, product);
  for (const Roots::Issuer* issuer : roots.Find(product, issuer_name)) {
    if (leaf.VerifySignedBy(issuer->intermediate, Certificate::Strength::kPss384).ok()) {
      return issuer;
    }
  }
  return Unproven("CHAIN_DENIED", absl::StrCat("snp: ", LeafName(kind), " certificate (issuer \"",
                                               leaf.issuer_common_name(),
                                               "\") is not signed by the pinned ", issuer_name));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const VerifiedLeaf>> ChainVerifier::VerifyAnew(
    const Certificate& certificate, SigningKey kind, absl::Time now) const {
  RETURN_IF_ERROR(EnsureIsLeaf(certificate, kind));
  ASSIGN_OR_RETURN(LeafCertificate leaf, ParseLeaf(certificate, kind));
  ASSIGN_OR_RETURN(const Roots::Issuer* issuer,
                   FindSigner(roots_, certificate, kind, leaf.product.name));
  absl::Time not_before = absl::InfinitePast();
  absl::Time not_after = absl::InfiniteFuture();
  for (const Certificate* link : {&certificate, &issuer->intermediate, &issuer->ark}) {
    RETURN_IF_ERROR(EnsureInDates(*link, now));
    not_before = std::max(not_before, link->not_before());
    not_after = std::min(not_after, link->not_after());
  }
  return std::shared_ptr<const VerifiedLeaf>(
      new VerifiedLeaf(std::move(leaf), certificate.public_key(), not_before, not_after));
}

absl::StatusOr<std::shared_ptr<const VerifiedLeaf>> ChainVerifier::Verify(
    const Certificate& certificate, SigningKey kind, absl::Time now) {
  const std::string id =
      absl::StrCat(std::string(SigningKeyName(kind)), ":", certificate.Sha256Fingerprint());
  {
    const MutexLock lock(mutex_);
    const auto found = remembered_.find(id);
    if (found != remembered_.end() && found->second->ValidAt(now)) return found->second;
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const VerifiedLeaf> verified,
                   VerifyAnew(certificate, kind, now));
  const MutexLock lock(mutex_);
  // Only leaves that AMD signed get here, so this fills slowly; starting over is bound enough.
  if (remembered_.size() >= kMaxRemembered) remembered_.clear();
  remembered_.insert_or_assign(id, verified);
  return verified;
}

}  // namespace latchkey::attestation::snp
