#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "latchkey/v1/statement.pb.h"

namespace latchkey::protocol {

// `ItemAssociatedData` is what sealed item `index` is bound to: SHA-256("latchkey/v1/item" ||
// u32(index) || body), `body` the exact StatementBody bytes.
crypto::Sha256Digest ItemAssociatedData(uint32_t index, ByteView body);

// `MakeStatementLeaf` serializes Leaf{statement{body, sealed_digests}}: SHA-256 of each sealed DEK,
// empty for a refused item.
Bytes MakeStatementLeaf(ByteView body, const std::vector<Bytes>& sealed_digests);

// `StatementLeaf` is a leaf read back: the body both as sent and as a message.
struct StatementLeaf {
  Bytes body_bytes;
  v1::StatementBody body;
  std::vector<Bytes> sealed_digests;
};
// InvalidArgument unless `leaf` is a statement of format 1 with as many sealed digests as items,
// each 32 bytes exactly where the item was released, and digests of 32 and an id of 16 bytes.
absl::StatusOr<StatementLeaf> ParseStatementLeaf(ByteView leaf);

// The digest of leaf 0 that brokers and clients pin: SHA-256 of the leaf's bytes.
crypto::Sha256Digest GenesisDigest(ByteView leaf);

}  // namespace latchkey::protocol
