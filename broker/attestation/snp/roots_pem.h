#pragma once

#include "absl/types/span.h"

namespace latchkey::attestation::snp {

// `AmdRootPem` is one product line's root and its two intermediates, as PEM, with the SHA-256
// fingerprint that the ARK must have.
struct AmdRootPem {
  const char* product;
  const char* ark_sha256;
  const char* ark;
  const char* ask;
  const char* asvk;
};

// `AmdRootsPem` lists the roots that are built in: Milan, Genoa, Turin.
absl::Span<const AmdRootPem> AmdRootsPem();

}  // namespace latchkey::attestation::snp
