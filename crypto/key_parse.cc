// Making and checking PublicKey.

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/key_impl.h"
#include "crypto/rsa_spki.h"
#include "crypto/signature.h"

namespace latchkey::crypto {
namespace {

UniquePtr<BIGNUM> NumberParam(const EVP_PKEY* pkey, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1) return nullptr;
  return UniquePtr<BIGNUM>(number);
}

std::string TextParam(const EVP_PKEY* pkey, const char* name) {
  char text[64];
  size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(pkey, name, text, sizeof(text), &size) != 1) return "";
  return std::string(text, size);
}

Bytes BigEndianOf(const BIGNUM* number) {
  Bytes out(BN_num_bytes(number), '\0');
  BN_bn2bin(number, reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

// Whether the modulus has the mark of a broken generator (ROCA, CVE-2017-15361): its primes are
// powers of 65537 modulo every small prime, so the modulus is one too. One sound key in 2^27 has
// the mark by chance.
bool HasRocaMark(const BIGNUM* modulus) {
  static constexpr uint32_t kPrimes[] = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                         79, 97, 103, 107, 109, 127, 151, 157};
  for (const uint32_t prime : kPrimes) {
    const BN_ULONG rest = BN_mod_word(modulus, prime);
    uint32_t power = 1;
    bool is_power = false;
    do {
      is_power = is_power || power == rest;
      power = power * (65537 % prime) % prime;
    } while (power != 1);
    if (!is_power) return false;
  }
  return true;
}

absl::Status CheckRsaNumbers(const BIGNUM* modulus, const BIGNUM* exponent) {
  const int bits = BN_num_bits(modulus);
  if (bits < 2048) {
    return absl::InvalidArgumentError(
        absl::StrCat("RSA key of ", bits, " bits; at least 2048 are required"));
  }
  if (bits > 8192) {
    return absl::InvalidArgumentError(
        absl::StrCat("RSA key of ", bits, " bits; at most 8192 are allowed"));
  }
  if (!BN_is_odd(modulus)) return absl::InvalidArgumentError("RSA key with an even modulus");
  if (!BN_is_odd(exponent) || BN_is_one(exponent) || BN_num_bits(exponent) > 32) {
    return absl::InvalidArgumentError(
        "RSA key whose public exponent is not an odd number from 3 to 2^32");
  }
  if (HasRocaMark(modulus)) {
    return absl::InvalidArgumentError(
        "RSA key of a broken generator (ROCA, CVE-2017-15361); make a new one");
  }
  return absl::OkStatus();
}

absl::StatusOr<KeyKind> CheckRsa(const EVP_PKEY* pkey) {
  const UniquePtr<BIGNUM> modulus = NumberParam(pkey, OSSL_PKEY_PARAM_RSA_N);
  const UniquePtr<BIGNUM> exponent = NumberParam(pkey, OSSL_PKEY_PARAM_RSA_E);
  if (modulus == nullptr || exponent == nullptr) return OpenSslError("reading an RSA key");
  RETURN_IF_ERROR(CheckRsaNumbers(modulus.get(), exponent.get()));
  return KeyKind::kRsa;
}

absl::StatusOr<KeyKind> CheckEc(EVP_PKEY* pkey) {
  // Explicit parameters can imitate a named curve with another generator (CVE-2020-0601).
  if (TextParam(pkey, OSSL_PKEY_PARAM_EC_ENCODING) != OSSL_PKEY_EC_ENCODING_GROUP) {
    return absl::InvalidArgumentError("EC key with explicit curve parameters; use a named curve");
  }
  const std::string group = TextParam(pkey, OSSL_PKEY_PARAM_GROUP_NAME);
  std::optional<KeyKind> kind;
  if (group == SN_X9_62_prime256v1) kind = KeyKind::kP256;
  if (group == SN_secp384r1) kind = KeyKind::kP384;
  if (group == SN_secp521r1) kind = KeyKind::kP521;
  if (!kind.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("EC key on curve ", group, "; P-256, P-384 and P-521 are accepted"));
  }
  const UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
  if (context == nullptr || EVP_PKEY_public_check_quick(context.get()) != 1) {
    return absl::InvalidArgumentError("EC key that is no point of its curve");
  }
  return *kind;
}

absl::StatusOr<PublicKey> NotAKey(const char* format) {
  return absl::InvalidArgumentError(absl::StrCat(format, ": not a public key"));
}

}  // namespace

const char* CurveName(KeyKind curve) {
  switch (curve) {
    case KeyKind::kP256:
      return SN_X9_62_prime256v1;
    case KeyKind::kP384:
      return SN_secp384r1;
    case KeyKind::kP521:
      return SN_secp521r1;
    default:
      std::abort();
  }
}

size_t CoordinateSize(KeyKind curve) {
  switch (curve) {
    case KeyKind::kP256:
      return 32;
    case KeyKind::kP384:
      return 48;
    case KeyKind::kP521:
      return 66;
    default:
      std::abort();
  }
}

UniquePtr<EVP_PKEY> PublicKeyFromData(const char* type, const OSSL_PARAM* params) {
  const UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  LATCHKEY_CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* pkey = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(params)) != 1) {
    return nullptr;
  }
  return UniquePtr<EVP_PKEY>(pkey);
}

absl::StatusOr<PublicKey> AdoptPublicKey(UniquePtr<EVP_PKEY> pkey) {
  absl::StatusOr<KeyKind> kind;
  if (EVP_PKEY_is_a(pkey.get(), "RSA")) {
    kind = CheckRsa(pkey.get());
  } else if (EVP_PKEY_is_a(pkey.get(), "EC")) {
    kind = CheckEc(pkey.get());
  } else if (EVP_PKEY_is_a(pkey.get(), "ED25519")) {
    kind = KeyKind::kEd25519;
  } else {
    kind = absl::InvalidArgumentError("key that is neither RSA, EC nor Ed25519");
  }
  RETURN_IF_ERROR(kind.status());
  const size_t bits =
      *kind == KeyKind::kEd25519 ? 256 : static_cast<size_t>(EVP_PKEY_get_bits(pkey.get()));
  return PublicKey(
      std::make_shared<PublicKey::Impl>(PublicKey::Impl{std::move(pkey), *kind, bits}));
}

absl::StatusOr<PublicKey> PublicKey::FromRsa(ByteView modulus, ByteView exponent) {
  const ErrorQueue errors;
  // Refused before any arithmetic on it: time grows with the size.
  if (modulus.size() > 2048 || exponent.size() > 2048) {
    return absl::InvalidArgumentError("RSA key of more than 8192 bits; at most 8192 are allowed");
  }
  const UniquePtr<BIGNUM> n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const UniquePtr<BIGNUM> e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  LATCHKEY_CHECK(n != nullptr && e != nullptr);
  RETURN_IF_ERROR(CheckRsaNumbers(n.get(), e.get()));
  const UniquePtr<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  LATCHKEY_CHECK(builder != nullptr &&
                 OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
                 OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  const UniquePtr<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  UniquePtr<EVP_PKEY> pkey = PublicKeyFromData("RSA", params.get());
  if (pkey == nullptr) return NotAKey("RSA modulus and exponent");
  return AdoptPublicKey(std::move(pkey));
}

absl::StatusOr<PublicKey> PublicKey::FromEcPoint(KeyKind kind, ByteView x, ByteView y) {
  LATCHKEY_CHECK(kind == KeyKind::kP256 || kind == KeyKind::kP384 || kind == KeyKind::kP521);
  const ErrorQueue errors;
  const size_t size = CoordinateSize(kind);
  if (x.size() > size || y.size() > size) {
    return absl::InvalidArgumentError(absl::StrCat("EC coordinates of ", x.size(), " and ",
                                                   y.size(), " bytes; at most ", size,
                                                   " are allowed on this curve"));
  }
  Bytes point(1 + 2 * size, '\0');
  point[0] = 0x04;  // uncompressed (SEC 1, 2.3.3)
  std::ranges::copy(x, point.begin() + 1 + size - x.size());
  std::ranges::copy(y, point.end() - y.size());
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                       const_cast<char*>(CurveName(kind)), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  UniquePtr<EVP_PKEY> pkey = PublicKeyFromData("EC", params);
  if (pkey == nullptr) {
    return absl::InvalidArgumentError("EC key that is no point of its curve");
  }
  return AdoptPublicKey(std::move(pkey));
}

absl::StatusOr<PublicKey> PublicKey::FromEd25519(ByteView raw_32_bytes) {
  const ErrorQueue errors;
  if (raw_32_bytes.size() != 32) {
    return absl::InvalidArgumentError(
        absl::StrCat("Ed25519 key of ", raw_32_bytes.size(), " bytes; 32 are required"));
  }
  UniquePtr<EVP_PKEY> pkey(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw_32_bytes.data(), 32));
  if (pkey == nullptr) return NotAKey("Ed25519");
  return AdoptPublicKey(std::move(pkey));
}

absl::StatusOr<PublicKey> PublicKey::FromSpkiDer(ByteView der) {
  if (const auto rsa = DecodeRsaSpki(der); rsa.has_value()) {
    return FromRsa(AsBytes(rsa->modulus), AsBytes(rsa->exponent));
  }
  const ErrorQueue errors;
  const uint8_t* at = der.data();
  UniquePtr<EVP_PKEY> pkey(
      d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()), nullptr, nullptr));
  if (pkey == nullptr || at != der.data() + der.size()) return NotAKey("SubjectPublicKeyInfo DER");
  return AdoptPublicKey(std::move(pkey));
}

absl::StatusOr<PublicKey> PublicKey::FromPem(std::string_view pem) {
  const ErrorQueue errors;
  const UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  LATCHKEY_CHECK(bio != nullptr);
  UniquePtr<EVP_PKEY> pkey(
      PEM_read_bio_PUBKEY_ex(bio.get(), nullptr, nullptr, nullptr, nullptr, nullptr));
  if (pkey == nullptr) return NotAKey("PEM");
  return AdoptPublicKey(std::move(pkey));
}

KeyKind PublicKey::kind() const { return impl_->kind; }
size_t PublicKey::bits() const { return impl_->bits; }

Bytes PublicKey::SpkiDer() const {
  if (kind() == KeyKind::kRsa) return EncodeRsaSpki({RsaModulus(), RsaExponent()});
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(impl_->pkey.get(), &der);
  LATCHKEY_CHECK(size > 0);
  Bytes out(reinterpret_cast<const char*>(der), size);
  OPENSSL_free(der);
  return out;
}

Bytes PublicKey::RsaModulus() const {
  if (kind() != KeyKind::kRsa) return "";
  return BigEndianOf(NumberParam(impl_->pkey.get(), OSSL_PKEY_PARAM_RSA_N).get());
}

Bytes PublicKey::RsaExponent() const {
  if (kind() != KeyKind::kRsa) return "";
  return BigEndianOf(NumberParam(impl_->pkey.get(), OSSL_PKEY_PARAM_RSA_E).get());
}

Bytes PublicKey::Ed25519Raw() const {
  if (kind() != KeyKind::kEd25519) return "";
  Bytes out(32, '\0');
  size_t size = out.size();
  LATCHKEY_CHECK(EVP_PKEY_get_raw_public_key(impl_->pkey.get(),
                                             reinterpret_cast<uint8_t*>(out.data()), &size) == 1 &&
                 size == out.size());
  return out;
}

}  // namespace latchkey::crypto
