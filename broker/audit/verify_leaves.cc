// The checker of whole logs. It has a tree of its own: a fault of the writer's must not hide here.

#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/audit/audit_log.h"
#include "protocol/checkpoint.h"
#include "protocol/statement.h"

namespace latchkey::audit {
namespace {

using protocol::Hash;

// The root of `leaves`: subtrees of equal size merge until none are left, then from right to left.
Hash RootOfLeaves(const std::vector<Bytes>& leaves) {
  struct Subtree {
    uint64_t size;
    Hash root;
  };
  std::vector<Subtree> stack;
  const auto merge = [&] {
    const Subtree right = stack.back();
    stack.pop_back();
    stack.back() = {stack.back().size + right.size,
                    protocol::NodeHash(stack.back().root, right.root)};
  };
  for (const Bytes& leaf : leaves) {
    stack.push_back({1, protocol::LeafHash(AsBytes(leaf))});
    while (stack.size() > 1 && stack[stack.size() - 2].size == stack.back().size) merge();
  }
  while (stack.size() > 1) merge();
  return stack.empty() ? protocol::EmptyRoot() : stack[0].root;
}

absl::Status CheckGenesis(const std::vector<Bytes>& leaves, const crypto::PublicKey& log_key,
                          ByteView genesis_digest) {
  if (leaves.empty()) return absl::DataLossError("the log has no leaf 0");
  const auto digest = protocol::GenesisDigest(AsBytes(leaves[0]));
  if (AsText(digest) != AsText(genesis_digest)) {
    return absl::DataLossError(absl::StrCat("leaf 0 has digest ", HexEncode(digest), ", not ",
                                            HexEncode(genesis_digest),
                                            " as pinned: this is another log"));
  }
  v1::Leaf leaf;
  if (!leaf.ParseFromString(leaves[0]) || !leaf.has_genesis() ||
      leaf.genesis().log_public_key() != log_key.Ed25519Raw()) {
    return absl::DataLossError("leaf 0 does not name the log key that was given");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VerifyLeaves(const std::vector<Bytes>& leaves, std::string_view checkpoint,
                          std::string_view origin, const crypto::PublicKey& log_key,
                          ByteView genesis_digest) {
  ASSIGN_OR_RETURN(const protocol::Checkpoint head,
                   protocol::VerifyCheckpoint(checkpoint, origin, log_key));
  RETURN_IF_ERROR(CheckGenesis(leaves, log_key, genesis_digest));
  if (leaves.size() != head.size) {
    return absl::DataLossError(absl::StrCat(leaves.size(), " leaves, but the checkpoint is of ",
                                            head.size, ": leaves were removed or added"));
  }
  const Hash root = RootOfLeaves(leaves);
  if (root != head.root) {
    return absl::DataLossError(absl::StrCat("the leaves' root is ", HexEncode(root),
                                            ", the checkpoint's ", HexEncode(head.root),
                                            ": a leaf was changed, moved or replaced"));
  }
  return absl::OkStatus();
}

}  // namespace latchkey::audit
