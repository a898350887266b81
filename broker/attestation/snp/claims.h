#pragma once

#include "absl/status/statusor.h"
#include "broker/attestation/snp/certificates.h"
#include "broker/attestation/snp/report.h"
#include "policy/claims.h"

namespace latchkey::attestation::snp {

// `MakeClaims` states a verified report as claims. UNSUPPORTED when a TCB holds a component that
// the product does not have.
absl::StatusOr<policy::Claims> MakeClaims(const Report& report, const LeafCertificate& leaf);

}  // namespace latchkey::attestation::snp
