#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "crypto/signature.h"
#include "dev/software_tee/marker.h"
#include "dev/software_tee/report_layout.h"

namespace latchkey::dev {

// `MaaTokenFields` is what one token says; the defaults are those of a healthy Linux confidential
// VM.
struct MaaTokenFields {
  absl::Time issued_at;
  absl::Duration lifetime = absl::Hours(8);
  std::string vm_id = "5a1e0c1d-0000-4000-8000-1a7c4be70001";
  // The vTPM's RSA key, as big-endian integers.
  Bytes recipient_modulus;
  Bytes recipient_exponent = Bytes("\x01\x00\x01", 3);
  // The text that the guest gave as its nonce; absent: the member is left out.
  std::optional<std::string> nonce;
  bool debug = false;
  bool secure_boot = true;
  Bytes measurement = Bytes(48, '\x4d');
  Bytes host_data = Bytes(32, '\0');
  Bytes user_data = Bytes(64, '\0');
  SnpTcb tcb;
};

// `MaaIssuer` is an attestation service in software: it signs tokens in the layout that Microsoft
// Azure Attestation gives guests (POST /attest/AzureGuest), without having seen a machine.
// Immutable and thread-safe.
class MaaIssuer {
 public:
  static constexpr std::string_view kDefaultIssuer = "https://maa.software-tee.latchkey.dev";
  // base64url(SHA-256("latchkey software attestation policy")).
  static std::string PolicyHash();

  static MaaIssuer Create(std::string issuer = std::string(kDefaultIssuer));
  static absl::StatusOr<MaaIssuer> FromPem(std::string issuer, std::string_view pem);
  SecretBytes ToPem() const;

  const std::string& issuer() const { return issuer_; }
  const std::string& kid() const { return kid_; }
  const crypto::PrivateKey& key() const { return key_; }
  // The key set, as served at issuer + "/certs".
  std::string Jwks() const;

  std::string MintToken(const MaaTokenFields& fields) const;
  // The parts of MintToken, as JSON texts, and signing any other such texts.
  std::string Header() const;
  std::string Payload(const MaaTokenFields& fields) const;
  std::string Sign(std::string_view header, std::string_view payload) const;

 private:
  MaaIssuer(std::string issuer, crypto::PrivateKey key);

  std::string issuer_;
  crypto::PrivateKey key_;
  std::string kid_;
};

// `RuntimeText` is the nested runtime JSON as the paravisor hashes it into the report data: the
// order of members counts.
std::string RuntimeText(const MaaTokenFields& fields);

}  // namespace latchkey::dev
