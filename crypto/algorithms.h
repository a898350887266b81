#pragma once

// Algorithms fetched once from OpenSSL's default provider: a fetch per call costs more than a short
// hash. Included by the .cc files of crypto/ only.

#include "crypto/kdf.h"
#include "crypto/openssl.h"

namespace latchkey::crypto {

// The digest of `hash`; lives as long as the process.
const EVP_MD* DigestOf(Hash hash);

// AES-256-GCM; lives as long as the process.
const EVP_CIPHER* Aes256Gcm();

}  // namespace latchkey::crypto
