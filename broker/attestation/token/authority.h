#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/attestation/verifier.h"
#include "crypto/digest.h"
#include "crypto/jws.h"

namespace latchkey::attestation::token {

// `Authority` is one outside verifier, its definition read and checked.
struct Authority {
  std::string name;
  std::string issuer;
  crypto::Jwks jwks;
  std::vector<Bytes> policy_hashes;  // 32 bytes each; empty: any
  crypto::Sha256Digest digest;       // of the whole definition
};

// `LoadAuthority` reads one definition. InvalidArgument names the authority and the fault. Appends
// to `warnings` what counts but is weaker than it could be.
absl::StatusOr<Authority> LoadAuthority(const AuthorityConfig& config,
                                        std::vector<std::string>& warnings);

}  // namespace latchkey::attestation::token
