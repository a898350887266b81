#include "broker/attestation/snp/roots.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "broker/attestation/snp/roots_pem.h"

namespace latchkey::attestation::snp {
namespace {

using crypto::Certificate;

Certificate MustParse(const char* pem) {
  auto certificates = Certificate::ParsePem(pem, 1);
  LATCHKEY_CHECK(certificates.ok());
  return certificates->front();
}

SnpConfig::Root BuiltIn(const AmdRootPem& pem) {
  SnpConfig::Root root{pem.product, MustParse(pem.ark), {MustParse(pem.ask), MustParse(pem.asvk)}};
  LATCHKEY_CHECK(HexEncode(AsBytes(root.ark.Sha256Fingerprint())) == pem.ark_sha256);
  return root;
}

}  // namespace

absl::Status Roots::Add(const SnpConfig::Root& root) {
  const auto fault = [&root](const Certificate& certificate, std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("snp: root for ", root.product, ": ",
                                                   certificate.subject_common_name(), " ",
                                                   std::string(what)));
  };
  if (!root.ark.is_ca()) return fault(root.ark, "is no certification authority");
  if (!root.ark.VerifySignedBy(root.ark, Certificate::Strength::kPss384).ok()) {
    return fault(root.ark, "is not self-signed with RSASSA-PSS SHA-384");
  }
  for (const Certificate& intermediate : root.intermediates) {
    if (!intermediate.is_ca()) return fault(intermediate, "is no certification authority");
    if (!intermediate.VerifySignedBy(root.ark, Certificate::Strength::kPss384).ok()) {
      return fault(intermediate, "is not signed by that root with RSASSA-PSS SHA-384");
    }
    issuers_.push_back({root.product, intermediate, root.ark});
  }
  return absl::OkStatus();
}

absl::StatusOr<Roots> Roots::Create(const std::vector<SnpConfig::Root>& extra_roots) {
  Roots roots;
  std::vector<SnpConfig::Root> all;
  for (const AmdRootPem& pem : AmdRootsPem()) all.push_back(BuiltIn(pem));
  all.insert(all.end(), extra_roots.begin(), extra_roots.end());

  Bytes vouching = "latchkey/v1/snp-roots";
  for (const SnpConfig::Root& root : all) {
    RETURN_IF_ERROR(roots.Add(root));
    AppendLp(vouching, root.product);
    AppendLp(vouching, root.ark.Sha256Fingerprint());
  }
  roots.digest_ = crypto::Sha256(AsBytes(vouching));
  return roots;
}

std::vector<const Roots::Issuer*> Roots::Find(std::string_view product,
                                              std::string_view common_name) const {
  std::vector<const Issuer*> found;
  for (const Issuer& issuer : issuers_) {
    if (issuer.product == product && issuer.intermediate.subject_common_name() == common_name) {
      found.push_back(&issuer);
    }
  }
  return found;
}

}  // namespace latchkey::attestation::snp
