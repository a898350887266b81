#pragma once

// store/ is the broker's durable state: records under text keys, entries that expire, and
// append-only logs, changed together in serializable transactions. One contract suite
// (store_contract_test.cc) runs on every implementation.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"

namespace latchkey::store {

struct Entry {
  std::string key;
  Bytes value;
};

// `ReadTransaction` sees one consistent state. Not thread-safe; lives only inside the call that
// passed it.
class ReadTransaction {
 public:
  virtual ~ReadTransaction() = default;
  // The value under `key`; nullopt when there is none or it has expired at the transaction's `now`.
  virtual absl::StatusOr<std::optional<Bytes>> Get(std::string_view key) = 0;
  // Up to `limit` entries whose keys start with `prefix` and sort (bytewise) after `after`, in key
  // order.
  virtual absl::StatusOr<std::vector<Entry>> Scan(std::string_view prefix, std::string_view after,
                                                  size_t limit) = 0;
  // The number of leaves of `log`; 0 when it does not exist.
  virtual absl::StatusOr<uint64_t> LogSize(std::string_view log) = 0;
  // Leaves [first, first + count) of `log`, fewer at its end.
  virtual absl::StatusOr<std::vector<Bytes>> ReadLog(std::string_view log, uint64_t first,
                                                     size_t count) = 0;
};

// `Transaction` also writes. Its own writes are visible to its reads.
class Transaction : public ReadTransaction {
 public:
  // InvalidArgument when `key` is empty.
  virtual absl::Status Put(std::string_view key, ByteView value) = 0;
  // The entry is absent from `expires_at` on, whether or not it was removed yet.
  virtual absl::Status PutExpiring(std::string_view key, ByteView value, absl::Time expires_at) = 0;
  virtual absl::Status Delete(std::string_view key) = 0;
  // Appends one leaf and returns its index.
  virtual absl::StatusOr<uint64_t> Append(std::string_view log, ByteView leaf) = 0;
};

// `Store` is thread-safe. Writing transactions are serialized.
class Store {
 public:
  virtual ~Store() = default;
  // Runs `body` in one transaction. OK: everything it wrote is durable. The error of `body`, or
  // Unavailable when the storage failed: nothing it wrote remains. `now` decides which entries have
  // expired. `body` must not write to the same store by another transaction: it would wait for
  // itself.
  virtual absl::Status Transact(absl::Time now,
                                absl::FunctionRef<absl::Status(Transaction&)> body) = 0;
  // Runs `body` on a committed state; readers do not wait for writers.
  virtual absl::Status Read(absl::Time now,
                            absl::FunctionRef<absl::Status(ReadTransaction&)> body) = 0;
  // Removes up to `limit` entries that have expired at `now`; returns how many.
  virtual absl::StatusOr<size_t> RemoveExpired(absl::Time now, size_t limit) = 0;
};

}  // namespace latchkey::store
