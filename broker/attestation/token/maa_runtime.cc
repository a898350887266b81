#include "broker/attestation/token/maa_runtime.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "base/text.h"
#include "broker/attestation/refusals.h"
#include "broker/attestation/token/json_claims.h"

namespace latchkey::attestation::token {
namespace {

using nlohmann::json;

constexpr char kRecipientKid[] = "TpmEphemeralEncryptionKey";

absl::Status NotAttested(std::string_view fault) {
  return Unproven("CLAIMS_MISMATCH",
                  absl::StrCat("token: x-ms-isolation-tee.x-ms-runtime ", ToAbsl(fault)));
}

// Writes the members of `object` in the order `names`. A member that is not named has no known
// place in the hash.
absl::StatusOr<std::string> WriteInOrder(const json& object,
                                         std::initializer_list<const char*> names) {
  std::string out = "{";
  size_t written = 0;
  for (const char* name : names) {
    const auto member = object.find(name);
    if (member == object.end()) continue;
    absl::StrAppend(&out, written == 0 ? "\"" : ",\"", name, "\":", member->dump());
    ++written;
  }
  if (written != object.size()) return NotAttested("has members that are not attested");
  return out + "}";
}

absl::StatusOr<std::string> WriteKeys(const json& keys) {
  std::string out = "[";
  for (const json& key : keys) {
    if (!key.is_object()) return NotAttested("has a key that is no object");
    ASSIGN_OR_RETURN(const std::string text,
                     WriteInOrder(key, {"kid", "key_ops", "kty", "e", "n"}));
    absl::StrAppend(&out, out.size() == 1 ? "" : ",", text);
  }
  return out + "]";
}

// {"keys":[...],"vm-configuration":{members sorted},"user-data":"..."}; old paravisors wrote no
// user-data.
absl::StatusOr<std::string> WriteRuntime(const json& runtime) {
  const auto keys = runtime.find("keys");
  const json* configuration = ObjectMember(runtime, "vm-configuration");
  const auto user_data = runtime.find("user-data");
  if (keys == runtime.end() || !keys->is_array() || configuration == nullptr) {
    return NotAttested("lacks keys or vm-configuration");
  }
  const bool has_user_data = user_data != runtime.end();
  if (runtime.size() != (has_user_data ? 3 : 2)) {
    return NotAttested("has members that are not attested");
  }
  ASSIGN_OR_RETURN(const std::string keys_text, WriteKeys(*keys));
  // nlohmann's objects are sorted by name, as the paravisor's are.
  std::string out =
      absl::StrCat("{\"keys\":", keys_text, ",\"vm-configuration\":", configuration->dump());
  if (has_user_data) absl::StrAppend(&out, ",\"user-data\":", user_data->dump());
  return out + "}";
}

absl::Status NotBound(std::string_view fault) {
  return Unproven("KEY_BINDING", absl::StrCat("token: ", ToAbsl(fault)));
}

absl::StatusOr<crypto::PublicKey> ReadRecipientKey(const json& jwk) {
  for (const auto& [name, member] : jwk.items()) {
    if (name != "kid" && name != "kty" && name != "key_ops" && name != "key_use" && name != "n" &&
        name != "e") {
      return NotBound("the recipient key has a member that no public RSA key has");
    }
  }
  const auto type = JsonString(jwk, "kty");
  const auto modulus = Base64UrlDecode(JsonString(jwk, "n").value_or(""));
  const auto exponent = Base64UrlDecode(JsonString(jwk, "e").value_or(""));
  if (!type.ok() || *type != "RSA" || !modulus.ok() || !exponent.ok()) {
    return NotBound("the recipient key is no RSA key");
  }
  if (*exponent != Bytes("\x01\x00\x01", 3)) {
    return NotBound("the recipient key has another exponent than 65537");
  }
  auto key = crypto::PublicKey::FromRsa(AsBytes(*modulus), AsBytes(*exponent));
  if (!key.ok()) return NotBound(absl::StrCat("recipient key: ", key.status().message()));
  return key;
}

}  // namespace

absl::Status EnsureRuntimeIsAttested(const json& runtime, const Bytes& report_data) {
  ASSIGN_OR_RETURN(const std::string text, WriteRuntime(runtime));
  Bytes expected = ToBytes(crypto::Sha256(AsBytes(text)));
  expected.append(32, '\0');
  if (expected == report_data) return absl::OkStatus();
  return NotAttested("does not hash to x-ms-sevsnpvm-reportdata");
}

absl::StatusOr<crypto::PublicKey> FindRecipientKey(const json& payload) {
  const json* runtime = ObjectMember(payload, "x-ms-runtime");
  const auto keys = runtime == nullptr ? json::const_iterator() : runtime->find("keys");
  if (runtime == nullptr || keys == runtime->end() || !keys->is_array()) {
    return NotBound("x-ms-runtime.keys is missing, so no key is bound to the machine");
  }
  const json* found = nullptr;
  for (const json& key : *keys) {
    if (JsonString(key, "kid").value_or("") != kRecipientKid) continue;
    if (found != nullptr) return NotBound("x-ms-runtime.keys holds two recipient keys");
    found = &key;
  }
  if (found == nullptr) {
    return NotBound(absl::StrCat("x-ms-runtime.keys holds no ", kRecipientKid));
  }
  return ReadRecipientKey(*found);
}

absl::StatusOr<Freshness> CheckNonce(const json& payload, const crypto::Sha256Digest& nonce) {
  const json* runtime = ObjectMember(payload, "x-ms-runtime");
  const json* client = runtime == nullptr ? nullptr : ObjectMember(*runtime, "client-payload");
  if (client == nullptr || !client->contains("nonce") || (*client)["nonce"] == "") {
    return Freshness::kNone;
  }
  const std::string text = Base64UrlEncode(nonce);
  const std::string echoed = Base64Encode(AsBytes(text));
  const auto stated = JsonString(*client, "nonce");
  if (stated.ok() && ConstantTimeEquals(AsBytes(*stated), AsBytes(echoed))) {
    return Freshness::kChallengeEchoed;
  }
  return Unproven("NONCE_MISMATCH",
                  "token: client-payload.nonce is not this challenge's; give the guest library the "
                  "base64url text of the nonce, encoded once");
}

}  // namespace latchkey::attestation::token
