#include "broker/audit/merkle_tree.h"

#include <bit>
#include <optional>

#include "base/check.h"
#include "base/status_macros.h"

namespace latchkey::audit {
namespace {

bool Bit(uint64_t value, int bit) { return (value >> bit & 1) != 0; }

// `RaggedEdge` walks up the right edge of a tree whose size is no power of two: at each level, the
// hash of the leaves that fill no complete node of that level.
class RaggedEdge {
 public:
  explicit RaggedEdge(const Frontier& frontier) : frontier_(frontier) {}

  const std::optional<Hash>& hash() const { return hash_; }
  void Rise() {
    if (Bit(frontier_.size, level_)) {
      const Hash& left = frontier_.nodes[level_];
      hash_ = hash_ ? protocol::NodeHash(left, *hash_) : left;
    }
    ++level_;
  }

 private:
  const Frontier& frontier_;
  int level_ = 0;
  std::optional<Hash> hash_;
};

}  // namespace

bool Frontier::Has(int level, uint64_t index) const {
  return level < 64 && Bit(size, level) && index == (size >> level) - 1;
}

Hash RootOf(const Frontier& frontier) {
  RaggedEdge edge(frontier);
  for (int level = 0; level < std::bit_width(frontier.size); ++level) edge.Rise();
  return edge.hash() ? *edge.hash() : protocol::EmptyRoot();
}

absl::StatusOr<std::vector<Hash>> InclusionProof(uint64_t index, const Frontier& frontier,
                                                 NodeLookup lookup) {
  LATCHKEY_CHECK(index < frontier.size);
  std::vector<Hash> proof;
  RaggedEdge edge(frontier);
  // `last` is the right-most node of the level, complete or ragged.
  uint64_t last = frontier.size - 1;
  for (int level = 0; last > 0; ++level, index >>= 1, last >>= 1, edge.Rise()) {
    const uint64_t sibling = index ^ 1;
    if (sibling > last) continue;  // the right-most node moves up alone
    if (sibling == frontier.size >> level) {
      proof.push_back(*edge.hash());
    } else if (frontier.Has(level, sibling)) {
      proof.push_back(frontier.nodes[level]);
    } else {
      ASSIGN_OR_RETURN(const Hash hash, lookup(level, sibling));
      proof.push_back(hash);
    }
  }
  return proof;
}

GrowingTree::GrowingTree(const Frontier& from) : size_(from.size) {
  levels_.resize(std::bit_width(from.size) + 1);
  for (int level = 0; level < static_cast<int>(levels_.size()); ++level) {
    levels_[level].first = from.size >> level;
    if (!Bit(from.size, level)) continue;
    --levels_[level].first;
    levels_[level].nodes.push_back(from.nodes[level]);
  }
}

std::vector<Node> GrowingTree::Append(const Hash& leaf_hash) {
  std::vector<Node> completed;
  Node node{0, size_++, leaf_hash};
  while (true) {
    if (node.level == static_cast<int>(levels_.size())) levels_.emplace_back();
    levels_[node.level].nodes.push_back(node.hash);
    completed.push_back(node);
    if (node.index % 2 == 0) return completed;
    node.hash = protocol::NodeHash(At(node.level, node.index - 1), node.hash);
    node.index /= 2;
    ++node.level;
  }
}

Frontier GrowingTree::frontier() const {
  Frontier frontier{size_, std::vector<Hash>(std::bit_width(size_))};
  for (int level = 0; level < std::bit_width(size_); ++level) {
    if (Bit(size_, level)) frontier.nodes[level] = At(level, (size_ >> level) - 1);
  }
  return frontier;
}

std::vector<Hash> GrowingTree::Prove(uint64_t index, const Frontier& now) const {
  auto proof = InclusionProof(
      index, now, [&](int level, uint64_t i) -> absl::StatusOr<Hash> { return At(level, i); });
  return *std::move(proof);
}

const Hash& GrowingTree::At(int level, uint64_t index) const {
  const Level& nodes = levels_[level];
  LATCHKEY_CHECK(index >= nodes.first && index - nodes.first < nodes.nodes.size());
  return nodes.nodes[index - nodes.first];
}

}  // namespace latchkey::audit
