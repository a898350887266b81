#pragma once

// HMAC over parts, for the digests and key derivation of crypto/. Included by its .cc files only.

#include <array>
#include <span>

#include "base/bytes.h"
#include "crypto/kdf.h"

namespace latchkey::crypto {

inline constexpr size_t kMaxHashSize = 64;

// `Hmac` writes HashSize(hash) bytes of HMAC (RFC 2104) over the concatenation of `parts` to `out`.
// Any key size: whoever calls this with an untrusted key checks it.
void Hmac(Hash hash, ByteView key, std::span<const ByteView> parts, std::span<uint8_t> out);

}  // namespace latchkey::crypto
