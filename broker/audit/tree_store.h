#pragma once

// How the tree lies in the store: leaves in the log named after the tenant, complete nodes of
// levels 8, 16, 24, ... under `node/{tenant}/{level}/{index, 16 hex digits}`. Any other node is at
// most 256 hashes away.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "broker/audit/merkle_tree.h"
#include "broker/store/store.h"

namespace latchkey::audit {

// Writes the stored ones among `completed`.
absl::Status WriteNodes(store::Transaction& transaction, std::string_view tenant,
                        const std::vector<Node>& completed);

// The hash of a complete node. DataLoss when a leaf or a node it needs is missing.
absl::StatusOr<Hash> ReadNode(store::ReadTransaction& transaction, std::string_view tenant,
                              int level, uint64_t index);

// The frontier of the first `size` leaves: at most 255 reads per eight levels, however long the
// log.
absl::StatusOr<Frontier> ReadFrontier(store::ReadTransaction& transaction, std::string_view tenant,
                                      uint64_t size);

}  // namespace latchkey::audit
