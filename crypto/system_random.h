#pragma once

#include "base/random.h"

namespace latchkey::crypto {

// `SystemRandom` is OpenSSL's generator (RAND_priv_bytes). The process ends when it fails: there is
// no fallback.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<uint8_t> out) override;
};

}  // namespace latchkey::crypto
