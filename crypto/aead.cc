#include "crypto/aead.h"

#include <climits>

#include "absl/status/status.h"
#include "base/check.h"
#include "crypto/algorithms.h"
#include "crypto/openssl.h"

namespace latchkey::crypto {
namespace {

// This thread's cipher context; the key schedule is wiped at the end of each use.
class CipherContext {
 public:
  CipherContext() : context_(ThreadContext()) { LATCHKEY_CHECK(context_ != nullptr); }
  ~CipherContext() { EVP_CIPHER_CTX_reset(context_); }
  CipherContext(const CipherContext&) = delete;
  CipherContext& operator=(const CipherContext&) = delete;
  EVP_CIPHER_CTX* get() { return context_; }

 private:
  static EVP_CIPHER_CTX* ThreadContext() {
    thread_local const UniquePtr<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
    return context.get();
  }
  EVP_CIPHER_CTX* context_;
};

// OpenSSL takes keys and nonces of any length it is told about, and counts in int.
void CheckSizes(ByteView key, ByteView nonce, ByteView associated_data, ByteView text) {
  LATCHKEY_CHECK(key.size() == kAeadKeySize);
  LATCHKEY_CHECK(nonce.size() == kAeadNonceSize);
  LATCHKEY_CHECK(associated_data.size() <= INT_MAX && text.size() <= INT_MAX - kAeadTagSize);
}

absl::Status DoesNotAuthenticate() { return absl::InvalidArgumentError("does not authenticate"); }

}  // namespace

Bytes AeadSeal(ByteView key, ByteView nonce, ByteView associated_data, ByteView plaintext) {
  CheckSizes(key, nonce, associated_data, plaintext);
  CipherContext context;
  Bytes out(plaintext.size() + kAeadTagSize, '\0');
  auto* data = reinterpret_cast<uint8_t*>(out.data());
  int size = 0;
  LATCHKEY_CHECK(
      EVP_EncryptInit_ex2(context.get(), Aes256Gcm(), key.data(), nonce.data(), nullptr) == 1);
  if (!associated_data.empty()) {
    LATCHKEY_CHECK(EVP_EncryptUpdate(context.get(), nullptr, &size, associated_data.data(),
                                     static_cast<int>(associated_data.size())) == 1);
  }
  if (!plaintext.empty()) {
    LATCHKEY_CHECK(EVP_EncryptUpdate(context.get(), data, &size, plaintext.data(),
                                     static_cast<int>(plaintext.size())) == 1);
    LATCHKEY_CHECK(size == static_cast<int>(plaintext.size()));
  }
  LATCHKEY_CHECK(EVP_EncryptFinal_ex(context.get(), data + plaintext.size(), &size) == 1);
  LATCHKEY_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize,
                                     data + plaintext.size()) == 1);
  return out;
}

absl::StatusOr<SecretBytes> AeadOpen(ByteView key, ByteView nonce, ByteView associated_data,
                                     ByteView ciphertext) {
  CheckSizes(key, nonce, associated_data, {});
  if (ciphertext.size() < kAeadTagSize || ciphertext.size() > INT_MAX) return DoesNotAuthenticate();
  const ErrorQueue errors;
  CipherContext context;
  const size_t plaintext_size = ciphertext.size() - kAeadTagSize;
  const ByteView tag = ciphertext.subspan(plaintext_size);
  SecretBytes plaintext(plaintext_size);
  int size = 0;
  LATCHKEY_CHECK(
      EVP_DecryptInit_ex2(context.get(), Aes256Gcm(), key.data(), nonce.data(), nullptr) == 1);
  // OpenSSL would compare a shorter tag as well: it is always 16 bytes here.
  LATCHKEY_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize,
                                     const_cast<uint8_t*>(tag.data())) == 1);
  if (!associated_data.empty()) {
    LATCHKEY_CHECK(EVP_DecryptUpdate(context.get(), nullptr, &size, associated_data.data(),
                                     static_cast<int>(associated_data.size())) == 1);
  }
  if (plaintext_size > 0 &&
      EVP_DecryptUpdate(context.get(), plaintext.mutable_view().data(), &size, ciphertext.data(),
                        static_cast<int>(plaintext_size)) != 1) {
    return DoesNotAuthenticate();
  }
  uint8_t nothing[kAeadTagSize];
  if (EVP_DecryptFinal_ex(context.get(), nothing, &size) != 1) return DoesNotAuthenticate();
  return plaintext;
}

}  // namespace latchkey::crypto
