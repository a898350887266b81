#pragma once

#include <map>
#include <optional>
#include <string>

#include "broker/store/store.h"

namespace latchkey::audit {

// `StagedTransaction` is one entry's view of its group's transaction: it keeps the writes back
// until Flush, so that an entry that fails leaves nothing. Leaves are appended by the log itself:
// Append is refused. Not thread-safe.
class StagedTransaction final : public store::Transaction {
 public:
  StagedTransaction(store::Transaction& under, absl::Time now) : under_(under), now_(now) {}

  absl::StatusOr<std::optional<Bytes>> Get(std::string_view key) override;
  absl::StatusOr<std::vector<store::Entry>> Scan(std::string_view prefix, std::string_view after,
                                                 size_t limit) override;
  absl::StatusOr<uint64_t> LogSize(std::string_view log) override { return under_.LogSize(log); }
  absl::StatusOr<std::vector<Bytes>> ReadLog(std::string_view log, uint64_t first,
                                             size_t count) override {
    return under_.ReadLog(log, first, count);
  }
  absl::Status Put(std::string_view key, ByteView value) override;
  absl::Status PutExpiring(std::string_view key, ByteView value, absl::Time expires_at) override;
  absl::Status Delete(std::string_view key) override;
  absl::StatusOr<uint64_t> Append(std::string_view log, ByteView leaf) override;

  // Hands the writes to the transaction below.
  absl::Status Flush();

 private:
  struct Write {
    std::optional<Bytes> value;  // nullopt: deleted
    absl::Time expires_at = absl::InfiniteFuture();
  };
  bool IsLive(const Write& write) const { return write.value && write.expires_at > now_; }

  store::Transaction& under_;
  const absl::Time now_;
  std::map<std::string, Write, std::less<>> writes_;
};

}  // namespace latchkey::audit
