#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/signature.h"
#include "nlohmann/json.hpp"

namespace latchkey::crypto {

// `Jwk` is one usable signature-verification key of a JWK set (RFC 7517).
struct Jwk {
  std::string kid;
  std::optional<SignatureAlgorithm> algorithm;  // of its `alg` member, when present
  PublicKey key;
};

// `Jwks` is a key set that was read whole: a set with a private or symmetric member, a duplicate
// kid or more than 100 keys is refused; a key that is too weak (RSA under 2048) or of no use for
// signatures is left out with a warning. Where a key has no n and e, the leaf of its x5c counts
// (Azure's older sets).
struct Jwks {
  std::vector<Jwk> keys;
  std::vector<std::string> warnings;
};
absl::StatusOr<Jwks> ParseJwks(std::string_view json);

// `ParsedJws` is a compact JWS (RFC 7515, 7.1) whose parts decoded strictly; nothing of it is
// verified.
struct ParsedJws {
  nlohmann::json header;
  std::string algorithm;  // `alg` as stated
  std::string kid;        // empty when absent
  std::string signing_input;
  Bytes payload;
  Bytes signature;
};
// InvalidArgument names the fault. `crit`, `zip`, `b64` and non-string alg, kid, typ are refused.
absl::StatusOr<ParsedJws> ParseCompactJwsUnverified(std::string_view token, size_t max_size_bytes);

// The algorithm of a JOSE name (RFC 7518, 3.1); nullopt for `none`, HMAC, and names that are not
// registered.
std::optional<SignatureAlgorithm> JoseAlgorithm(std::string_view name);

}  // namespace latchkey::crypto
