#include "protocol/merkle.h"

#include <bit>

#include "absl/strings/str_cat.h"

namespace latchkey::protocol {
namespace {

constexpr uint8_t kLeafPrefix[] = {0x00};
constexpr uint8_t kNodePrefix[] = {0x01};

absl::Status WrongLength(const char* what, size_t length, uint64_t first, uint64_t size) {
  return absl::InvalidArgumentError(absl::StrCat(what, " proof of ", length,
                                                 " hashes has the wrong length for ", first,
                                                 " and tree size ", size));
}

// `Climb` steps from a node to its parent, in the notation of RFC 9162, 2.1.3.2: `fn` is the node's
// index in its level and `sn` that of the level's last node.
struct Climb {
  uint64_t fn;
  uint64_t sn;

  bool at_root() const { return sn == 0; }
  // The sibling stands to the left: we are a right child, or the last node of a level and joined
  // only further up.
  bool sibling_is_left() const { return (fn & 1) == 1 || fn == sn; }
  void Up() {
    fn >>= 1;
    sn >>= 1;
  }
  // Passes the levels at which the last node has no sibling.
  void UpPastMissingSiblings() {
    while ((fn & 1) == 0 && fn != 0) Up();
  }
};

}  // namespace

Hash LeafHash(ByteView leaf) { return crypto::Sha256({kLeafPrefix, leaf}); }

Hash NodeHash(const Hash& left, const Hash& right) {
  return crypto::Sha256({kNodePrefix, left, right});
}

Hash EmptyRoot() { return crypto::Sha256(ByteView()); }

absl::Status VerifyInclusion(uint64_t index, uint64_t size, const Hash& leaf_hash,
                             const std::vector<Hash>& proof, const Hash& root) {
  if (index >= size) {
    return absl::InvalidArgumentError(
        absl::StrCat("leaf ", index, " is not in a tree of size ", size));
  }
  Climb node{index, size - 1};
  Hash hash = leaf_hash;
  for (const Hash& sibling : proof) {
    if (node.at_root()) return WrongLength("inclusion", proof.size(), index, size);
    if (node.sibling_is_left()) {
      hash = NodeHash(sibling, hash);
      node.UpPastMissingSiblings();
    } else {
      hash = NodeHash(hash, sibling);
    }
    node.Up();
  }
  if (!node.at_root()) return WrongLength("inclusion", proof.size(), index, size);
  if (hash != root) {
    return absl::UnauthenticatedError(absl::StrCat("inclusion proof of leaf ", index,
                                                   " does not lead to the root of size ", size));
  }
  return absl::OkStatus();
}

absl::Status VerifyConsistency(uint64_t old_size, const Hash& old_root, uint64_t new_size,
                               const Hash& new_root, const std::vector<Hash>& proof) {
  if (old_size == 0 || old_size > new_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("no consistency proof leads from size ", old_size, " to size ", new_size));
  }
  const absl::Status inconsistent = absl::UnauthenticatedError(absl::StrCat(
      "the tree of size ", old_size, " is not a prefix of the tree of size ", new_size));
  if (old_size == new_size) {
    if (!proof.empty()) return WrongLength("consistency", proof.size(), old_size, new_size);
    return old_root == new_root ? absl::OkStatus() : inconsistent;
  }
  // RFC 9162, 2.1.4.2. The walk starts at the largest perfect subtree that ends the old tree; where
  // that is the whole old tree, its root is known and left out of the proof.
  const bool starts_at_old_root = std::has_single_bit(old_size);
  if (!starts_at_old_root && proof.empty())
    return WrongLength("consistency", 0, old_size, new_size);
  Climb node{old_size - 1, new_size - 1};
  while ((node.fn & 1) == 1) node.Up();
  Hash old_hash = starts_at_old_root ? old_root : proof[0];
  Hash new_hash = old_hash;
  for (size_t i = starts_at_old_root ? 0 : 1; i < proof.size(); ++i) {
    if (node.at_root()) return WrongLength("consistency", proof.size(), old_size, new_size);
    if (node.sibling_is_left()) {
      old_hash = NodeHash(proof[i], old_hash);
      new_hash = NodeHash(proof[i], new_hash);
      node.UpPastMissingSiblings();
    } else {
      new_hash = NodeHash(new_hash, proof[i]);
    }
    node.Up();
  }
  if (!node.at_root()) return WrongLength("consistency", proof.size(), old_size, new_size);
  return old_hash == old_root && new_hash == new_root ? absl::OkStatus() : inconsistent;
}

}  // namespace latchkey::protocol
