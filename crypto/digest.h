#pragma once

// crypto/ is the one folder that speaks to OpenSSL: thin checked wrappers with fixed lengths.

#include <array>
#include <initializer_list>

#include "base/bytes.h"

namespace latchkey::crypto {

using Sha256Digest = std::array<uint8_t, 32>;
using Sha384Digest = std::array<uint8_t, 48>;
using Sha512Digest = std::array<uint8_t, 64>;

// `Sha256`, `Sha384`, `Sha512` hash the concatenation of `parts` (FIPS 180-4).
Sha256Digest Sha256(std::initializer_list<ByteView> parts);
Sha384Digest Sha384(std::initializer_list<ByteView> parts);
Sha512Digest Sha512(std::initializer_list<ByteView> parts);
inline Sha256Digest Sha256(ByteView bytes) { return Sha256({bytes}); }
inline Sha384Digest Sha384(ByteView bytes) { return Sha384({bytes}); }
inline Sha512Digest Sha512(ByteView bytes) { return Sha512({bytes}); }

// `HmacSha256` is HMAC (RFC 2104) with a key of at least 16 bytes (checked).
Sha256Digest HmacSha256(ByteView key, std::initializer_list<ByteView> parts);

}  // namespace latchkey::crypto
