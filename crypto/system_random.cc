#include "crypto/system_random.h"

#include <openssl/rand.h>

#include <algorithm>

#include "base/check.h"

namespace latchkey::crypto {

void SystemRandom::Fill(std::span<uint8_t> out) {
  while (!out.empty()) {
    const size_t size = std::min<size_t>(out.size(), 1 << 20);
    LATCHKEY_CHECK(RAND_priv_bytes(out.data(), static_cast<int>(size)) == 1);
    out = out.subspan(size);
  }
}

}  // namespace latchkey::crypto
