#include "broker/attestation/token/json_claims.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "base/text.h"
#include "broker/attestation/refusals.h"

namespace latchkey::attestation::token {
namespace {

using nlohmann::json;
using policy::Value;

absl::Status WrongType(const ClaimMapping& mapping, std::string_view wanted) {
  return Unproven("CLAIM_TYPE",
                  absl::StrCat("token: ", ToAbsl(mapping.member), " is not ", ToAbsl(wanted)));
}

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

absl::StatusOr<Value> ReadInt(const json& member, const ClaimMapping& mapping) {
  const bool fits =
      member.is_number_unsigned() && member.get<uint64_t>() <= static_cast<uint64_t>(mapping.max);
  if (!fits) return WrongType(mapping, absl::StrCat("a number from 0 to ", mapping.max));
  return Value(static_cast<int64_t>(member.get<uint64_t>()));
}

absl::StatusOr<Value> ReadHex(const json& member, const ClaimMapping& mapping, size_t size) {
  const std::string* text = member.get_ptr<const std::string*>();
  if (text == nullptr || text->size() != 2 * size || !IsLowerHex(*text)) {
    return WrongType(mapping, absl::StrCat("lower-case hex of ", size, " bytes"));
  }
  ASSIGN_OR_RETURN(Bytes bytes, HexDecode(*text));
  return Value(policy::BytesValue{std::move(bytes)});
}

absl::StatusOr<Value> Read(const json& member, const ClaimMapping& mapping,
                           const policy::ClaimDefinition& claim) {
  switch (claim.type) {
    case policy::Type::kBool:
      if (!member.is_boolean()) return WrongType(mapping, "true or false");
      return Value(member.get<bool>());
    case policy::Type::kInt:
      return ReadInt(member, mapping);
    case policy::Type::kBytes:
      return ReadHex(member, mapping, claim.bytes_length);
    default:
      LATCHKEY_CHECK(claim.type == policy::Type::kString);
      if (!member.is_string()) return WrongType(mapping, "text");
      return Value(member.get<std::string>());
  }
}

bool IsAllZero(const Value& value) {
  const policy::BytesValue* bytes = value.Get<policy::BytesValue>();
  return bytes != nullptr && bytes->bytes.find_first_not_of('\0') == Bytes::npos;
}

void FlattenInto(const json& object, const std::string& prefix,
                 std::map<std::string, Value, std::less<>>& out) {
  for (const auto& [name, member] : object.items()) {
    if (name.find('.') != name.npos) continue;
    const std::string path = prefix + name;
    if (member.is_object()) {
      FlattenInto(member, path + ".", out);
    } else if (member.is_boolean()) {
      out.emplace(path, member.get<bool>());
    } else if (member.is_string()) {
      out.emplace(path, member.get<std::string>());
    } else if (const auto number = JsonInt(object, name); number.ok()) {
      out.emplace(path, *number);
    }
  }
}

}  // namespace

absl::Status MapClaims(const json& object, std::span<const ClaimMapping> mappings,
                       policy::Claims& claims) {
  for (const ClaimMapping& mapping : mappings) {
    const auto member = object.find(mapping.member);
    if (member == object.end()) {
      if (!mapping.required) continue;
      return Unproven("CLAIMS_MISSING",
                      absl::StrCat("token: ", ToAbsl(mapping.member), " is missing"));
    }
    const policy::ClaimDefinition* claim = policy::FindClaim(mapping.claim);
    LATCHKEY_CHECK(claim != nullptr);
    ASSIGN_OR_RETURN(Value value, Read(*member, mapping, *claim));
    if (mapping.zero_means_absent && IsAllZero(value)) continue;
    claims.Set(mapping.claim, std::move(value));
  }
  return absl::OkStatus();
}

const json* ObjectMember(const json& object, std::string_view name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_object() ? &*member : nullptr;
}

std::map<std::string, Value, std::less<>> Flatten(const json& object) {
  std::map<std::string, Value, std::less<>> out;
  FlattenInto(object, "", out);
  return out;
}

}  // namespace latchkey::attestation::token
