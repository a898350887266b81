#pragma once

// What PublicKey and PrivateKey hold. Included by the .cc files of crypto/ only.

#include "crypto/openssl.h"
#include "crypto/signature.h"

namespace latchkey::crypto {

struct PublicKey::Impl {
  UniquePtr<EVP_PKEY> pkey;
  KeyKind kind;
  size_t bits;
};

struct PrivateKey::Impl {
  UniquePtr<EVP_PKEY> pkey;
  PublicKey public_key;
};

// `AdoptPublicKey` checks a parsed key by the rules of PublicKey.
absl::StatusOr<PublicKey> AdoptPublicKey(UniquePtr<EVP_PKEY> pkey);

// `AdoptPrivateKey` does the same by its public half.
absl::StatusOr<PrivateKey> AdoptPrivateKey(UniquePtr<EVP_PKEY> pkey);

// OpenSSL's name of the group of a curve, and the size of a coordinate in bytes.
const char* CurveName(KeyKind curve);
size_t CoordinateSize(KeyKind curve);

// A key of `type` ("RSA", "EC") from its public parameters; null when OpenSSL refuses them.
UniquePtr<EVP_PKEY> PublicKeyFromData(const char* type, const OSSL_PARAM* params);

}  // namespace latchkey::crypto
