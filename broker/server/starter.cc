#include "broker/server/starter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "crypto/signature.h"
#include "crypto/x509.h"

namespace latchkey::server {
namespace {

constexpr absl::Duration kValidity = absl::Hours(24 * 365);

crypto::CertificateSpec SpecOf(std::string common_name, absl::Time now) {
  crypto::CertificateSpec spec;
  spec.common_name = std::move(common_name);
  spec.not_before = now - absl::Minutes(5);  // clocks differ
  spec.not_after = now + kValidity;
  return spec;
}

absl::StatusOr<StarterIdentity> Issue(const crypto::CertificateSpec& spec,
                                      const crypto::Certificate& ca,
                                      const crypto::PrivateKey& ca_key) {
  const crypto::PrivateKey key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
  ASSIGN_OR_RETURN(const crypto::Certificate certificate,
                   crypto::MakeCertificate(spec, key.public_key(), &ca, ca_key));
  return StarterIdentity{crypto::ToPem(certificate), key.ToPem()};
}

bool IsIpAddress(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos ||
         host.find(':') != std::string_view::npos;
}

}  // namespace

absl::StatusOr<StarterPki> MakeStarterPki(std::string_view host, absl::Time now) {
  const crypto::PrivateKey ca_key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
  crypto::CertificateSpec ca_spec = SpecOf("Latchkey starter CA", now);
  ca_spec.is_ca = true;
  ASSIGN_OR_RETURN(const crypto::Certificate ca,
                   crypto::MakeCertificate(ca_spec, ca_key.public_key(), nullptr, ca_key));

  crypto::CertificateSpec server = SpecOf("latchkeyd", now);
  server.server_auth = true;
  server.dns_names = {"localhost"};
  server.ip_addresses = {"127.0.0.1"};
  if (!host.empty() && host != "localhost" && host != "127.0.0.1") {
    (IsIpAddress(host) ? server.ip_addresses : server.dns_names).emplace_back(host);
  }
  crypto::CertificateSpec administrator = SpecOf("first-admin", now);
  administrator.client_auth = true;

  StarterPki pki;
  pki.ca_pem = crypto::ToPem(ca);
  ASSIGN_OR_RETURN(pki.server, Issue(server, ca, ca_key));
  ASSIGN_OR_RETURN(pki.administrator, Issue(administrator, ca, ca_key));
  return pki;
}

std::string ClientConfigYaml(const StarterClientConfig& config) {
  return absl::StrCat(
      "# The connection of the latchkey CLI: export LATCHKEY_CONFIG=<this file>.\naddress: ",
      config.address, "\nadmin_address: ", config.admin_address,
      "\nca_file: ca.pem\nadmin_cert_file: admin.pem\nadmin_key_file: admin.key\n"
      "# Pinned: the broker must prove both, whatever TLS said.\ndeployment_id: ",
      config.deployment_id, "\nlog_public_key: ", Base64Encode(AsBytes(config.log_public_key)),
      "\ngenesis_digest: ", HexEncode(AsBytes(config.genesis_digest)), "\ntenant: default\n");
}

}  // namespace latchkey::server
