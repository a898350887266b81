#pragma once

// HKDF whose inputs come in parts, so that HPKE's labelled forms need no copies of secrets.
// Included by the .cc files of crypto/ only.

#include <span>

#include "crypto/kdf.h"

namespace latchkey::crypto {

SecretBytes HkdfExtractParts(Hash hash, ByteView salt, std::span<const ByteView> key_parts);
// At most seven parts of info.
SecretBytes HkdfExpandParts(Hash hash, ByteView pseudorandom_key,
                            std::span<const ByteView> info_parts, size_t size);

}  // namespace latchkey::crypto
