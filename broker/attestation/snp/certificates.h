#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "broker/attestation/snp/product.h"
#include "broker/attestation/snp/report.h"
#include "crypto/x509.h"

// What AMD's leaf certificates say in their private extensions (AMD 57230, "VCEK Certificate and
// KDS Interface", table 8).

namespace latchkey::attestation::snp {

// "VCEK" or "VLEK"; other values of SIGNING_KEY never get here.
std::string_view SigningKeyName(SigningKey kind);

// `LeafCertificate` is a VCEK (one chip at one TCB) or a VLEK (one cloud provider at one TCB).
struct LeafCertificate {
  SigningKey kind;
  Product product;
  Tcb tcb;
  Bytes hwid;          // VCEK: 64 bytes, or 8 on Turin
  std::string csp_id;  // VLEK
};

// `ParseLeaf` reads the extensions that a certificate of `kind` must have, and refuses those that
// it must not have: MALFORMED with the extension's name. UNSUPPORTED for a product line that is not
// known. The certificate itself is not verified.
absl::StatusOr<LeafCertificate> ParseLeaf(const crypto::Certificate& certificate, SigningKey kind);

}  // namespace latchkey::attestation::snp
