#include "dev/software_tee/vendor_certificates.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace latchkey::dev {
namespace {

// AMD's own authorities have RSA-4096 keys; 2048 bits keep tests fast and verify alike.
constexpr int kAuthorityKeyBits = 2048;

Bytes Der(uint8_t tag, std::string_view content) {
  Bytes out = {static_cast<char>(tag), static_cast<char>(content.size())};
  return out.append(content);
}

Extensions CommonExtensions(const SnpTcb& tcb, std::string_view product) {
  Extensions out;
  const auto add = [&out](std::string_view arc, Bytes der) {
    out.push_back({absl::StrCat(std::string(kAmdOidPrefix), std::string(arc)), std::move(der)});
  };
  add("1", DerInteger(0));
  add("2", DerIa5String(product));
  add("3.1", DerInteger(tcb.bootloader));
  add("3.2", DerInteger(tcb.tee));
  for (const char* reserved : {"3.4", "3.5", "3.6", "3.7"}) add(reserved, DerInteger(0));
  add("3.3", DerInteger(tcb.snp));
  add("3.8", DerInteger(tcb.microcode));
  return out;
}

}  // namespace

Bytes DerInteger(uint8_t value) {
  Bytes content;
  if (value >= 0x80) content.push_back('\0');
  content.push_back(static_cast<char>(value));
  return Der(0x02, content);
}

Bytes DerIa5String(std::string_view text) { return Der(0x16, text); }

Extensions VcekExtensions(const SnpTcb& tcb, ByteView chip_id) {
  Extensions out = CommonExtensions(tcb, "Milan-B0");
  out.push_back({absl::StrCat(std::string(kAmdOidPrefix), "4"), ToBytes(chip_id)});
  return out;
}

Extensions VlekExtensions(const SnpTcb& tcb, std::string_view csp_id) {
  Extensions out = CommonExtensions(tcb, "Milan");
  out.push_back({absl::StrCat(std::string(kAmdOidPrefix), "5"), DerIa5String(csp_id)});
  return out;
}

absl::StatusOr<CertificateAndKey> MakeAuthority(std::string common_name,
                                                const CertificateAndKey* issuer, absl::Time now) {
  crypto::PrivateKey key = crypto::PrivateKey::GenerateRsa(kAuthorityKeyBits);
  crypto::CertificateSpec spec;
  spec.common_name = std::move(common_name);
  spec.is_ca = true;
  spec.not_before = now - absl::Hours(24);
  spec.not_after = now + absl::Hours(24) * 365 * 25;
  spec.sign_with_pss384 = true;
  ASSIGN_OR_RETURN(crypto::Certificate certificate,
                   crypto::MakeCertificate(spec, key.public_key(),
                                           issuer == nullptr ? nullptr : &issuer->certificate,
                                           issuer == nullptr ? key : issuer->key));
  return CertificateAndKey{std::move(certificate), std::move(key)};
}

absl::StatusOr<crypto::Certificate> MakeLeaf(const LeafSpec& leaf, const crypto::PublicKey& key,
                                             const CertificateAndKey& issuer) {
  crypto::CertificateSpec spec;
  spec.common_name = leaf.common_name;
  spec.not_before = leaf.not_before;
  spec.not_after = leaf.not_after;
  spec.sign_with_pss384 = true;
  spec.extensions = leaf.extensions;
  return crypto::MakeCertificate(spec, key, &issuer.certificate, issuer.key);
}

}  // namespace latchkey::dev
