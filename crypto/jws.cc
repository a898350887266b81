#include "crypto/jws.h"

#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/strict_json.h"

namespace latchkey::crypto {
namespace {

absl::Status Malformed(std::string_view fault) {
  return absl::InvalidArgumentError(absl::StrCat("JWS: ", std::string(fault)));
}

// Decodes one part; `part` names it in the error.
absl::StatusOr<Bytes> DecodePart(std::string_view text, const char* part) {
  absl::StatusOr<Bytes> bytes = Base64UrlDecode(text);
  if (!bytes.ok()) {
    return Malformed(absl::StrCat(part, ": ", bytes.status().message()));
  }
  return bytes;
}

// What the header may not have: extensions that change how a token is read (RFC 7515, 4.1.11; RFC
// 7797; zip belongs to JWE), and members of another type than the RFC's.
absl::Status CheckHeader(const nlohmann::json& header) {
  if (!header.is_object()) return Malformed("header is not a JSON object");
  for (const char* name : {"crit", "zip", "b64"}) {
    if (header.contains(name))
      return Malformed(absl::StrCat("header member ", name, " is refused"));
  }
  if (!header.contains("alg")) return Malformed("header has no alg");
  for (const char* name : {"alg", "kid", "typ", "cty"}) {
    const auto member = header.find(name);
    if (member != header.end() && !member->is_string()) {
      return Malformed(absl::StrCat("header member ", name, " is not a string"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParsedJws> ParseCompactJwsUnverified(std::string_view token, size_t max_size_bytes) {
  if (token.size() > max_size_bytes) {
    return Malformed(
        absl::StrCat(token.size(), " bytes; at most ", max_size_bytes, " are allowed"));
  }
  const size_t first_dot = token.find('.');
  const size_t second_dot = first_dot == token.npos ? token.npos : token.find('.', first_dot + 1);
  if (second_dot == token.npos) return Malformed("fewer than three parts");
  if (token.find('.', second_dot + 1) != token.npos) return Malformed("more than three parts");

  ParsedJws jws;
  ASSIGN_OR_RETURN(const Bytes header, DecodePart(token.substr(0, first_dot), "header"));
  ASSIGN_OR_RETURN(jws.payload,
                   DecodePart(token.substr(first_dot + 1, second_dot - first_dot - 1), "payload"));
  ASSIGN_OR_RETURN(jws.signature, DecodePart(token.substr(second_dot + 1), "signature"));

  absl::StatusOr<nlohmann::json> json = ParseStrictJson(header);
  if (!json.ok()) return Malformed(absl::StrCat("header: ", json.status().message()));
  RETURN_IF_ERROR(CheckHeader(*json));
  jws.header = *std::move(json);
  ASSIGN_OR_RETURN(jws.algorithm, JsonString(jws.header, "alg"));
  if (jws.header.contains("kid")) {
    ASSIGN_OR_RETURN(jws.kid, JsonString(jws.header, "kid"));
    if (jws.kid.empty()) return Malformed("header member kid is empty");
  }
  jws.signing_input = std::string(token.substr(0, second_dot));
  return jws;
}

std::optional<SignatureAlgorithm> JoseAlgorithm(std::string_view name) {
  struct Entry {
    std::string_view name;
    SignatureAlgorithm algorithm;
  };
  static constexpr std::array<Entry, 11> kEntries = {{
      {"RS256", SignatureAlgorithm::kRsaPkcs1Sha256},
      {"RS384", SignatureAlgorithm::kRsaPkcs1Sha384},
      {"RS512", SignatureAlgorithm::kRsaPkcs1Sha512},
      {"PS256", SignatureAlgorithm::kRsaPssSha256},
      {"PS384", SignatureAlgorithm::kRsaPssSha384},
      {"PS512", SignatureAlgorithm::kRsaPssSha512},
      {"ES256", SignatureAlgorithm::kEcdsaP256Sha256},
      {"ES384", SignatureAlgorithm::kEcdsaP384Sha384},
      {"ES512", SignatureAlgorithm::kEcdsaP521Sha512},
      {"EdDSA", SignatureAlgorithm::kEd25519},    // RFC 8037, 3.1
      {"Ed25519", SignatureAlgorithm::kEd25519},  // RFC 9864, 2.2
  }};
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.algorithm;
  }
  return std::nullopt;
}

}  // namespace latchkey::crypto
