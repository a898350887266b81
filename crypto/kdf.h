#pragma once

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace latchkey::crypto {

enum class Hash { kSha256, kSha384, kSha512 };
size_t HashSize(Hash hash);

// `HkdfExtract`, `HkdfExpand` are RFC 5869, 2.2 and 2.3. `size` is at most 255 hash lengths
// (checked).
SecretBytes HkdfExtract(Hash hash, ByteView salt, ByteView input_key_material);
SecretBytes HkdfExpand(Hash hash, ByteView pseudorandom_key, ByteView info, size_t size);
SecretBytes Hkdf(Hash hash, ByteView salt, ByteView input_key_material, ByteView info, size_t size);

}  // namespace latchkey::crypto
