#include "broker/attestation/token/verified_token.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "base/text.h"
#include "broker/attestation/refusals.h"

namespace latchkey::attestation::token {
namespace {

using nlohmann::json;

absl::Status EnsureAlgorithmAllowed(const crypto::ParsedJws& jws, const SigningRules& rules) {
  if (jws.algorithm == rules.algorithm_name) return absl::OkStatus();
  return Unproven("ALG_DENIED", absl::StrCat("token: alg is \"", jws.algorithm, "\"; only ",
                                             ToAbsl(rules.algorithm_name), " is accepted"));
}

absl::Status EnsureNoKeyInHeader(const json& header) {
  for (const char* name : {"jwk", "x5c", "x5u"}) {
    if (header.contains(name)) {
      return Unproven("KEY_UNKNOWN", absl::StrCat("token: the header brings its own key (", name,
                                                  "); only the authority's key set counts"));
    }
  }
  return absl::OkStatus();
}

absl::Status EnsureKeySetAddress(const json& header, const Authority& authority,
                                 const SigningRules& rules) {
  const auto jku = header.find("jku");
  if (jku == header.end()) return absl::OkStatus();
  const std::string own = absl::StrCat(authority.issuer, ToAbsl(rules.key_set_path));
  if (jku->is_string() && jku->get_ref<const std::string&>() == own) return absl::OkStatus();
  return Unproven("JKU_MISMATCH", absl::StrCat("token: jku is not ", own, "; it was not fetched"));
}

absl::Status EnsureType(const json& header) {
  const auto type = header.find("typ");
  if ((type == header.end() || *type == "JWT") && !header.contains("cty")) return absl::OkStatus();
  return Unproven("TYPE_MISMATCH", "token: typ must be JWT or absent, and cty absent");
}

absl::StatusOr<const crypto::Jwk*> FindKey(const crypto::ParsedJws& jws, const Authority& authority,
                                           const SigningRules& rules) {
  for (const crypto::Jwk& jwk : authority.jwks.keys) {
    if (jws.kid.empty() || jwk.kid != jws.kid) continue;
    if (jwk.algorithm.has_value() && *jwk.algorithm != rules.algorithm) {
      return Unproven("ALG_DENIED", absl::StrCat("token: the key ", jwk.kid, " of ", authority.name,
                                                 " is for another algorithm than ",
                                                 ToAbsl(rules.algorithm_name)));
    }
    return &jwk;
  }
  return Unproven("KEY_UNKNOWN", absl::StrCat("token: kid \"", jws.kid.substr(0, 64),
                                              "\" is not in the key set of ", authority.name,
                                              "; refresh the key set if the issuer has new keys"));
}

absl::Status EnsureSignatureVerifies(const crypto::ParsedJws& jws, const crypto::Jwk& jwk,
                                     const SigningRules& rules) {
  if (crypto::VerifySignature(jwk.key, rules.algorithm, AsBytes(jws.signing_input),
                              AsBytes(jws.signature))
          .ok()) {
    return absl::OkStatus();
  }
  return Unproven("BAD_SIGNATURE",
                  absl::StrCat("token: the signature does not verify with the key ", jwk.kid));
}

absl::Status TimeInvalid(std::string_view message) {
  return Unproven("TIME_INVALID", absl::StrCat("token: ", ToAbsl(message)));
}

// A NumericDate (RFC 7519, 2) of whole seconds before the year 10000.
absl::StatusOr<absl::Time> ReadTime(const json& payload, const char* name) {
  constexpr int64_t kYear10000 = 253402300800;
  const auto seconds = JsonInt(payload, name);
  if (!seconds.ok() || *seconds <= 0 || *seconds >= kYear10000) {
    return TimeInvalid(absl::StrCat(name, " is missing or no number of seconds since 1970"));
  }
  return absl::FromUnixSeconds(*seconds);
}

absl::StatusOr<absl::Time> CheckTimes(const json& payload, absl::Time now) {
  ASSIGN_OR_RETURN(const absl::Time issued_at, ReadTime(payload, "iat"));
  ASSIGN_OR_RETURN(const absl::Time not_before, ReadTime(payload, "nbf"));
  ASSIGN_OR_RETURN(const absl::Time expires, ReadTime(payload, "exp"));
  const auto at = [](absl::Time time) {
    return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
  };
  if (now >= expires + kClockSkew) {
    return TimeInvalid(absl::StrCat("expired at ", at(expires), "; get a new one"));
  }
  if (not_before > now + kClockSkew) {
    return TimeInvalid(absl::StrCat("not valid before ", at(not_before)));
  }
  if (issued_at > now + kClockSkew) {
    return TimeInvalid(absl::StrCat("issued in the future, at ", at(issued_at)));
  }
  if (issued_at > expires || expires > now + kMaxLifetime + kClockSkew) {
    return TimeInvalid(absl::StrCat("issued at ", at(issued_at), ", expires at ", at(expires),
                                    "; at most 24 hours ahead are accepted"));
  }
  return issued_at;
}

}  // namespace

absl::StatusOr<UnverifiedToken> ParseTokenUnverified(std::string_view compact) {
  if (compact.size() > kMaxTokenSize) {
    return Refuse(
        absl::StatusCode::kInvalidArgument, "TOO_LARGE",
        absl::StrCat("token: ", compact.size(), " bytes; at most ", kMaxTokenSize, " are read"));
  }
  auto jws = crypto::ParseCompactJwsUnverified(compact, kMaxTokenSize);
  if (!jws.ok()) return Malformed(absl::StrCat("token: ", jws.status().message()));
  auto payload = ParseStrictJson(jws->payload);
  if (!payload.ok()) {
    return Malformed(absl::StrCat("token: payload: ", payload.status().message()));
  }
  if (!payload->is_object()) return Malformed("token: payload is not a JSON object");
  return UnverifiedToken{*std::move(jws), *std::move(payload)};
}

std::string IssuerUnverified(const UnverifiedToken& token) {
  return JsonString(token.payload, "iss").value_or("");
}

absl::StatusOr<VerifiedToken> VerifiedToken::Verify(UnverifiedToken token,
                                                    const Authority& authority,
                                                    const SigningRules& rules, absl::Time now) {
  RETURN_IF_ERROR(EnsureAlgorithmAllowed(token.jws, rules));
  RETURN_IF_ERROR(EnsureNoKeyInHeader(token.jws.header));
  RETURN_IF_ERROR(EnsureKeySetAddress(token.jws.header, authority, rules));
  RETURN_IF_ERROR(EnsureType(token.jws.header));
  ASSIGN_OR_RETURN(const crypto::Jwk* jwk, FindKey(token.jws, authority, rules));
  RETURN_IF_ERROR(EnsureSignatureVerifies(token.jws, *jwk, rules));
  ASSIGN_OR_RETURN(const absl::Time issued_at, CheckTimes(token.payload, now));
  return VerifiedToken(std::move(token.payload), issued_at);
}

}  // namespace latchkey::attestation::token
