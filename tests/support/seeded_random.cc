#include "tests/support/seeded_random.h"

#include <algorithm>

#include "crypto/digest.h"

namespace latchkey {

void SeededRandom::Fill(std::span<uint8_t> out) {
  MutexLock lock(mutex_);
  while (!out.empty()) {
    if (block_.empty()) {
      Bytes counter;
      AppendU64(counter, counter_++);
      block_ = ToBytes(crypto::Sha256({AsBytes(seed_), AsBytes(counter)}));
    }
    const size_t size = std::min(out.size(), block_.size());
    std::copy_n(block_.begin(), size, out.begin());
    block_.erase(0, size);
    out = out.subspan(size);
  }
}

}  // namespace latchkey
