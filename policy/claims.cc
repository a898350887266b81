#include "policy/claims.h"

#include <algorithm>

#include "absl/strings/str_replace.h"
#include "base/check.h"
#include "policy/nearest.h"
#include "policy/str_cat.h"

namespace latchkey::policy {
namespace {

unsigned TeeOf(const Value& value) {
  const std::string& type = *value.Get<std::string>();
  if (type == "snp") return kTeeSnp;
  if (type == "tdx") return kTeeTdx;
  return kAnyTee;
}

std::string SourcesText(unsigned sources) {
  if (sources == kAnySource) return "all";
  std::string text;
  const auto add = [&](unsigned kind, const char* name) {
    if (sources & kind) StrAppend(&text, text.empty() ? "" : ", ", name);
  };
  add(kSourceSnp, "SNP report");
  add(kSourceTdx, "TDX quote");
  add(kSourceVtpm, "vTPM");
  add(kSourceMaa, "MAA token");
  add(kSourceOtherToken, "other tokens");
  return text;
}

std::string TypeText(const ClaimDefinition& claim) {
  if (claim.bytes_length > 0) return StrCat("bytes(", claim.bytes_length, ")");
  return std::string(TypeName(claim.type));
}

std::string_view OwnerText(OwnerTie tie) {
  switch (tie) {
    case OwnerTie::kAlways:
      return "yes";
    case OwnerTie::kOnOwnPlatform:
      return "`source: hardware`";
    case OwnerTie::kNone:
      return "";
  }
  return "";
}

}  // namespace

const ClaimDefinition* FindClaim(std::string_view name) {
  const auto all = AllClaims();
  const auto found = std::lower_bound(
      all.begin(), all.end(), name,
      [](const ClaimDefinition& claim, std::string_view n) { return claim.name < n; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::string_view NearestClaim(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ClaimDefinition& claim : AllClaims()) names.push_back(claim.name);
  return NearestName(name, names);
}

std::string ClaimsMarkdown() {
  std::string out =
      "# Claims\n\n"
      "The facts that policies may name. This page is written from the registry in "
      "`policy/claim_registry.cc`; a test keeps both equal.\n\n"
      "*Owner* says whether an equality on the claim ties a machine to its owner "
      "([policy language](policy_language.md#strangers)). A claim that was not stated is missing, "
      "never empty or zero.\n\n"
      "| claim | type | values | stated by | owner | meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const ClaimDefinition& claim : AllClaims()) {
    StrAppend(&out, "| `", claim.name, "` | ", TypeText(claim), " | ",
              absl::StrReplaceAll(ToAbsl(claim.values), {{"|", ", "}}), " | ",
              SourcesText(claim.sources), " | ", OwnerText(claim.owner_tie), " | ", claim.meaning,
              " |\n");
  }
  return out;
}

Claims::Claims(std::string source, unsigned kinds) : source_(std::move(source)), kinds_(kinds) {
  LATCHKEY_CHECK((kinds & kAnySource) != 0 && (kinds & ~kAnySource) == 0);
}

void Claims::Set(std::string_view name, Value value) {
  const ClaimDefinition* definition = FindClaim(name);
  LATCHKEY_CHECK(definition != nullptr);
  LATCHKEY_CHECK(definition->type == value.type());
  if (name == "tee.type") tee_ = TeeOf(value);
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), definition,
      [](const Entry& entry, const ClaimDefinition* wanted) { return entry.first < wanted; });
  if (at != entries_.end() && at->first == definition) {
    at->second = std::move(value);
  } else {
    entries_.insert(at, {definition, std::move(value)});
  }
}

const Value* Claims::Find(std::string_view name) const {
  const ClaimDefinition* definition = FindClaim(name);
  return definition == nullptr ? nullptr : Find(*definition);
}

const Value* Claims::Find(const ClaimDefinition& definition) const {
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), &definition,
      [](const Entry& entry, const ClaimDefinition* wanted) { return entry.first < wanted; });
  return at != entries_.end() && at->first == &definition ? &at->second : nullptr;
}

bool Claims::Applies(const ClaimDefinition& definition) const {
  return (definition.sources & kinds_) != 0 && (definition.tees & tee_) != 0;
}

void Claims::SetRawToken(std::map<std::string, Value, std::less<>> values) {
  raw_token_ = std::move(values);
}

const Value* Claims::FindRawToken(std::string_view path) const {
  const auto found = raw_token_.find(path);
  return found == raw_token_.end() ? nullptr : &found->second;
}

}  // namespace latchkey::policy
