#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/attestation/attestation_result.h"
#include "broker/attestation/evidence.h"
#include "broker/attestation/verifier.h"

namespace latchkey::attestation::snp {

// `SnpVerifier` appraises SEV-SNP reports. Thread-safe.
class SnpVerifier {
 public:
  static absl::StatusOr<std::unique_ptr<SnpVerifier>> Create(const SnpConfig& config);
  virtual ~SnpVerifier() = default;

  virtual absl::StatusOr<AttestationResult> Appraise(const Evidence& evidence,
                                                     const std::optional<ExpectedBinding>& expected,
                                                     absl::Time now) = 0;
};

}  // namespace latchkey::attestation::snp
