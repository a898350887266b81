#pragma once

// protocol/ is what both ends compute alike: pure functions over bytes, each with its page in
// docs/formats/.

#include <vector>

#include "absl/status/status.h"
#include "base/bytes.h"
#include "crypto/digest.h"

namespace latchkey::protocol {

using Hash = crypto::Sha256Digest;

// RFC 6962, 2.1: SHA-256(0x00 || leaf), SHA-256(0x01 || left || right), and the root of no leaves.
Hash LeafHash(ByteView leaf);
Hash NodeHash(const Hash& left, const Hash& right);
Hash EmptyRoot();

// `VerifyInclusion` checks that `leaf_hash` is leaf `index` of the tree of `size` leaves with
// `root` (RFC 9162, 2.1.3.2). InvalidArgument for a proof of the wrong length, Unauthenticated for
// one that leads to another root.
absl::Status VerifyInclusion(uint64_t index, uint64_t size, const Hash& leaf_hash,
                             const std::vector<Hash>& proof, const Hash& root);

// `VerifyConsistency` checks that the tree (`old_size`, `old_root`) is a prefix of (`new_size`,
// `new_root`) (RFC 9162, 2.1.4.2).
absl::Status VerifyConsistency(uint64_t old_size, const Hash& old_root, uint64_t new_size,
                               const Hash& new_root, const std::vector<Hash>& proof);

}  // namespace latchkey::protocol
