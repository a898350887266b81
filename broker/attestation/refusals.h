#pragma once

// The refusals of this folder: one short name per audit reason, so that a check reads as a
// sentence.

#include <string_view>

#include "base/reason.h"

namespace latchkey::attestation {

// Bytes that are not what they claim to be.
inline absl::Status Malformed(std::string_view message) {
  return Refuse(absl::StatusCode::kInvalidArgument, "MALFORMED", message);
}
// Well-formed, but of a version, kind or setting that we do not vouch for.
inline absl::Status Unsupported(std::string_view message) {
  return Refuse(absl::StatusCode::kInvalidArgument, "UNSUPPORTED", message);
}
// Not proven: signature, chain, issuer, dates, claims, binding.
inline absl::Status Unproven(std::string_view reason, std::string_view message) {
  return Refuse(absl::StatusCode::kUnauthenticated, reason, message);
}

}  // namespace latchkey::attestation
