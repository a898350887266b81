#pragma once

// What a Certificate holds. Included by the .cc files of crypto/ only.

#include "crypto/openssl.h"
#include "crypto/x509.h"

namespace latchkey::crypto {

struct Certificate::Impl {
  UniquePtr<X509> x509;
  Bytes der;
  std::string subject;
  std::string issuer;
  absl::Time not_before;
  absl::Time not_after;
  PublicKey public_key;
  bool is_ca;
};

}  // namespace latchkey::crypto
