#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace latchkey {

// `ByteView` borrows bytes. `Bytes` owns bytes that are not secret (a secret is a SecretBytes): it
// is a std::string, because protobuf and abseil speak std::string.
using ByteView = std::span<const uint8_t>;
using Bytes = std::string;

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes ToBytes(ByteView bytes) { return Bytes(AsText(bytes)); }

// `HexEncode` writes lower-case hex. `HexDecode` takes lower or upper case, an even number of
// digits and nothing else; InvalidArgument otherwise.
std::string HexEncode(ByteView bytes);
absl::StatusOr<Bytes> HexDecode(std::string_view hex);

// `Base64UrlEncode` writes RFC 4648 section 5 without padding. `Base64UrlDecode` takes exactly
// that: no padding, no blanks, unused bits zero; InvalidArgument otherwise.
std::string Base64UrlEncode(ByteView bytes);
absl::StatusOr<Bytes> Base64UrlDecode(std::string_view text);

// The same for RFC 4648 section 4 (`+`, `/`, padding required).
std::string Base64Encode(ByteView bytes);
absl::StatusOr<Bytes> Base64Decode(std::string_view text);

// `AppendU16`, `AppendU32`, `AppendU64` append big-endian integers; `AppendLp` appends the 4-byte
// big-endian length of `bytes`, then `bytes` (the lp(x) of the format pages).
void AppendU16(Bytes& out, uint16_t value);
void AppendU32(Bytes& out, uint32_t value);
void AppendU64(Bytes& out, uint64_t value);
void AppendLp(Bytes& out, ByteView bytes);
inline void AppendLp(Bytes& out, std::string_view text) { AppendLp(out, AsBytes(text)); }

// `ConstantTimeEquals` takes time that depends on the lengths only.
bool ConstantTimeEquals(ByteView a, ByteView b);

}  // namespace latchkey
