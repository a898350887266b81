#pragma once

// The writing side of the log's Merkle tree (RFC 6962, 2.1). A node is (level, index): it covers
// leaves [index << level, (index + 1) << level). protocol/merkle.h checks what this makes and
// shares none of it but the two hashes.

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "protocol/merkle.h"

namespace latchkey::audit {

using protocol::Hash;

struct Node {
  int level = 0;
  uint64_t index = 0;
  Hash hash;
};

// `Frontier` is all of a tree that its growth needs: the largest complete subtrees from left to
// right, one per set bit of `size`. nodes[level] counts where that bit is set.
struct Frontier {
  uint64_t size = 0;
  std::vector<Hash> nodes;

  // Is (level, index) one of them?
  bool Has(int level, uint64_t index) const;
};

// Finds the hash of a complete node.
using NodeLookup = absl::FunctionRef<absl::StatusOr<Hash>(int level, uint64_t index)>;

// The root of the tree of `frontier.size` leaves.
Hash RootOf(const Frontier& frontier);

// The audit path of leaf `index` in the tree of `frontier` (RFC 6962, 2.1.1), from the leaf
// upwards. `lookup` is asked for complete nodes that are not in the frontier. `index` <
// frontier.size (checked).
absl::StatusOr<std::vector<Hash>> InclusionProof(uint64_t index, const Frontier& frontier,
                                                 NodeLookup lookup);

// `GrowingTree` takes the leaves of one group and knows every node they complete. Not thread-safe.
class GrowingTree {
 public:
  explicit GrowingTree(const Frontier& from);

  // Returns the nodes that the leaf completed, itself first.
  std::vector<Node> Append(const Hash& leaf_hash);

  uint64_t size() const { return size_; }
  Frontier frontier() const;
  // The path of a leaf appended here, in the tree as it is now.
  std::vector<Hash> Prove(uint64_t index, const Frontier& now) const;

 private:
  struct Level {
    uint64_t first = 0;  // index of nodes[0]
    std::vector<Hash> nodes;
  };
  const Hash& At(int level, uint64_t index) const;

  uint64_t size_;
  std::vector<Level> levels_;
};

}  // namespace latchkey::audit
