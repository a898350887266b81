#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/signature.h"

namespace latchkey::crypto {

// `Certificate` is one parsed X.509 certificate (RFC 5280). Parsing proves nothing. Cheap to copy;
// thread-safe.
class Certificate {
 public:
  // The DER must be all of `der`.
  static absl::StatusOr<Certificate> ParseDer(ByteView der);
  // Every CERTIFICATE block of a PEM text, in order; InvalidArgument when there is none or more
  // than `max`.
  static absl::StatusOr<std::vector<Certificate>> ParsePem(std::string_view pem, size_t max = 16);

  ByteView der() const;
  std::string subject_common_name() const;
  std::string issuer_common_name() const;
  absl::Time not_before() const;
  absl::Time not_after() const;
  const PublicKey& public_key() const;
  // The content of the one extension with `oid` (dotted); nullopt when absent, InvalidArgument when
  // it occurs twice.
  absl::StatusOr<std::optional<Bytes>> Extension(const std::string& oid) const;
  bool is_ca() const;  // basicConstraints CA and, where keyUsage is present, keyCertSign

  // `VerifySignedBy` checks the issuer name and the signature by `issuer`'s key. Only RSASSA-PSS
  // with SHA-384, MGF1-SHA-384 and salt 48 passes (`kPss384`), or, for `kAnyStrong`, also ECDSA
  // with SHA-256/384 and RSA PKCS#1 with SHA-256/384/512. Unauthenticated otherwise.
  enum class Strength { kPss384, kAnyStrong };
  absl::Status VerifySignedBy(const Certificate& issuer, Strength strength) const;
  // FailedPrecondition "<subject>: expired at ..." or "not valid before ..." outside [not_before,
  // not_after].
  absl::Status CheckDates(absl::Time at) const;
  Bytes Sha256Fingerprint() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }
  explicit Certificate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

// DER of an INTEGER, IA5String and OCTET STRING that fill `der` wholly.
absl::StatusOr<int64_t> ParseDerInteger(ByteView der);
absl::StatusOr<std::string> ParseDerIa5String(ByteView der);
absl::StatusOr<Bytes> ParseDerOctetString(ByteView der);

// `CertificateSpec` describes a certificate to make: for starter TLS certificates and the software
// TEE.
struct CertificateSpec {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  bool is_ca = false;
  bool server_auth = false;
  bool client_auth = false;
  absl::Time not_before;
  absl::Time not_after;
  bool sign_with_pss384 = false;
  struct RawExtension {
    std::string oid;
    Bytes der;
  };
  std::vector<RawExtension> extensions;
};
// Signed by `issuer_key` in the name of `issuer`; self-signed when `issuer` is null.
absl::StatusOr<Certificate> MakeCertificate(const CertificateSpec& spec,
                                            const PublicKey& subject_key, const Certificate* issuer,
                                            const PrivateKey& issuer_key);
std::string ToPem(const Certificate& certificate);

}  // namespace latchkey::crypto
