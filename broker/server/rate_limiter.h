#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace latchkey::server {

// `RateLimiter` grants each peer so many calls a second, with a burst of one second's worth. Memory
// is bounded: beyond `kMaxPeers` at once it forgets all, which errs for the caller. Thread-safe.
class RateLimiter {
 public:
  static constexpr size_t kMaxPeers = 16384;

  // 0: no limit.
  explicit RateLimiter(double per_second) : per_second_(per_second) {}

  bool Admit(std::string_view peer, absl::Time now);

  // The host of a gRPC peer ("ipv4:10.0.0.1:5000" -> "ipv4:10.0.0.1"): connections of one host
  // count together.
  static std::string_view HostOf(std::string_view peer_address);

 private:
  struct Bucket {
    double tokens;
    absl::Time filled;
  };
  const double per_second_;
  Mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey::server
