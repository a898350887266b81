#include "broker/server/metered_store.h"

#include "absl/time/clock.h"

namespace latchkey::server {
namespace {

class CountingTransaction final : public store::Transaction {
 public:
  explicit CountingTransaction(store::Transaction& inner) : inner_(inner) {}

  absl::StatusOr<std::optional<Bytes>> Get(std::string_view key) override {
    return inner_.Get(key);
  }
  absl::StatusOr<std::vector<store::Entry>> Scan(std::string_view prefix, std::string_view after,
                                                 size_t limit) override {
    return inner_.Scan(prefix, after, limit);
  }
  absl::StatusOr<uint64_t> LogSize(std::string_view log) override { return inner_.LogSize(log); }
  absl::StatusOr<std::vector<Bytes>> ReadLog(std::string_view log, uint64_t first,
                                             size_t count) override {
    return inner_.ReadLog(log, first, count);
  }
  absl::Status Put(std::string_view key, ByteView value) override { return inner_.Put(key, value); }
  absl::Status PutExpiring(std::string_view key, ByteView value, absl::Time expires_at) override {
    return inner_.PutExpiring(key, value, expires_at);
  }
  absl::Status Delete(std::string_view key) override { return inner_.Delete(key); }
  absl::StatusOr<uint64_t> Append(std::string_view log, ByteView leaf) override {
    ++appended_;
    return inner_.Append(log, leaf);
  }
  int appended() const { return appended_; }

 private:
  store::Transaction& inner_;
  int appended_ = 0;
};

}  // namespace

absl::Status MeteredStore::Transact(absl::Time now,
                                    absl::FunctionRef<absl::Status(store::Transaction&)> body) {
  const absl::Time start = absl::Now();
  int appended = 0;
  absl::Status status = inner_.Transact(now, [&](store::Transaction& transaction) {
    CountingTransaction counting(transaction);
    absl::Status result = body(counting);
    appended = counting.appended();
    return result;
  });
  if (status.ok()) {
    metrics_.commit_seconds.Observe(absl::ToDoubleSeconds(absl::Now() - start));
    if (appended > 0) metrics_.group_size.Observe(appended);
    writable_.store(true, std::memory_order_relaxed);
  } else if (absl::IsUnavailable(status)) {
    writable_.store(false, std::memory_order_relaxed);
  }
  return status;
}

}  // namespace latchkey::server
