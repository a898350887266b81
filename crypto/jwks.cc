// JWK sets (RFC 7517) of token issuers.

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "crypto/jws.h"
#include "crypto/x509.h"

namespace latchkey::crypto {
namespace {

using nlohmann::json;

constexpr size_t kMaxKeys = 100;

absl::Status Refuse(std::string_view fault) {
  return absl::InvalidArgumentError(absl::StrCat("JWKS: ", std::string(fault)));
}

// What a set of public keys never has. An issuer that publishes its private key, or a symmetric
// one, proves nothing with any key of the set.
absl::Status CheckIsPublic(const json& key) {
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}) {
    if (key.contains(name)) return Refuse(absl::StrCat("private member ", name));
  }
  ASSIGN_OR_RETURN(const std::string type, JsonString(key, "kty"));
  if (type == "oct") return Refuse("symmetric key");
  return absl::OkStatus();
}

absl::StatusOr<Bytes> BytesMember(const json& key, const char* name) {
  ASSIGN_OR_RETURN(const std::string text, JsonString(key, name));
  absl::StatusOr<Bytes> bytes = Base64UrlDecode(text);
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", bytes.status().message()));
  }
  return bytes;
}

absl::StatusOr<PublicKey> CertificateKey(const json& key) {
  const auto chain = key.find("x5c");
  if (chain == key.end() || !chain->is_array() || chain->empty() || !chain->front().is_string()) {
    return absl::InvalidArgumentError("RSA key with neither n and e nor x5c");
  }
  ASSIGN_OR_RETURN(const Bytes der, Base64Decode(chain->front().get_ref<const std::string&>()));
  ASSIGN_OR_RETURN(const Certificate leaf, Certificate::ParseDer(AsBytes(der)));
  return leaf.public_key();
}

absl::StatusOr<PublicKey> RsaKey(const json& key) {
  if (!key.contains("n") && !key.contains("e")) {
    ASSIGN_OR_RETURN(PublicKey from_certificate, CertificateKey(key));
    if (from_certificate.kind() != KeyKind::kRsa) {
      return absl::InvalidArgumentError("kty RSA, but the certificate's key is of another kind");
    }
    return from_certificate;
  }
  ASSIGN_OR_RETURN(const Bytes modulus, BytesMember(key, "n"));
  ASSIGN_OR_RETURN(const Bytes exponent, BytesMember(key, "e"));
  return PublicKey::FromRsa(AsBytes(modulus), AsBytes(exponent));
}

absl::StatusOr<PublicKey> EcKey(const json& key) {
  ASSIGN_OR_RETURN(const std::string curve, JsonString(key, "crv"));
  struct Curve {
    const char* name;
    KeyKind kind;
    size_t size;
  };
  static constexpr Curve kCurves[] = {
      {"P-256", KeyKind::kP256, 32}, {"P-384", KeyKind::kP384, 48}, {"P-521", KeyKind::kP521, 66}};
  for (const Curve& known : kCurves) {
    if (curve != known.name) continue;
    ASSIGN_OR_RETURN(const Bytes x, BytesMember(key, "x"));
    ASSIGN_OR_RETURN(const Bytes y, BytesMember(key, "y"));
    if (x.size() != known.size || y.size() != known.size) {  // RFC 7518, 6.2.1.2
      return absl::InvalidArgumentError("EC coordinate that is not of the curve's full size");
    }
    return PublicKey::FromEcPoint(known.kind, AsBytes(x), AsBytes(y));
  }
  return absl::InvalidArgumentError("EC key on a curve other than P-256, P-384 and P-521");
}

absl::StatusOr<PublicKey> OkpKey(const json& key) {
  ASSIGN_OR_RETURN(const std::string curve, JsonString(key, "crv"));
  if (curve != "Ed25519") return absl::InvalidArgumentError("OKP key that is not Ed25519");
  ASSIGN_OR_RETURN(const Bytes x, BytesMember(key, "x"));
  return PublicKey::FromEd25519(AsBytes(x));
}

// Refuses what `use` and `key_ops` reserve for other ends (RFC 7517, 4.2 and 4.3).
absl::Status CheckIsForVerification(const json& key) {
  if (key.contains("use")) {
    ASSIGN_OR_RETURN(const std::string use, JsonString(key, "use"));
    if (use != "sig") return absl::InvalidArgumentError("use is not sig");
  }
  const auto operations = key.find("key_ops");
  if (operations == key.end()) return absl::OkStatus();
  if (!operations->is_array() || operations->size() != 1 || operations->front() != "verify") {
    return absl::InvalidArgumentError("key_ops is not [\"verify\"]");
  }
  return absl::OkStatus();
}

KeyKind KindOf(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kEcdsaP256Sha256:
      return KeyKind::kP256;
    case SignatureAlgorithm::kEcdsaP384Sha384:
      return KeyKind::kP384;
    case SignatureAlgorithm::kEcdsaP521Sha512:
      return KeyKind::kP521;
    case SignatureAlgorithm::kEd25519:
      return KeyKind::kEd25519;
    default:
      return KeyKind::kRsa;
  }
}

absl::StatusOr<Jwk> ParseKey(const json& key, std::string kid) {
  RETURN_IF_ERROR(CheckIsForVerification(key));
  std::optional<SignatureAlgorithm> algorithm;
  if (key.contains("alg")) {
    ASSIGN_OR_RETURN(const std::string name, JsonString(key, "alg"));
    algorithm = JoseAlgorithm(name);
    if (!algorithm.has_value()) {
      return absl::InvalidArgumentError("alg is not an asymmetric signature algorithm");
    }
  }
  ASSIGN_OR_RETURN(const std::string type, JsonString(key, "kty"));
  absl::StatusOr<PublicKey> public_key = absl::InvalidArgumentError("kty is not RSA, EC or OKP");
  if (type == "RSA") public_key = RsaKey(key);
  if (type == "EC") public_key = EcKey(key);
  if (type == "OKP") public_key = OkpKey(key);
  RETURN_IF_ERROR(public_key.status());
  if (algorithm.has_value() && KindOf(*algorithm) != public_key->kind()) {
    return absl::InvalidArgumentError("alg does not fit the key");
  }
  return Jwk{std::move(kid), algorithm, *std::move(public_key)};
}

absl::StatusOr<std::string> KidOf(const json& key) {
  if (!key.contains("kid")) return "";
  ASSIGN_OR_RETURN(std::string kid, JsonString(key, "kid"));
  if (kid.empty()) return Refuse("kid is empty");
  return kid;
}

}  // namespace

absl::StatusOr<Jwks> ParseJwks(std::string_view text) {
  ASSIGN_OR_RETURN(const json set, ParseStrictJson(text));
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
    return Refuse("no array \"keys\"");
  }
  const json& keys = set["keys"];
  if (keys.size() > kMaxKeys) {
    return Refuse(absl::StrCat(keys.size(), " keys; at most ", kMaxKeys, " are allowed"));
  }
  Jwks jwks;
  std::set<std::string> kids;
  for (const json& key : keys) {
    RETURN_IF_ERROR(CheckIsPublic(key));
    ASSIGN_OR_RETURN(std::string kid, KidOf(key));
    if (!kid.empty() && !kids.insert(kid).second) {
      return Refuse(absl::StrCat("kid ", kid, " occurs twice"));
    }
    absl::StatusOr<Jwk> jwk = ParseKey(key, kid);
    if (jwk.ok()) {
      jwks.keys.push_back(*std::move(jwk));
    } else {
      jwks.warnings.push_back(absl::StrCat("key ", kid, " is left out: ", jwk.status().message()));
    }
  }
  if (jwks.keys.empty()) {
    return Refuse(jwks.warnings.empty() ? "no key"
                                        : absl::StrCat("no usable key; ", jwks.warnings.front()));
  }
  return jwks;
}

}  // namespace latchkey::crypto
