#include "broker/attestation/token/authority.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace latchkey::attestation::token {
namespace {

crypto::Sha256Digest DigestOf(const AuthorityConfig& config) {
  Bytes definition = "latchkey/v1/authority";
  AppendLp(definition, config.name);
  AppendLp(definition, config.profile);
  AppendLp(definition, config.issuer);
  AppendLp(definition, config.jwks);
  AppendU32(definition, static_cast<uint32_t>(config.policy_hashes.size()));
  for (const std::string& hash : config.policy_hashes) AppendLp(definition, hash);
  return crypto::Sha256(AsBytes(definition));
}

absl::StatusOr<std::vector<Bytes>> ReadPolicyHashes(const AuthorityConfig& config) {
  std::vector<Bytes> hashes;
  for (const std::string& text : config.policy_hashes) {
    absl::StatusOr<Bytes> hash = Base64UrlDecode(text);
    if (!hash.ok() || hash->size() != crypto::Sha256Digest().size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("policy hash \"", text,
                       "\" is not base64url of 32 bytes, as in the claim "
                       "x-ms-policy-hash"));
    }
    hashes.push_back(*std::move(hash));
  }
  return hashes;
}

absl::StatusOr<Authority> Load(const AuthorityConfig& config, std::vector<std::string>& warnings) {
  if (config.name.empty() || config.name == policy::kHardwareSourceName) {
    return absl::InvalidArgumentError("the name must be some word other than \"hardware\"");
  }
  if (config.profile != "maa") {
    return absl::InvalidArgumentError(
        absl::StrCat("profile \"", config.profile, "\" is not known; use maa"));
  }
  if (!config.issuer.starts_with("https://") || config.issuer.ends_with("/")) {
    return absl::InvalidArgumentError(
        absl::StrCat("issuer \"", config.issuer,
                     "\" must start with https:// and have no slash at "
                     "its end, as in the token's iss"));
  }
  ASSIGN_OR_RETURN(std::vector<Bytes> hashes, ReadPolicyHashes(config));
  ASSIGN_OR_RETURN(crypto::Jwks jwks, crypto::ParseJwks(config.jwks));
  for (const std::string& warning : jwks.warnings) {
    warnings.push_back(absl::StrCat("authority ", config.name, ": ", warning));
  }
  if (hashes.empty()) {
    warnings.push_back(
        absl::StrCat("authority ", config.name,
                     ": no policy hash is pinned, so tokens count whatever policy the "
                     "provider was given; list x-ms-policy-hash values"));
  }
  return Authority{config.name, config.issuer, std::move(jwks), std::move(hashes),
                   DigestOf(config)};
}

}  // namespace

absl::StatusOr<Authority> LoadAuthority(const AuthorityConfig& config,
                                        std::vector<std::string>& warnings) {
  absl::StatusOr<Authority> authority = Load(config, warnings);
  if (authority.ok()) return authority;
  return absl::InvalidArgumentError(
      absl::StrCat("authority ", config.name, ": ", authority.status().message()));
}

}  // namespace latchkey::attestation::token
