#include "broker/audit/tree_store.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace latchkey::audit {
namespace {

constexpr int kStoredEvery = 8;

std::string NodePrefix(std::string_view tenant, int level) {
  return absl::StrCat("node/", ToAbsl(tenant), "/", level, "/");
}

std::string NodePath(std::string_view tenant, int level, uint64_t index) {
  return NodePrefix(tenant, level) + absl::StrFormat("%016x", index);
}

absl::Status Missing(std::string_view tenant, int level, uint64_t index) {
  return absl::DataLossError(absl::StrCat("log ", ToAbsl(tenant), ": node ", index, " of level ",
                                          level, " is missing or damaged; restore the database"));
}

absl::StatusOr<std::vector<Hash>> ReadLeafHashes(store::ReadTransaction& transaction,
                                                 std::string_view tenant, uint64_t first,
                                                 size_t count) {
  ASSIGN_OR_RETURN(const std::vector<Bytes> leaves, transaction.ReadLog(tenant, first, count));
  if (leaves.size() != count) return Missing(tenant, 0, first + leaves.size());
  std::vector<Hash> hashes;
  for (const Bytes& leaf : leaves) hashes.push_back(protocol::LeafHash(AsBytes(leaf)));
  return hashes;
}

absl::StatusOr<std::vector<Hash>> ReadStored(store::ReadTransaction& transaction,
                                             std::string_view tenant, int level, uint64_t first,
                                             size_t count) {
  const std::string after = first == 0 ? "" : NodePath(tenant, level, first - 1);
  ASSIGN_OR_RETURN(const std::vector<store::Entry> entries,
                   transaction.Scan(NodePrefix(tenant, level), after, count));
  std::vector<Hash> hashes(count);
  for (size_t i = 0; i < count; ++i) {
    if (i >= entries.size() || entries[i].key != NodePath(tenant, level, first + i) ||
        entries[i].value.size() != hashes[i].size()) {
      return Missing(tenant, level, first + i);
    }
    const ByteView value = AsBytes(entries[i].value);
    std::copy(value.begin(), value.end(), hashes[i].begin());
  }
  return hashes;
}

}  // namespace

absl::Status WriteNodes(store::Transaction& transaction, std::string_view tenant,
                        const std::vector<Node>& completed) {
  for (const Node& node : completed) {
    if (node.level == 0 || node.level % kStoredEvery != 0) continue;
    RETURN_IF_ERROR(transaction.Put(NodePath(tenant, node.level, node.index), node.hash));
  }
  return absl::OkStatus();
}

absl::StatusOr<Hash> ReadNode(store::ReadTransaction& transaction, std::string_view tenant,
                              int level, uint64_t index) {
  const int rise = level % kStoredEvery;
  const int stored = level - rise;
  const uint64_t first = index << rise;
  const size_t count = size_t{1} << rise;
  ASSIGN_OR_RETURN(std::vector<Hash> hashes,
                   stored == 0 ? ReadLeafHashes(transaction, tenant, first, count)
                               : ReadStored(transaction, tenant, stored, first, count));
  for (size_t left = count / 2; left > 0; left /= 2) {
    for (size_t i = 0; i < left; ++i) {
      hashes[i] = protocol::NodeHash(hashes[2 * i], hashes[2 * i + 1]);
    }
  }
  return hashes[0];
}

absl::StatusOr<Frontier> ReadFrontier(store::ReadTransaction& transaction, std::string_view tenant,
                                      uint64_t size) {
  Frontier frontier{size, std::vector<Hash>(std::bit_width(size))};
  for (int level = 0; level < std::bit_width(size); ++level) {
    if ((size >> level & 1) == 0) continue;
    ASSIGN_OR_RETURN(frontier.nodes[level],
                     ReadNode(transaction, tenant, level, (size >> level) - 1));
  }
  return frontier;
}

}  // namespace latchkey::audit
