#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace latchkey {

// `Random` fills buffers with unpredictable bytes. Thread-safe. The system's is
// crypto/system_random.h; tests seed one.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<uint8_t> out) = 0;
};

inline Bytes RandomBytes(Random& random, size_t size) {
  Bytes out(size, '\0');
  random.Fill({reinterpret_cast<uint8_t*>(out.data()), out.size()});
  return out;
}

}  // namespace latchkey
