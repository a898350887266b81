#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/jws.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/wycheproof.h"

namespace latchkey::vectors {
namespace {

using nlohmann::json;

// Verifies a compact JWS by a key set as an issuer's tokens are: the key is the one its kid names,
// and the key's alg binds.
bool VerifiesBy(const json& key_set, const std::string& token) {
  const absl::StatusOr<crypto::Jwks> jwks = crypto::ParseJwks(key_set.dump());
  if (!jwks.ok()) return false;
  const auto jws = crypto::ParseCompactJwsUnverified(token, 64 << 10);
  if (!jws.ok()) return false;
  const auto algorithm = crypto::JoseAlgorithm(jws->algorithm);
  const auto jwk = std::ranges::find(jwks->keys, jws->kid, &crypto::Jwk::kid);
  if (!algorithm.has_value() || jwk == jwks->keys.end()) return false;
  if (jwk->algorithm.has_value() && jwk->algorithm != algorithm) return false;
  return crypto::VerifySignature(jwk->key, *algorithm, AsBytes(jws->signing_input),
                                 AsBytes(jws->signature))
      .ok();
}

// The public half of the group where there is one: a symmetric key has none.
const json& KeyOf(const json& group) {
  return group.contains("public") ? group["public"] : group["private"];
}

TEST(Wycheproof, JsonWebSignature) {
  const std::string symmetric = "HMAC is refused: a token is verified by a public key";
  const std::string binding = "the key's alg is not that of the header";
  Expectation expectation{.tests = 401};
  for (const int id : {1, 348, 352, 357, 358, 359, 372, 373, 376, 377}) {
    expectation.exceptions[id] = symmetric;
  }
  for (const int id : {346, 350}) expectation.exceptions[id] = binding;
  for (const int id : {347, 351}) expectation.exceptions[id] = "ES521 is not a registered name";
  RunWycheproof("json_web_signature_test.json", expectation,
                [](const json& group, const json& test) {
                  if (!test["jws"].is_string()) return Accept(false);
                  const json key_set = {{"keys", json::array({KeyOf(group)})}};
                  return Accept(VerifiesBy(key_set, test["jws"].get<std::string>()));
                });
}

TEST(Wycheproof, JsonWebKey) {
  Expectation expectation{.tests = 26};
  for (const int id : {2, 13, 14, 15}) {
    expectation.exceptions[id] = "HMAC is refused: a token is verified by a public key";
  }
  RunWycheproof("json_web_key_test.json", expectation, [](const json& group, const json& test) {
    return Accept(VerifiesBy(KeyOf(group), test["jws"].get<std::string>()));
  });
}

}  // namespace
}  // namespace latchkey::vectors
