#pragma once

// broker/attestation is the Verifier role (RFC 9334): (evidence, endorsements, expected binding,
// time) -> AttestationResult. It is pure: no clock, no network, no store.

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/bytes.h"
#include "crypto/digest.h"

namespace latchkey::attestation {

enum class EvidenceKind { kSnpReport, kToken };

// `Evidence` is what a caller sent: untrusted bytes with a type.
struct Evidence {
  EvidenceKind kind;
  Bytes bytes;                      // the report, or the compact token
  std::vector<Bytes> endorsements;  // certificates, DER or PEM, or a GHCB certificate table
};

// `ExpectedBinding` is what evidence must carry to count for one request (DESIGN 5).
struct ExpectedBinding {
  crypto::Sha512Digest report_data;  // SHA-512(T): fills the report data of SEV-SNP
  crypto::Sha256Digest
      nonce;  // SHA-256(T) with the recipient: token nonces and vTPM quotes that bind the key
  // SHA-256(T) with an empty recipient: the nonce beside a recipient key that the platform made.
  crypto::Sha256Digest platform_key_nonce;
  // SubjectPublicKeyInfo of the recipient when it is an RSA key; empty for the HPKE schemes.
  Bytes rsa_recipient_spki;
};

}  // namespace latchkey::attestation
