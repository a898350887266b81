#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace latchkey::crypto {

inline constexpr size_t kAeadKeySize = 32;
inline constexpr size_t kAeadNonceSize = 12;
inline constexpr size_t kAeadTagSize = 16;

// `AeadSeal` is AES-256-GCM (NIST SP 800-38D) with a 16-byte tag: returns ciphertext || tag,
// plaintext.size() + 16 bytes. `key` is 32 bytes and `nonce` 12 (checked). The caller never repeats
// a nonce under a key.
Bytes AeadSeal(ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext);

// `AeadOpen` returns the plaintext, or InvalidArgument "does not authenticate" and nothing else.
absl::StatusOr<SecretBytes> AeadOpen(ByteView key, ByteView nonce, ByteView associated_data,
                                     ByteView ciphertext);

}  // namespace latchkey::crypto
