#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "broker/attestation/evidence.h"
#include "crypto/digest.h"
#include "protocol/binding.h"

namespace latchkey::release {

// `ReleaseRequest` is what a workload asks, already in the terms of the domain and within the
// limits of the wire. Nothing of it is trusted.
struct ReleaseRequest {
  std::string tenant;
  Bytes challenge;
  std::vector<attestation::Evidence> attestations;  // 1 to 4
  protocol::Scheme scheme;
  Bytes recipient_public_key;
  std::vector<protocol::RequestItem> items;  // 1 to 256
  crypto::Sha256Digest bytes_digest;  // of the request's exact bytes: what makes a retry a retry
  std::string caller;                 // a hint, for the record; may be empty
};

}  // namespace latchkey::release
