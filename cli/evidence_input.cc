#include "cli/evidence_input.h"

#include <algorithm>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "base/strict_json.h"
#include "broker/attestation/verifier.h"
#include "cli/files.h"
#include "cli/output.h"
#include "crypto/jws.h"

namespace latchkey::cli {
namespace {

constexpr size_t kMaxTokenBytes = 64 << 10;

absl::Status Malformed(const std::string& what) {
  return Refuse(absl::StatusCode::kUnauthenticated, "MALFORMED", what);
}

// Base64url with or without padding.
absl::StatusOr<Bytes> DecodeBlob(std::string text) {
  while (absl::EndsWith(text, "=")) text.pop_back();
  return Base64UrlDecode(text);
}

absl::StatusOr<attestation::Evidence> ParseBundle(const Bytes& content) {
  ASSIGN_OR_RETURN(const nlohmann::json json, ParseStrictJson(content));
  attestation::Evidence evidence{.kind = attestation::EvidenceKind::kSnpReport};
  ASSIGN_OR_RETURN(const std::string outblob, JsonString(json, "outblob"));
  ASSIGN_OR_RETURN(evidence.bytes, DecodeBlob(outblob));
  if (!json.contains("auxblob")) return evidence;
  ASSIGN_OR_RETURN(const std::string auxblob, JsonString(json, "auxblob"));
  ASSIGN_OR_RETURN(Bytes certificates, DecodeBlob(auxblob));
  if (!certificates.empty()) evidence.endorsements.push_back(std::move(certificates));
  return evidence;
}

// `iss` of a token that nobody has verified yet.
absl::StatusOr<std::string> IssuerInToken(const std::string& token) {
  const auto parsed = crypto::ParseCompactJwsUnverified(token, kMaxTokenBytes);
  if (!parsed.ok()) return Malformed(absl::StrCat("token: ", parsed.status().message()));
  const auto payload = ParseStrictJson(parsed->payload);
  if (!payload.ok()) return Malformed(absl::StrCat("token: ", payload.status().message()));
  const auto issuer = JsonString(*payload, "iss");
  if (!issuer.ok()) return Malformed(absl::StrCat("token: ", issuer.status().message()));
  return *issuer;
}

absl::StatusOr<Inspected> InspectToken(const EvidenceOptions& options, absl::Time at) {
  if (options.jwks_file.empty()) {
    return UsageError("--token needs --jwks FILE, the key set of its issuer");
  }
  ASSIGN_OR_RETURN(std::string token, ReadTextFile(options.token_file));
  absl::StripAsciiWhitespace(&token);
  attestation::AuthorityConfig authority{
      .name = options.source, .profile = "maa", .issuer = options.issuer};
  ASSIGN_OR_RETURN(authority.jwks, ReadTextFile(options.jwks_file));
  std::vector<std::string> notes;
  if (authority.issuer.empty()) {
    ASSIGN_OR_RETURN(authority.issuer, IssuerInToken(token));
    notes.push_back(absl::StrCat("the issuer was taken from the token itself (", authority.issuer,
                                 "); give --issuer to have it checked"));
  }
  ASSIGN_OR_RETURN(const auto verifiers,
                   attestation::MakeVerifiers({authority}, {.enabled = false}));
  ASSIGN_OR_RETURN(auto result,
                   verifiers->Appraise({.kind = attestation::EvidenceKind::kToken, .bytes = token},
                                       std::nullopt, at));
  return Inspected{.result = std::move(result),
                   .at = at,
                   .is_token = true,
                   .not_judged = {"binding (no challenge and recipient key here to compare with)",
                                  "policy hash (none is pinned here)"},
                   .notes = std::move(notes)};
}

absl::StatusOr<Inspected> InspectReport(const EvidenceOptions& options, absl::Time at) {
  ASSIGN_OR_RETURN(const Bytes content, ReadTextFile(options.evidence_file));
  ASSIGN_OR_RETURN(attestation::Evidence evidence, ParseSnpEvidence(content));
  for (const std::string& file : options.endorsement_files) {
    ASSIGN_OR_RETURN(Bytes endorsement, ReadTextFile(file));
    evidence.endorsements.push_back(std::move(endorsement));
  }
  ASSIGN_OR_RETURN(const auto verifiers, attestation::MakeVerifiers({}, {}));
  ASSIGN_OR_RETURN(auto result, verifiers->Appraise(evidence, std::nullopt, at));
  return Inspected{.result = std::move(result),
                   .at = at,
                   .not_judged = {"binding (no challenge and recipient key here to compare with)",
                                  "revocation (AMD's CRL is not read)"}};
}

}  // namespace

absl::StatusOr<attestation::Evidence> ParseSnpEvidence(const Bytes& content) {
  const std::string trimmed(absl::StripAsciiWhitespace(content));
  if (absl::StartsWith(trimmed, "{")) {
    auto bundle = ParseBundle(trimmed);
    if (bundle.ok()) return bundle;
    return Malformed(absl::StrCat("configfs-tsm bundle: ", bundle.status().message()));
  }
  std::string digits;
  std::copy_if(trimmed.begin(), trimmed.end(), std::back_inserter(digits),
               [](char c) { return !absl::ascii_isspace(static_cast<unsigned char>(c)); });
  if (auto report = HexDecode(digits); report.ok() && !report->empty()) {
    return attestation::Evidence{.kind = attestation::EvidenceKind::kSnpReport,
                                 .bytes = *std::move(report)};
  }
  return attestation::Evidence{.kind = attestation::EvidenceKind::kSnpReport, .bytes = content};
}

void AddEvidenceOptions(CLI::App& app, EvidenceOptions& options) {
  CLI::Option* token =
      app.add_option("--token", options.token_file, "file with an attestation token (MAA)");
  app.add_option("--jwks", options.jwks_file, "key set of the token's issuer")->needs(token);
  app.add_option("--issuer", options.issuer, "issuer that the token must have, exactly")
      ->needs(token);
  app.add_option("--source", options.source, "name under which policies know the token's authority")
      ->needs(token);
  CLI::Option* evidence =
      app.add_option("--evidence", options.evidence_file,
                     "file with an SEV-SNP report: raw, hex, or a configfs-tsm bundle in JSON");
  evidence->excludes(token);
  app.add_option("--endorsements", options.endorsement_files,
                 "files with VCEK or VLEK and ASK certificates, DER or PEM")
      ->needs(evidence);
  app.add_option("--at", options.at,
                 "time to judge at, such as 2025-06-30T12:00:00Z; default: now");
}

absl::StatusOr<Inspected> Inspect(const EvidenceOptions& options) {
  ASSIGN_OR_RETURN(const absl::Time at, ParseTime(options.at));
  if (!options.token_file.empty()) return InspectToken(options, at);
  if (!options.evidence_file.empty()) return InspectReport(options, at);
  return UsageError("give --token FILE --jwks FILE, or --evidence FILE");
}

}  // namespace latchkey::cli
