#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "policy/claims.h"

namespace latchkey::attestation::token {

// `ClaimMapping` says how one JSON member becomes one of our claims. The JSON type must be exactly
// that of the claim: bool, int from 0 to `max`, string, or for bytes lower-case hex of the claim's
// full length.
struct ClaimMapping {
  std::string_view member;
  std::string_view claim;
  bool required = false;
  int64_t max = INT64_MAX;
  bool zero_means_absent = false;  // bytes only
};

// `MapClaims` sets every claim of `mappings` that `object` states. CLAIM_TYPE, or CLAIMS_MISSING
// for a required one; both name the member.
absl::Status MapClaims(const nlohmann::json& object, std::span<const ClaimMapping> mappings,
                       policy::Claims& claims);

// The member `name` of `object` if it is an object, else nullptr.
const nlohmann::json* ObjectMember(const nlohmann::json& object, std::string_view name);

// `Flatten` returns every bool, int and string of nested objects by path, joined with dots. Members
// whose own name has a dot are left out: their path could be mistaken for another's.
std::map<std::string, policy::Value, std::less<>> Flatten(const nlohmann::json& object);

}  // namespace latchkey::attestation::token
