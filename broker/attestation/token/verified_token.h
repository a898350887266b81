#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/attestation/token/authority.h"
#include "crypto/jws.h"
#include "crypto/signature.h"
#include "nlohmann/json.hpp"

namespace latchkey::attestation::token {

inline constexpr size_t kMaxTokenSize = 64 << 10;
// How far an issuer's clock may differ from ours.
inline constexpr absl::Duration kClockSkew = absl::Seconds(60);
// The longest time ahead that an `exp` may lie.
inline constexpr absl::Duration kMaxLifetime = absl::Hours(24);

// `UnverifiedToken` is a token that was read, and whose issuer nobody has proven.
struct UnverifiedToken {
  crypto::ParsedJws jws;
  nlohmann::json payload;  // an object
};
// TOO_LARGE or MALFORMED.
absl::StatusOr<UnverifiedToken> ParseTokenUnverified(std::string_view compact);
// `iss`; empty when it is missing or no string, which is nobody's name.
std::string IssuerUnverified(const UnverifiedToken& token);

// `SigningRules` is what a profile demands of header and signature.
struct SigningRules {
  std::string_view algorithm_name;  // the only `alg`
  crypto::SignatureAlgorithm algorithm;
  std::string_view
      key_set_path;  // `jku`, when present, is the issuer and this; it is never fetched
};

// `VerifiedToken` is a token that `authority` signed and that is inside its dates. What it says is
// still to be judged.
class VerifiedToken {
 public:
  // ALG_DENIED, JKU_MISMATCH, TYPE_MISMATCH, KEY_UNKNOWN, BAD_SIGNATURE or TIME_INVALID. Keys come
  // from the authority alone: a key, a certificate or an address in the header is an attempt to
  // bring one along (RFC 8725, 3.10).
  static absl::StatusOr<VerifiedToken> Verify(UnverifiedToken token, const Authority& authority,
                                              const SigningRules& rules, absl::Time now);

  const nlohmann::json& payload() const { return payload_; }
  absl::Time issued_at() const { return issued_at_; }

 private:
  VerifiedToken(nlohmann::json payload, absl::Time issued_at)
      : payload_(std::move(payload)), issued_at_(issued_at) {}

  nlohmann::json payload_;
  absl::Time issued_at_;
};

}  // namespace latchkey::attestation::token
