#include "crypto/kdf.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/hmac.h"
#include "crypto/kdf_parts.h"

namespace latchkey::crypto {

SecretBytes HkdfExtractParts(Hash hash, ByteView salt, std::span<const ByteView> key_parts) {
  SecretBytes out(HashSize(hash));
  // An absent salt is HashSize zeros (RFC 5869, 2.2), which HMAC pads an empty key to.
  Hmac(hash, salt, key_parts, out.mutable_view());
  return out;
}

SecretBytes HkdfExpandParts(Hash hash, ByteView pseudorandom_key,
                            std::span<const ByteView> info_parts, size_t size) {
  const size_t hash_size = HashSize(hash);
  LATCHKEY_CHECK(size <= 255 * hash_size);
  std::array<ByteView, 9> parts;
  LATCHKEY_CHECK(info_parts.size() + 2 <= parts.size());
  std::ranges::copy(info_parts, parts.begin() + 1);
  uint8_t counter = 0;
  parts[info_parts.size() + 1] = {&counter, 1};

  // Whole blocks are written, the last one is cut.
  SecretBytes out((size + hash_size - 1) / hash_size * hash_size);
  for (size_t offset = 0; offset < size; offset += hash_size) {
    ++counter;
    const std::span<uint8_t> block = out.mutable_view().subspan(offset, hash_size);
    Hmac(hash, pseudorandom_key, {parts.data(), info_parts.size() + 2}, block);
    parts[0] = block;  // T(i), the start of the next block's input
  }
  out.Truncate(size);
  return out;
}

SecretBytes HkdfExtract(Hash hash, ByteView salt, ByteView input_key_material) {
  return HkdfExtractParts(hash, salt, {&input_key_material, 1});
}

SecretBytes HkdfExpand(Hash hash, ByteView pseudorandom_key, ByteView info, size_t size) {
  return HkdfExpandParts(hash, pseudorandom_key, {&info, 1}, size);
}

SecretBytes Hkdf(Hash hash, ByteView salt, ByteView input_key_material, ByteView info,
                 size_t size) {
  return HkdfExpand(hash, HkdfExtract(hash, salt, input_key_material).view(), info, size);
}

}  // namespace latchkey::crypto
