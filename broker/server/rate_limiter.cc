#include "broker/server/rate_limiter.h"

#include <algorithm>

namespace latchkey::server {

bool RateLimiter::Admit(std::string_view peer, absl::Time now) {
  if (per_second_ <= 0) return true;
  const double burst = std::max(per_second_, 1.0);
  MutexLock lock(mutex_);
  if (buckets_.size() >= kMaxPeers) buckets_.clear();
  Bucket& bucket = buckets_.try_emplace(std::string(peer), Bucket{burst, now}).first->second;
  const double refill = absl::ToDoubleSeconds(now - bucket.filled) * per_second_;
  // A clock that stepped back refills nothing.
  bucket.tokens = std::min(burst, bucket.tokens + std::max(refill, 0.0));
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

std::string_view RateLimiter::HostOf(std::string_view peer_address) {
  return peer_address.substr(0, peer_address.rfind(':'));
}

}  // namespace latchkey::server
