#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/value.h"

// policy/ decides: (Policy, Claims, Request, time) -> Decision, without I/O of any kind. This
// header is its vocabulary: the registry of every claim a policy may name, and the claims of one
// attestation.

namespace latchkey::policy {

// Who can state a claim (a bit mask): hardware evidence appraised by our own verifiers, or a
// token's authority.
enum SourceKind : unsigned {
  kSourceSnp = 1,         // SEV-SNP report
  kSourceTdx = 2,         // TDX quote
  kSourceVtpm = 4,        // vTPM quote and the runtime data that the hardware report vouches for
  kSourceMaa = 8,         // Microsoft Azure Attestation token
  kSourceOtherToken = 16  // any other attestation token
};
inline constexpr unsigned kHardwareSources = kSourceSnp | kSourceTdx | kSourceVtpm;
inline constexpr unsigned kTokenSources = kSourceMaa | kSourceOtherToken;
inline constexpr unsigned kAnySource = kHardwareSources | kTokenSources;

// The TEE types for which a claim exists (a bit mask).
enum TeeType : unsigned { kTeeSnp = 1, kTeeTdx = 2, kAnyTee = kTeeSnp | kTeeTdx };

// The source name of our own verification of hardware evidence; no authority may bear it.
inline constexpr std::string_view kHardwareSourceName = "hardware";

// How far a claim ties a machine to its owner. A measurement identifies the owner only where the
// owner chose what was measured: on bare SEV-SNP hosts, not behind a cloud provider's paravisor.
enum class OwnerTie { kNone, kAlways, kOnOwnPlatform };

// `ClaimDefinition` says everything about one claim. `bytes_length` is 0 where any length may
// occur; `values` lists the only values of an enumerated string, parted by '|', and is empty for
// free text.
struct ClaimDefinition {
  std::string_view name;
  Type type;
  size_t bytes_length;
  unsigned sources;
  unsigned tees;
  OwnerTie owner_tie;
  std::string_view values;
  std::string_view meaning;

  bool owner_tied() const { return owner_tie == OwnerTie::kAlways; }
};

// `AllClaims` returns the registry, sorted by name. `FindClaim` returns nullptr for a name that is
// not registered.
std::span<const ClaimDefinition> AllClaims();
const ClaimDefinition* FindClaim(std::string_view name);

// `NearestClaim` returns the registered name most like `name`, or "" when none is near.
std::string_view NearestClaim(std::string_view name);

// `ClaimsMarkdown` writes the registry as docs/claims.md.
std::string ClaimsMarkdown();

// `Claims` holds the typed facts of one attestation. `source` is the authority's name or
// "hardware"; `kinds` says what was appraised (SourceKind bits, at least one).
class Claims {
 public:
  Claims(std::string source, unsigned kinds);

  const std::string& source() const { return source_; }
  unsigned kinds() const { return kinds_; }

  // `Set` stores a claim. The name must be registered with the value's type: a broken invariant
  // otherwise.
  void Set(std::string_view name, Value value);
  // `Find` returns nullptr when the claim was not stated.
  const Value* Find(std::string_view name) const;
  const Value* Find(const ClaimDefinition& definition) const;

  // `Applies` is false when this attestation cannot state the claim: the source never does, or the
  // TEE has no such thing. An unknown TEE type rules nothing out.
  bool Applies(const ClaimDefinition& definition) const;

  // `SetRawToken` keeps scalars (bool, int, string) of a token by path:
  // {"x-ms-runtime.client-payload.nonce", ...}. Nesting is written with a dot.
  void SetRawToken(std::map<std::string, Value, std::less<>> values);
  const Value* FindRawToken(std::string_view path) const;
  const std::map<std::string, Value, std::less<>>& raw_token() const { return raw_token_; }

  // The claims that were set, sorted by name.
  using Entry = std::pair<const ClaimDefinition*, Value>;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::string source_;
  unsigned kinds_;
  unsigned tee_ = kAnyTee;
  std::vector<Entry> entries_;
  std::map<std::string, Value, std::less<>> raw_token_;
};

}  // namespace latchkey::policy
