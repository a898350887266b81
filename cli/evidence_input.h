#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/attestation/attestation_result.h"
#include "broker/attestation/evidence.h"

namespace CLI {
class App;
}

namespace latchkey::cli {

// What `inspect` and `explain` share: evidence from files, appraised offline.
struct EvidenceOptions {
  std::string token_file;
  std::string jwks_file;
  std::string issuer;
  std::string source = "maa";
  std::string evidence_file;
  std::vector<std::string> endorsement_files;
  std::string at;
};
void AddEvidenceOptions(CLI::App& app, EvidenceOptions& options);

// `Inspected` is appraised evidence: a signature, a chain and dates that hold.
struct Inspected {
  attestation::AttestationResult result;
  absl::Time at;
  bool is_token = false;
  // The checks that a release makes and an inspection does not, by name.
  std::vector<std::string> not_judged;
  // What the reader must know about where trust came from.
  std::vector<std::string> notes;
};
absl::StatusOr<Inspected> Inspect(const EvidenceOptions& options);

// `ParseSnpEvidence` takes a report as 1184 raw bytes, as hex text, or in a configfs-tsm bundle
// ({"outblob": base64url, "auxblob": base64url}, whose certificates join the endorsements).
absl::StatusOr<attestation::Evidence> ParseSnpEvidence(const Bytes& content);

}  // namespace latchkey::cli
