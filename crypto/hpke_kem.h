#pragma once

// The DHKEMs of RFC 9180 (4.1, 7.1) under crypto/hpke.h. Included by the .cc files of crypto/ only.

#include <span>

#include "absl/status/statusor.h"
#include "crypto/hpke.h"
#include "crypto/kdf.h"
#include "crypto/openssl.h"

namespace latchkey::crypto {

// `KemKey` is a key pair of a KEM.
struct KemKey {
  HpkeKem kem;
  UniquePtr<EVP_PKEY> pkey;
  Bytes public_key;         // SerializePublicKey
  SecretBytes private_key;  // SerializePrivateKey
};

Hash KdfHash(HpkeKem kem);
uint16_t KdfId(HpkeKem kem);

// `DeriveKemKey` is DeriveKeyPair (7.1.3) with fresh input from `random`.
KemKey DeriveKemKey(HpkeKem kem, Random& random);

// `ParseKemKey` is DeserializePrivateKey; InvalidArgument when out of range.
absl::StatusOr<KemKey> ParseKemKey(HpkeKem kem, ByteView private_key);

// `KemSharedSecret` is what Encap and Decap have in common: DH with `peer_public_key`, then
// ExtractAndExpand over enc and the recipient's public key. InvalidArgument when the peer's key is
// no valid point of the KEM.
absl::StatusOr<SecretBytes> KemSharedSecret(const KemKey& own, ByteView peer_public_key,
                                            ByteView enc, ByteView recipient_public_key);

// `LabeledExtract` and `LabeledExpand` are those of section 4 for a suite id.
SecretBytes LabeledExtract(Hash hash, ByteView suite_id, ByteView salt, std::string_view label,
                           ByteView input_key_material);
SecretBytes LabeledExpand(Hash hash, ByteView suite_id, ByteView pseudorandom_key,
                          std::string_view label, ByteView info, size_t size);

}  // namespace latchkey::crypto
