#pragma once

// broker/audit is the tenants' transparency logs: one append-only Merkle tree each (RFC 6962),
// durable before any key leaves.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/random.h"
#include "broker/audit/durable_answer.h"
#include "broker/custody/root.h"
#include "broker/store/store.h"
#include "crypto/digest.h"
#include "crypto/signature.h"

namespace latchkey::audit {

// `Entry` is one leaf to append and what may be sent once it is durable.
struct Entry {
  Bytes leaf;     // serialized latchkey.v1.Leaf
  Bytes payload;  // becomes DurableAnswer::payload
};

// `EntryBody` runs in the group's transaction, at its turn: it checks what must still hold, writes
// what must commit with the leaf, and returns the entry. Its error undoes its own writes only and
// goes back to its own caller.
using EntryBody =
    std::function<absl::StatusOr<Entry>(store::Transaction& transaction, uint64_t leaf_index)>;

// `AuditLog` appends by group commit: the entries that wait share one transaction, one sync, and
// one checkpoint signature per log. The first waiting caller does the work for all; there is no
// thread. Thread-safe.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  // Appends to `tenant`'s log. Unavailable when the store failed: nothing was appended, or (store
  // said so) it is unknown.
  virtual absl::StatusOr<DurableAnswer> Append(std::string_view tenant, const EntryBody& body) = 0;

  // For an answer that was appended before: `payload` with a receipt against the current
  // checkpoint.
  virtual absl::StatusOr<DurableAnswer> Again(std::string_view tenant, uint64_t leaf_index,
                                              Bytes payload) = 0;

  // The signed checkpoint of all committed leaves.
  virtual absl::StatusOr<std::string> Checkpoint(std::string_view tenant) = 0;
  virtual absl::StatusOr<v1::Receipt> Prove(std::string_view tenant, uint64_t leaf_index) = 0;
  // Leaves [first, first + count), fewer at the end, and the log's size.
  struct Leaves {
    std::vector<Bytes> leaves;
    uint64_t size = 0;
  };
  virtual absl::StatusOr<Leaves> Read(std::string_view tenant, uint64_t first, size_t count) = 0;

  virtual absl::StatusOr<crypto::PublicKey> PublicKey(std::string_view tenant) = 0;
};

// What makes a log: leaf 0 and the wrapped log key, in one transaction. AlreadyExists when the
// tenant has one.
struct GenesisResult {
  crypto::Sha256Digest genesis_digest;
  Bytes log_public_key;  // Ed25519, 32 bytes
};
absl::StatusOr<GenesisResult> CreateTenantLog(store::Store& store, custody::Root& root,
                                              Random& random, std::string_view deployment_id,
                                              std::string_view tenant, absl::Time now);

// Opens the logs in `store`. DataLoss when leaf 0 of a tenant in `pinned` (tenant, digest) is
// missing or another.
struct PinnedGenesis {
  std::string tenant;
  Bytes digest;
};
absl::StatusOr<std::unique_ptr<AuditLog>> OpenAuditLog(store::Store& store, custody::Root& root,
                                                       Clock& clock, Failpoints& failpoints,
                                                       std::string deployment_id,
                                                       const std::vector<PinnedGenesis>& pinned);

// The tenant's epoch: every administrative act advances it, and a release commits only under the
// epoch it was decided in.
absl::StatusOr<uint64_t> ReadEpoch(store::ReadTransaction& transaction, std::string_view tenant);
absl::StatusOr<uint64_t> AdvanceEpoch(store::Transaction& transaction, std::string_view tenant);

// `OfflineVerify` replays leaves against a checkpoint: hashes them, recomputes the root, checks the
// signature and leaf 0's digest. For `latchkey audit verify`; shares the tree with nobody who
// writes.
absl::Status VerifyLeaves(const std::vector<Bytes>& leaves, std::string_view checkpoint,
                          std::string_view origin, const crypto::PublicKey& log_key,
                          ByteView genesis_digest);

}  // namespace latchkey::audit
