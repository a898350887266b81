#include "dev/software_tee/maa_issuer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "crypto/digest.h"
#include "nlohmann/json.hpp"

namespace latchkey::dev {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string UpperCaseVmId(const MaaTokenFields& fields) {
  return absl::AsciiStrToUpper(fields.vm_id);
}

std::string Hex(std::string_view bytes) { return HexEncode(AsBytes(bytes)); }

json IsolationTee(const MaaTokenFields& fields) {
  const std::string runtime = RuntimeText(fields);
  const crypto::Sha256Digest digest = crypto::Sha256(AsBytes(runtime));
  const std::string report_data = HexEncode(digest) + std::string(64, '0');
  return {{"x-ms-attestation-type", "sevsnpvm"},
          {"x-ms-compliance-status", "azure-compliant-cvm"},
          {"x-ms-runtime", json::parse(runtime)},
          {"x-ms-sevsnpvm-authorkeydigest", std::string(96, '0')},
          {"x-ms-sevsnpvm-bootloader-svn", fields.tcb.bootloader},
          {"x-ms-sevsnpvm-familyId", "02212000000000000000000000000000"},
          {"x-ms-sevsnpvm-guestsvn", 10},
          {"x-ms-sevsnpvm-hostdata", Hex(fields.host_data)},
          {"x-ms-sevsnpvm-idkeydigest", std::string(96, '9')},
          {"x-ms-sevsnpvm-imageId", "02000000000000000000000000000000"},
          {"x-ms-sevsnpvm-is-debuggable", fields.debug},
          {"x-ms-sevsnpvm-launchmeasurement", Hex(fields.measurement)},
          {"x-ms-sevsnpvm-microcode-svn", fields.tcb.microcode},
          {"x-ms-sevsnpvm-migration-allowed", false},
          {"x-ms-sevsnpvm-reportdata", report_data},
          {"x-ms-sevsnpvm-reportid", std::string(64, '1')},
          {"x-ms-sevsnpvm-smt-allowed", true},
          {"x-ms-sevsnpvm-snpfw-svn", fields.tcb.snp},
          {"x-ms-sevsnpvm-tee-svn", fields.tcb.tee},
          {"x-ms-sevsnpvm-vmpl", 0}};
}

json Runtime(const MaaTokenFields& fields) {
  json runtime = {{"keys",
                   {{{"kid", "TpmEphemeralEncryptionKey"},
                     {"key_ops", {"encrypt"}},
                     {"kty", "RSA"},
                     {"e", Base64UrlEncode(AsBytes(fields.recipient_exponent))},
                     {"n", Base64UrlEncode(AsBytes(fields.recipient_modulus))}}}}};
  if (fields.nonce.has_value()) {
    runtime["client-payload"] = {{"nonce", Base64Encode(AsBytes(*fields.nonce))}};
  }
  return runtime;
}

}  // namespace

std::string RuntimeText(const MaaTokenFields& fields) {
  // A fixed attestation key: nothing is ever signed with it.
  static const std::string& modulus =
      *new std::string(Base64UrlEncode(AsBytes("\xb5" + std::string(254, '\x5c') + "\x01")));
  const ordered_json attestation_key = {{"kid", "HCLAkPub"},
                                        {"key_ops", ordered_json::array({"sign"})},
                                        {"kty", "RSA"},
                                        {"e", "AQAB"},
                                        {"n", modulus}};
  const ordered_json vm_configuration = {{"console-enabled", true},
                                         {"secure-boot", fields.secure_boot},
                                         {"tpm-enabled", true},
                                         {"vmUniqueId", UpperCaseVmId(fields)}};
  return ordered_json{{"keys", ordered_json::array({attestation_key})},
                      {"vm-configuration", vm_configuration},
                      {"user-data", Hex(fields.user_data)}}
      .dump();
}

std::string MaaIssuer::PolicyHash() {
  const auto digest = crypto::Sha256(AsBytes("latchkey software attestation policy"));
  return Base64UrlEncode(digest);
}

MaaIssuer::MaaIssuer(std::string issuer, crypto::PrivateKey key)
    : issuer_(std::move(issuer)), key_(std::move(key)) {
  const Bytes spki = key_.public_key().SpkiDer();
  kid_ = Base64Encode(crypto::Sha256(AsBytes(spki)));
}

MaaIssuer MaaIssuer::Create(std::string issuer) {
  return MaaIssuer(std::move(issuer), crypto::PrivateKey::GenerateRsa(2048));
}

absl::StatusOr<MaaIssuer> MaaIssuer::FromPem(std::string issuer, std::string_view pem) {
  ASSIGN_OR_RETURN(crypto::PrivateKey key, crypto::PrivateKey::FromPem(pem));
  return MaaIssuer(std::move(issuer), std::move(key));
}

SecretBytes MaaIssuer::ToPem() const { return key_.ToPem(); }

std::string MaaIssuer::Jwks() const {
  const crypto::PublicKey& key = key_.public_key();
  return json{{"keys",
               {{{"kid", kid_},
                 {"kty", "RSA"},
                 {"use", "sig"},
                 {"alg", "RS256"},
                 {"n", Base64UrlEncode(AsBytes(key.RsaModulus()))},
                 {"e", Base64UrlEncode(AsBytes(key.RsaExponent()))}}}}}
      .dump();
}

std::string MaaIssuer::Header() const {
  return json{{"alg", "RS256"}, {"jku", issuer_ + "/certs"}, {"kid", kid_}, {"typ", "JWT"}}.dump();
}

std::string MaaIssuer::Payload(const MaaTokenFields& fields) const {
  const int64_t issued_at = absl::ToUnixSeconds(fields.issued_at);
  const auto digest = crypto::Sha256({AsBytes(fields.vm_id), AsBytes(absl::StrCat(issued_at))});
  return json{{"iss", issuer_},
              {"iat", issued_at},
              {"nbf", issued_at},
              {"exp", issued_at + absl::ToInt64Seconds(fields.lifetime)},
              {"jti", HexEncode(digest)},
              {"secureboot", fields.secure_boot},
              {"x-ms-attestation-type", "azurevm"},
              {"x-ms-azurevm-attestation-protocol-ver", "2.0"},
              {"x-ms-azurevm-attested-pcrs", {0, 1, 2, 3, 4, 5, 6, 7}},
              {"x-ms-azurevm-bootdebug-enabled", false},
              {"x-ms-azurevm-debuggersdisabled", true},
              {"x-ms-azurevm-is-windows", false},
              {"x-ms-azurevm-kerneldebug-enabled", false},
              {"x-ms-azurevm-ostype", "Linux"},
              {"x-ms-azurevm-signingdisabled", true},
              {"x-ms-azurevm-testsigning-enabled", false},
              {"x-ms-azurevm-vmid", UpperCaseVmId(fields)},
              {"x-ms-isolation-tee", IsolationTee(fields)},
              {"x-ms-policy-hash", PolicyHash()},
              {"x-ms-runtime", Runtime(fields)},
              {"x-ms-ver", "1.0"}}
      .dump();
}

std::string MaaIssuer::Sign(std::string_view header, std::string_view payload) const {
  std::string input =
      absl::StrCat(Base64UrlEncode(AsBytes(header)), ".", Base64UrlEncode(AsBytes(payload)));
  const Bytes signature = key_.Sign(crypto::SignatureAlgorithm::kRsaPkcs1Sha256, AsBytes(input));
  return absl::StrCat(input, ".", Base64UrlEncode(AsBytes(signature)));
}

std::string MaaIssuer::MintToken(const MaaTokenFields& fields) const {
  return Sign(Header(), Payload(fields));
}

}  // namespace latchkey::dev
