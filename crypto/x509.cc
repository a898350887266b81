#include "crypto/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/byte_reader.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/digest.h"
#include "crypto/key_impl.h"
#include "crypto/x509_impl.h"

namespace latchkey::crypto {
namespace {

absl::Status Malformed(std::string_view fault) {
  return absl::InvalidArgumentError(absl::StrCat("certificate: ", std::string(fault)));
}

// The common name as UTF-8 without control characters: it ends up in messages. Empty when absent.
std::string CommonName(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return "";
  uint8_t* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  if (size < 0) return "";
  std::string out(reinterpret_cast<const char*>(text), size);
  OPENSSL_free(text);
  for (char& c : out) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time) {
  std::tm fields = {};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return Malformed("unreadable validity date");
  return absl::FromTM(fields, absl::UTCTimeZone());
}

bool IsCa(X509* x509) {
  const uint32_t flags = X509_get_extension_flags(x509);
  if ((flags & EXFLAG_INVALID) != 0 || (flags & EXFLAG_CA) == 0) return false;
  return (flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(x509) & KU_KEY_CERT_SIGN) != 0;
}

absl::StatusOr<Certificate> FromX509(UniquePtr<X509> x509, Bytes der) {
  EVP_PKEY* pkey = X509_get0_pubkey(x509.get());
  if (pkey == nullptr) return Malformed("unreadable public key");
  LATCHKEY_CHECK(EVP_PKEY_up_ref(pkey) == 1);
  ASSIGN_OR_RETURN(PublicKey public_key, AdoptPublicKey(UniquePtr<EVP_PKEY>(pkey)));
  ASSIGN_OR_RETURN(const absl::Time not_before, TimeOf(X509_get0_notBefore(x509.get())));
  ASSIGN_OR_RETURN(const absl::Time not_after, TimeOf(X509_get0_notAfter(x509.get())));
  // Asked for once, here: OpenSSL caches the answers inside the X509, which is shared later.
  const bool is_ca = IsCa(x509.get());
  std::string subject = CommonName(X509_get_subject_name(x509.get()));
  std::string issuer = CommonName(X509_get_issuer_name(x509.get()));
  return Certificate(std::make_shared<Certificate::Impl>(
      Certificate::Impl{std::move(x509), std::move(der), std::move(subject), std::move(issuer),
                        not_before, not_after, std::move(public_key), is_ca}));
}

bool IsAlgorithm(const X509_ALGOR* algorithm, int nid) {
  return algorithm != nullptr && OBJ_obj2nid(algorithm->algorithm) == nid;
}

// Whether `algorithm` is RSASSA-PSS with SHA-384, MGF1 of SHA-384 and a salt of 48 bytes (RFC
// 4055, 3.1). X509_verify alone takes whatever parameters the certificate states.
bool IsPss384(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(&oid, &type, &value, algorithm);
  if (OBJ_obj2nid(oid) != NID_rsassaPss || type != V_ASN1_SEQUENCE) return false;
  const UniquePtr<RSA_PSS_PARAMS> params(static_cast<RSA_PSS_PARAMS*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(RSA_PSS_PARAMS))));
  if (params == nullptr || !IsAlgorithm(params->hashAlgorithm, NID_sha384) ||
      !IsAlgorithm(params->maskGenAlgorithm, NID_mgf1) ||
      params->maskGenAlgorithm->parameter == nullptr) {
    return false;
  }
  const UniquePtr<X509_ALGOR> mask_hash(static_cast<X509_ALGOR*>(
      ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), params->maskGenAlgorithm->parameter)));
  int64_t salt_size = 0;
  int64_t trailer = 1;
  if (params->saltLength == nullptr ||
      ASN1_INTEGER_get_int64(&salt_size, params->saltLength) != 1) {
    return false;
  }
  if (params->trailerField != nullptr &&
      ASN1_INTEGER_get_int64(&trailer, params->trailerField) != 1) {
    return false;
  }
  return IsAlgorithm(mask_hash.get(), NID_sha384) && salt_size == 48 && trailer == 1;
}

bool IsStrong(const X509_ALGOR* algorithm) {
  switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
      return true;
    default:
      return IsPss384(algorithm);
  }
}

// The content of the one DER element with `tag` that fills `der`, short or long definite length,
// minimal (X.690, 10.1).
absl::StatusOr<ByteView> DerContent(uint8_t tag, const char* what, ByteView der) {
  ByteReader reader(der, what);
  ASSIGN_OR_RETURN(const uint8_t found, reader.ReadU8());
  if (found != tag) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": tag ", found, " where ", tag, " is required"));
  }
  ASSIGN_OR_RETURN(const uint8_t first, reader.ReadU8());
  size_t size = first;
  if (first >= 0x80) {
    size = 0;
    const int size_bytes = first & 0x7f;
    if (size_bytes == 0 || size_bytes > 4) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": length that is not DER"));
    }
    for (int i = 0; i < size_bytes; ++i) {
      ASSIGN_OR_RETURN(const uint8_t byte, reader.ReadU8());
      size = size << 8 | byte;
    }
    if (size < 0x80 || size >> (8 * (size_bytes - 1)) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(what, ": length that is not minimal"));
    }
  }
  ASSIGN_OR_RETURN(const ByteView content, reader.Read(size));
  RETURN_IF_ERROR(reader.ExpectEnd());
  return content;
}

}  // namespace

absl::StatusOr<Certificate> Certificate::ParseDer(ByteView der) {
  const ErrorQueue errors;
  const uint8_t* at = der.data();
  UniquePtr<X509> x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (x509 == nullptr) return Malformed("not an X.509 certificate in DER");
  if (at != der.data() + der.size()) return Malformed("bytes after its end");
  return FromX509(std::move(x509), ToBytes(der));
}

absl::StatusOr<std::vector<Certificate>> Certificate::ParsePem(std::string_view pem, size_t max) {
  const ErrorQueue errors;
  const UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  LATCHKEY_CHECK(bio != nullptr);
  std::vector<Certificate> certificates;
  while (true) {
    char* name = nullptr;
    char* header = nullptr;
    uint8_t* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) break;
    const std::string block_name = name;
    const Bytes der(reinterpret_cast<const char*>(data), size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (block_name != PEM_STRING_X509) continue;
    if (certificates.size() == max) {
      return absl::InvalidArgumentError(absl::StrCat("PEM: more than ", max, " certificates"));
    }
    ASSIGN_OR_RETURN(Certificate certificate, ParseDer(AsBytes(der)));
    certificates.push_back(std::move(certificate));
  }
  const unsigned long end = ERR_peek_last_error();
  if (end != 0 && ERR_GET_REASON(end) != PEM_R_NO_START_LINE) {
    return absl::InvalidArgumentError("PEM: a block that does not decode");
  }
  if (certificates.empty()) return absl::InvalidArgumentError("PEM: no CERTIFICATE block");
  return certificates;
}

ByteView Certificate::der() const { return AsBytes(impl_->der); }
std::string Certificate::subject_common_name() const { return impl_->subject; }
std::string Certificate::issuer_common_name() const { return impl_->issuer; }
absl::Time Certificate::not_before() const { return impl_->not_before; }
absl::Time Certificate::not_after() const { return impl_->not_after; }
const PublicKey& Certificate::public_key() const { return impl_->public_key; }
bool Certificate::is_ca() const { return impl_->is_ca; }

absl::StatusOr<std::optional<Bytes>> Certificate::Extension(const std::string& oid) const {
  const ErrorQueue errors;
  const UniquePtr<ASN1_OBJECT> object(OBJ_txt2obj(oid.c_str(), 1));
  LATCHKEY_CHECK(object != nullptr);
  const int index = X509_get_ext_by_OBJ(impl_->x509.get(), object.get(), -1);
  if (index < 0) return std::nullopt;
  if (X509_get_ext_by_OBJ(impl_->x509.get(), object.get(), index) >= 0) {
    return Malformed(absl::StrCat("extension ", oid, " occurs twice"));
  }
  const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(X509_get_ext(impl_->x509.get(), index));
  return ToBytes({ASN1_STRING_get0_data(data), static_cast<size_t>(ASN1_STRING_length(data))});
}

absl::Status Certificate::VerifySignedBy(const Certificate& issuer, Strength strength) const {
  const ErrorQueue errors;
  X509* subject = impl_->x509.get();
  if (X509_NAME_cmp(X509_get_issuer_name(subject),
                    X509_get_subject_name(issuer.impl_->x509.get())) != 0) {
    return absl::UnauthenticatedError(absl::StrCat(impl_->subject, ": issued by ", impl_->issuer,
                                                   ", not by ", issuer.impl_->subject));
  }
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, subject);
  if (!(strength == Strength::kPss384 ? IsPss384(algorithm) : IsStrong(algorithm))) {
    return absl::UnauthenticatedError(absl::StrCat(impl_->subject, ": signature algorithm ",
                                                   OBJ_nid2ln(OBJ_obj2nid(algorithm->algorithm)),
                                                   " is not accepted here"));
  }
  // X509_verify also demands that the signed part states the same algorithm (RFC 5280, 4.1.1.2).
  if (X509_verify(subject, issuer.impl_->public_key.impl().pkey.get()) != 1) {
    return absl::UnauthenticatedError(absl::StrCat(
        impl_->subject, ": signature does not verify by the key of ", issuer.impl_->subject));
  }
  return absl::OkStatus();
}

absl::Status Certificate::CheckDates(absl::Time at) const {
  if (at < impl_->not_before) {
    return absl::FailedPreconditionError(
        absl::StrCat(impl_->subject, ": not valid before ",
                     absl::FormatTime(impl_->not_before, absl::UTCTimeZone())));
  }
  if (at > impl_->not_after) {
    return absl::FailedPreconditionError(absl::StrCat(
        impl_->subject, ": expired at ", absl::FormatTime(impl_->not_after, absl::UTCTimeZone())));
  }
  return absl::OkStatus();
}

Bytes Certificate::Sha256Fingerprint() const { return ToBytes(Sha256(AsBytes(impl_->der))); }

absl::StatusOr<int64_t> ParseDerInteger(ByteView der) {
  ASSIGN_OR_RETURN(const ByteView content, DerContent(V_ASN1_INTEGER, "DER INTEGER", der));
  if (content.empty() || content.size() > 8) {
    return absl::InvalidArgumentError(
        absl::StrCat("DER INTEGER: ", content.size(), " bytes; 1 to 8 are accepted"));
  }
  // The first nine bits may not be equal (X.690, 8.3.2).
  if (content.size() > 1 &&
      ((content[0] == 0 && content[1] < 0x80) || (content[0] == 0xff && content[1] >= 0x80))) {
    return absl::InvalidArgumentError("DER INTEGER: not minimal");
  }
  uint64_t value = content[0] >= 0x80 ? UINT64_MAX : 0;
  for (const uint8_t byte : content) value = value << 8 | byte;
  return static_cast<int64_t>(value);
}

absl::StatusOr<std::string> ParseDerIa5String(ByteView der) {
  ASSIGN_OR_RETURN(const ByteView content, DerContent(V_ASN1_IA5STRING, "DER IA5String", der));
  for (const uint8_t byte : content) {
    if (byte < 0x20 || byte > 0x7e) {
      return absl::InvalidArgumentError("DER IA5String: character that is not printable ASCII");
    }
  }
  return std::string(AsText(content));
}

absl::StatusOr<Bytes> ParseDerOctetString(ByteView der) {
  ASSIGN_OR_RETURN(const ByteView content,
                   DerContent(V_ASN1_OCTET_STRING, "DER OCTET STRING", der));
  return ToBytes(content);
}

std::string ToPem(const Certificate& certificate) {
  const std::string text = Base64Encode(certificate.der());
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (size_t i = 0; i < text.size(); i += 64) absl::StrAppend(&pem, text.substr(i, 64), "\n");
  return pem + "-----END CERTIFICATE-----\n";
}

}  // namespace latchkey::crypto
