#pragma once

#include <optional>
#include <utility>

#include "base/bytes.h"

namespace latchkey::crypto {

// SubjectPublicKeyInfo of an RSA key (RFC 8017, A.1), written and read without OpenSSL's encoder
// and decoder, which cost more than a signature check. Minimal big-endian numbers.
struct RsaNumbers {
  Bytes modulus;
  Bytes exponent;
};
Bytes EncodeRsaSpki(const RsaNumbers& numbers);

// nullopt unless `der` is exactly what EncodeRsaSpki writes for a modulus of 2048 bits or more.
std::optional<RsaNumbers> DecodeRsaSpki(ByteView der);

}  // namespace latchkey::crypto
