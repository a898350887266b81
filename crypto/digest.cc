#include "crypto/digest.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <span>

#include "base/check.h"
#include "crypto/algorithms.h"
#include "crypto/hmac.h"

namespace latchkey::crypto {
namespace {

// This thread's context for `hash`: allocating one per call costs as much as hashing a block.
EVP_MD_CTX* ThreadContext(Hash hash) {
  thread_local const std::array<UniquePtr<EVP_MD_CTX>, 3> contexts = {
      UniquePtr<EVP_MD_CTX>(EVP_MD_CTX_new()), UniquePtr<EVP_MD_CTX>(EVP_MD_CTX_new()),
      UniquePtr<EVP_MD_CTX>(EVP_MD_CTX_new())};
  EVP_MD_CTX* context = contexts[static_cast<size_t>(hash)].get();
  LATCHKEY_CHECK(context != nullptr);
  return context;
}

void DigestParts(Hash hash, ByteView first, std::span<const ByteView> parts,
                 std::span<uint8_t> out) {
  EVP_MD_CTX* context = ThreadContext(hash);
  LATCHKEY_CHECK(out.size() == HashSize(hash));
  LATCHKEY_CHECK(EVP_DigestInit_ex2(context, DigestOf(hash), nullptr) == 1);
  LATCHKEY_CHECK(EVP_DigestUpdate(context, first.data(), first.size()) == 1);
  for (const ByteView part : parts) {
    LATCHKEY_CHECK(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
  }
  LATCHKEY_CHECK(EVP_DigestFinal_ex(context, out.data(), nullptr) == 1);
}

template <typename Digest>
Digest DigestOfParts(Hash hash, std::initializer_list<ByteView> parts) {
  Digest out;
  DigestParts(hash, {}, parts, out);
  return out;
}

}  // namespace

size_t HashSize(Hash hash) {
  switch (hash) {
    case Hash::kSha256:
      return 32;
    case Hash::kSha384:
      return 48;
    case Hash::kSha512:
      return 64;
  }
  std::abort();
}

Sha256Digest Sha256(std::initializer_list<ByteView> parts) {
  return DigestOfParts<Sha256Digest>(Hash::kSha256, parts);
}
Sha384Digest Sha384(std::initializer_list<ByteView> parts) {
  return DigestOfParts<Sha384Digest>(Hash::kSha384, parts);
}
Sha512Digest Sha512(std::initializer_list<ByteView> parts) {
  return DigestOfParts<Sha512Digest>(Hash::kSha512, parts);
}

// Built from two digests: EVP_MAC of OpenSSL 3.0 takes several times as long for a short message.
void Hmac(Hash hash, ByteView key, std::span<const ByteView> parts, std::span<uint8_t> out) {
  const size_t hash_size = HashSize(hash);
  const size_t block_size = hash == Hash::kSha256 ? 64 : 128;
  std::array<uint8_t, 128> block = {};
  std::array<uint8_t, kMaxHashSize> inner;
  const std::span<uint8_t> inner_digest(inner.data(), hash_size);
  if (key.size() > block_size) {
    DigestParts(hash, key, {}, {block.data(), hash_size});
  } else {
    std::ranges::copy(key, block.begin());
  }
  for (uint8_t& byte : block) byte ^= 0x36;
  DigestParts(hash, {block.data(), block_size}, parts, inner_digest);
  for (uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  const ByteView inner_part(inner_digest);
  DigestParts(hash, {block.data(), block_size}, {&inner_part, 1}, out);
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(inner.data(), inner.size());
}

Sha256Digest HmacSha256(ByteView key, std::initializer_list<ByteView> parts) {
  LATCHKEY_CHECK(key.size() >= 16);
  Sha256Digest out;
  Hmac(Hash::kSha256, key, {parts.begin(), parts.size()}, out);
  return out;
}

}  // namespace latchkey::crypto
