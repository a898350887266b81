// MakeCertificate of crypto/x509.h.

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/algorithms.h"
#include "crypto/digest.h"
#include "crypto/key_impl.h"
#include "crypto/x509_impl.h"

namespace latchkey::crypto {
namespace {

absl::Status Refuse(std::string_view fault) {
  return absl::InvalidArgumentError(absl::StrCat("certificate to make: ", std::string(fault)));
}

// Adds the extension `nid` with `value`, a structure OpenSSL knows by its nid.
void AddExtension(X509* x509, int nid, void* value, bool is_critical) {
  LATCHKEY_CHECK(X509_add1_ext_i2d(x509, nid, value, is_critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1);
}

void SetSerial(X509* x509) {
  std::array<uint8_t, 16> serial;
  LATCHKEY_CHECK(RAND_bytes(serial.data(), serial.size()) == 1);
  serial[0] = (serial[0] & 0x7f) | 0x40;  // positive, of constant size (RFC 5280, 4.1.2.2)
  const UniquePtr<BIGNUM> number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  LATCHKEY_CHECK(number != nullptr &&
                 BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr);
}

absl::Status SetNameAndDates(const CertificateSpec& spec, const Certificate* issuer, X509* x509) {
  X509_NAME* name = X509_get_subject_name(x509);
  if (spec.common_name.empty() ||
      X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const uint8_t*>(spec.common_name.data()),
                                 static_cast<int>(spec.common_name.size()), -1, 0) != 1) {
    return Refuse("common name is not 1 to 64 characters of UTF-8");
  }
  LATCHKEY_CHECK(
      X509_set_issuer_name(
          x509, issuer == nullptr ? name : X509_get_subject_name(issuer->impl().x509.get())) == 1);
  if (ASN1_TIME_set(X509_getm_notBefore(x509), absl::ToTimeT(spec.not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509), absl::ToTimeT(spec.not_after)) == nullptr) {
    return Refuse("validity date out of range");
  }
  return absl::OkStatus();
}

// The first 20 bytes of SHA-256 of the public key (RFC 7093, 2).
UniquePtr<ASN1_STRING> KeyIdentifier(const PublicKey& key) {
  const Sha256Digest digest = Sha256(AsBytes(key.SpkiDer()));
  UniquePtr<ASN1_STRING> id(ASN1_OCTET_STRING_new());
  LATCHKEY_CHECK(id != nullptr && ASN1_OCTET_STRING_set(id.get(), digest.data(), 20) == 1);
  return id;
}

void AddKeyIdentifiers(X509* x509, const PublicKey& subject_key, const Certificate* issuer) {
  const UniquePtr<ASN1_STRING> own = KeyIdentifier(subject_key);
  AddExtension(x509, NID_subject_key_identifier, own.get(), false);
  const ASN1_OCTET_STRING* of_issuer =
      issuer == nullptr ? own.get() : X509_get0_subject_key_id(issuer->impl().x509.get());
  if (of_issuer == nullptr) return;
  const UniquePtr<AUTHORITY_KEYID> authority(AUTHORITY_KEYID_new());
  LATCHKEY_CHECK(authority != nullptr);
  authority->keyid = ASN1_OCTET_STRING_dup(of_issuer);
  AddExtension(x509, NID_authority_key_identifier, authority.get(), false);
}

void AddUsage(const CertificateSpec& spec, X509* x509) {
  const UniquePtr<BASIC_CONSTRAINTS> constraints(BASIC_CONSTRAINTS_new());
  const UniquePtr<ASN1_STRING> usage(ASN1_BIT_STRING_new());
  LATCHKEY_CHECK(constraints != nullptr && usage != nullptr);
  constraints->ca = spec.is_ca ? 0xff : 0;
  AddExtension(x509, NID_basic_constraints, constraints.get(), true);
  // Bits of RFC 5280, 4.2.1.3: keyCertSign and cRLSign, or digitalSignature.
  if (spec.is_ca) {
    LATCHKEY_CHECK(ASN1_BIT_STRING_set_bit(usage.get(), 5, 1) == 1 &&
                   ASN1_BIT_STRING_set_bit(usage.get(), 6, 1) == 1);
  } else {
    LATCHKEY_CHECK(ASN1_BIT_STRING_set_bit(usage.get(), 0, 1) == 1);
  }
  AddExtension(x509, NID_key_usage, usage.get(), true);
  if (!spec.server_auth && !spec.client_auth) return;
  const UniquePtr<EXTENDED_KEY_USAGE> purposes(sk_ASN1_OBJECT_new_null());
  LATCHKEY_CHECK(purposes != nullptr);
  if (spec.server_auth) sk_ASN1_OBJECT_push(purposes.get(), OBJ_nid2obj(NID_server_auth));
  if (spec.client_auth) sk_ASN1_OBJECT_push(purposes.get(), OBJ_nid2obj(NID_client_auth));
  AddExtension(x509, NID_ext_key_usage, purposes.get(), false);
}

// Built by hand: OpenSSL's text form of the extension would let a comma in a name add another name.
absl::Status AddNames(const CertificateSpec& spec, X509* x509) {
  if (spec.dns_names.empty() && spec.ip_addresses.empty()) return absl::OkStatus();
  const UniquePtr<GENERAL_NAMES> names(GENERAL_NAMES_new());
  LATCHKEY_CHECK(names != nullptr);
  for (const std::string& dns_name : spec.dns_names) {
    if (dns_name.empty()) return Refuse("empty DNS name");
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    LATCHKEY_CHECK(name != nullptr && text != nullptr &&
                   ASN1_STRING_set(text, dns_name.data(), static_cast<int>(dns_name.size())) == 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  for (const std::string& address : spec.ip_addresses) {
    ASN1_OCTET_STRING* bytes = a2i_IPADDRESS(address.c_str());
    if (bytes == nullptr) return Refuse(absl::StrCat(address, " is not an IP address"));
    GENERAL_NAME* name = GENERAL_NAME_new();
    LATCHKEY_CHECK(name != nullptr);
    GENERAL_NAME_set0_value(name, GEN_IPADD, bytes);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  AddExtension(x509, NID_subject_alt_name, names.get(), false);
  return absl::OkStatus();
}

absl::Status AddRawExtensions(const CertificateSpec& spec, X509* x509) {
  for (const CertificateSpec::RawExtension& raw : spec.extensions) {
    const UniquePtr<ASN1_OBJECT> oid(OBJ_txt2obj(raw.oid.c_str(), 1));
    if (oid == nullptr) return Refuse(absl::StrCat(raw.oid, " is not an object identifier"));
    const UniquePtr<ASN1_STRING> data(ASN1_OCTET_STRING_new());
    LATCHKEY_CHECK(data != nullptr && ASN1_STRING_set(data.get(), raw.der.data(),
                                                      static_cast<int>(raw.der.size())) == 1);
    const UniquePtr<X509_EXTENSION> extension(
        X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 0, data.get()));
    LATCHKEY_CHECK(extension != nullptr && X509_add_ext(x509, extension.get(), -1) == 1);
  }
  return absl::OkStatus();
}

absl::Status SignCertificate(X509* x509, const PrivateKey& key, bool with_pss384) {
  const KeyKind kind = key.public_key().kind();
  if (with_pss384 && kind != KeyKind::kRsa) return Refuse("PSS needs an RSA issuer key");
  const EVP_MD* digest = DigestOf(Hash::kSha256);
  if (with_pss384 || kind == KeyKind::kP384) digest = DigestOf(Hash::kSha384);
  if (kind == KeyKind::kP521) digest = DigestOf(Hash::kSha512);
  if (kind == KeyKind::kEd25519) digest = nullptr;
  const UniquePtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  LATCHKEY_CHECK(context != nullptr);
  if (EVP_DigestSignInit(context.get(), &key_context, digest, nullptr, key.impl().pkey.get()) !=
      1) {
    return OpenSslError("signing a certificate");
  }
  if (with_pss384 && (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
                      EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return OpenSslError("setting PSS padding");
  }
  if (X509_sign_ctx(x509, context.get()) <= 0) return OpenSslError("signing a certificate");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Certificate> MakeCertificate(const CertificateSpec& spec,
                                            const PublicKey& subject_key, const Certificate* issuer,
                                            const PrivateKey& issuer_key) {
  const ErrorQueue errors;
  const UniquePtr<X509> x509(X509_new());
  LATCHKEY_CHECK(x509 != nullptr && X509_set_version(x509.get(), X509_VERSION_3) == 1 &&
                 X509_set_pubkey(x509.get(), subject_key.impl().pkey.get()) == 1);
  SetSerial(x509.get());
  RETURN_IF_ERROR(SetNameAndDates(spec, issuer, x509.get()));
  // A certificate with no stated use gets none of these extensions, like AMD's VCEK.
  if (spec.is_ca || spec.server_auth || spec.client_auth) {
    AddUsage(spec, x509.get());
    AddKeyIdentifiers(x509.get(), subject_key, issuer);
  }
  RETURN_IF_ERROR(AddNames(spec, x509.get()));
  RETURN_IF_ERROR(AddRawExtensions(spec, x509.get()));
  RETURN_IF_ERROR(SignCertificate(x509.get(), issuer_key, spec.sign_with_pss384));
  uint8_t* der = nullptr;
  const int size = i2d_X509(x509.get(), &der);
  LATCHKEY_CHECK(size > 0);
  const Bytes bytes(reinterpret_cast<const char*>(der), size);
  OPENSSL_free(der);
  return Certificate::ParseDer(AsBytes(bytes));
}

}  // namespace latchkey::crypto
