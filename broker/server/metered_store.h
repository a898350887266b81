#pragma once

#include <atomic>

#include "broker/server/metrics.h"
#include "broker/store/store.h"

namespace latchkey::server {

// `MeteredStore` is a Store that times the commits of another and remembers whether the last one
// worked.
class MeteredStore final : public store::Store {
 public:
  // Both must outlive it.
  MeteredStore(store::Store& inner, Metrics& metrics) : inner_(inner), metrics_(metrics) {}

  absl::Status Transact(absl::Time now,
                        absl::FunctionRef<absl::Status(store::Transaction&)> body) override;
  absl::Status Read(absl::Time now,
                    absl::FunctionRef<absl::Status(store::ReadTransaction&)> body) override {
    return inner_.Read(now, body);
  }
  absl::StatusOr<size_t> RemoveExpired(absl::Time now, size_t limit) override {
    return inner_.RemoveExpired(now, limit);
  }

  // False from a write that the storage refused until one that worked.
  bool writable() const { return writable_.load(std::memory_order_relaxed); }

 private:
  store::Store& inner_;
  Metrics& metrics_;
  std::atomic<bool> writable_ = true;
};

}  // namespace latchkey::server
