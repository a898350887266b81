#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/signature.h"
#include "crypto/x509.h"
#include "dev/software_tee/report_layout.h"

namespace latchkey::dev {

// The private extensions of AMD's leaf certificates (AMD 57230): prefix of their object
// identifiers.
inline constexpr std::string_view kAmdOidPrefix = "1.3.6.1.4.1.3704.1.";

using Extensions = std::vector<crypto::CertificateSpec::RawExtension>;

// The extensions of a Milan VCEK for one chip, and of a Milan VLEK for one cloud provider.
Extensions VcekExtensions(const SnpTcb& tcb, ByteView chip_id);
Extensions VlekExtensions(const SnpTcb& tcb, std::string_view csp_id);

// DER of a small INTEGER (0 to 255) and of a short IA5String.
Bytes DerInteger(uint8_t value);
Bytes DerIa5String(std::string_view text);

struct CertificateAndKey {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

// `MakeAuthority` makes a CA certificate with a fresh RSA key, self-signed when `issuer` is null.
absl::StatusOr<CertificateAndKey> MakeAuthority(std::string common_name,
                                                const CertificateAndKey* issuer, absl::Time now);

// `LeafSpec` describes a VCEK or VLEK certificate.
struct LeafSpec {
  std::string common_name;
  Extensions extensions;
  absl::Time not_before;
  absl::Time not_after;
};
absl::StatusOr<crypto::Certificate> MakeLeaf(const LeafSpec& spec, const crypto::PublicKey& key,
                                             const CertificateAndKey& issuer);

}  // namespace latchkey::dev
