#pragma once

#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/random.h"

namespace latchkey {

// `SeededRandom` yields the same bytes for the same seed, whatever sizes they are asked in:
// SHA-256(seed || u64 counter), block by block from counter 0. Thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::string_view seed = "latchkey") : seed_(seed) {}
  void Fill(std::span<uint8_t> out) override;

 private:
  const std::string seed_;
  Mutex mutex_;
  uint64_t counter_ ABSL_GUARDED_BY(mutex_) = 0;
  Bytes block_ ABSL_GUARDED_BY(mutex_);  // what is left of the last block
};

}  // namespace latchkey
