#include "crypto/hpke_kem.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/kdf_parts.h"
#include "crypto/key_impl.h"

namespace latchkey::crypto {
namespace {

constexpr std::string_view kVersion = "HPKE-v1";

size_t PrivateKeySize(HpkeKem kem) { return kem == HpkeKem::kP384 ? 48 : 32; }

KeyKind CurveOf(HpkeKem kem) { return kem == HpkeKem::kP384 ? KeyKind::kP384 : KeyKind::kP256; }

Bytes KemSuiteId(HpkeKem kem) {
  Bytes id = "KEM";
  AppendU16(id, static_cast<uint16_t>(kem));
  return id;
}

const EC_GROUP* GroupOf(HpkeKem kem) {
  static const EC_GROUP* p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  static const EC_GROUP* p384 = EC_GROUP_new_by_curve_name(NID_secp384r1);
  LATCHKEY_CHECK(p256 != nullptr && p384 != nullptr);
  return kem == HpkeKem::kP384 ? p384 : p256;
}

KemKey X25519Key(SecretBytes private_key) {
  KemKey key{HpkeKem::kX25519, nullptr, Bytes(32, '\0'), std::move(private_key)};
  key.pkey.reset(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr,
                                                 key.private_key.view().data(), 32));
  size_t size = 32;
  LATCHKEY_CHECK(key.pkey != nullptr &&
                 EVP_PKEY_get_raw_public_key(key.pkey.get(),
                                             reinterpret_cast<uint8_t*>(key.public_key.data()),
                                             &size) == 1 &&
                 size == 32);
  return key;
}

// The uncompressed point scalar * G. With one scalar OpenSSL takes its constant-time ladder.
Bytes PublicPoint(const EC_GROUP* group, const BIGNUM* scalar) {
  const UniquePtr<BN_CTX> context(BN_CTX_secure_new());
  const UniquePtr<EC_POINT> point(EC_POINT_new(group));
  LATCHKEY_CHECK(context != nullptr && point != nullptr &&
                 EC_POINT_mul(group, point.get(), scalar, nullptr, nullptr, context.get()) == 1);
  std::array<uint8_t, 97> encoded;
  const size_t size = EC_POINT_point2oct(group, point.get(), POINT_CONVERSION_UNCOMPRESSED,
                                         encoded.data(), encoded.size(), context.get());
  LATCHKEY_CHECK(size > 0);
  return ToBytes({encoded.data(), size});
}

// Nullopt when the number is 0 or not below the group's order.
std::optional<KemKey> CurveKey(HpkeKem kem, SecretBytes private_key) {
  const EC_GROUP* group = GroupOf(kem);
  UniquePtr<BIGNUM> scalar(BN_secure_new());
  LATCHKEY_CHECK(scalar != nullptr &&
                 BN_bin2bn(private_key.view().data(), static_cast<int>(private_key.size()),
                           scalar.get()) != nullptr);
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group)) >= 0) {
    return std::nullopt;
  }
  KemKey key{kem, nullptr, PublicPoint(group, scalar.get()), std::move(private_key)};
  const UniquePtr<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  LATCHKEY_CHECK(
      builder != nullptr &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      CurveName(CurveOf(kem)), 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                       key.public_key.data(), key.public_key.size()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) == 1);
  const UniquePtr<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  const UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* pkey = nullptr;
  LATCHKEY_CHECK(params != nullptr && context != nullptr &&
                 EVP_PKEY_fromdata_init(context.get()) == 1 &&
                 EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_KEYPAIR, params.get()) == 1);
  key.pkey.reset(pkey);
  return key;
}

// DeserializePublicKey; null unless the bytes are an uncompressed point of the curve, or 32 bytes
// for X25519.
UniquePtr<EVP_PKEY> PeerKey(HpkeKem kem, ByteView public_key) {
  if (public_key.size() != HpkePublicKeySize(kem)) return nullptr;
  if (kem == HpkeKem::kX25519) {
    return UniquePtr<EVP_PKEY>(
        EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, public_key.data(), 32));
  }
  // OpenSSL would take the hybrid forms 06 and 07 as well.
  if (public_key[0] != 0x04) return nullptr;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                       const_cast<char*>(CurveName(CurveOf(kem))), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                        const_cast<uint8_t*>(public_key.data()), public_key.size()),
      OSSL_PARAM_construct_end()};
  UniquePtr<EVP_PKEY> pkey = PublicKeyFromData("EC", params);
  if (pkey == nullptr) return nullptr;
  const UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr));
  if (context == nullptr || EVP_PKEY_public_check_quick(context.get()) != 1) return nullptr;
  return pkey;
}

absl::StatusOr<SecretBytes> DiffieHellman(const KemKey& own, ByteView peer_public_key) {
  const ErrorQueue errors;
  const absl::Status invalid = absl::InvalidArgumentError("not a valid public key of the HPKE KEM");
  const UniquePtr<EVP_PKEY> peer = PeerKey(own.kem, peer_public_key);
  if (peer == nullptr) return invalid;
  const UniquePtr<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, own.pkey.get(), nullptr));
  LATCHKEY_CHECK(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  // The peer's key was checked above; the whole check of OpenSSL multiplies by the group's order.
  if (EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) != 1) return invalid;
  SecretBytes shared(PrivateKeySize(own.kem));
  size_t size = shared.size();
  if (EVP_PKEY_derive(context.get(), shared.mutable_view().data(), &size) != 1 ||
      size != shared.size()) {
    return invalid;
  }
  // A point of low order gives zero for every private key (RFC 9180, 7.1.4). OpenSSL refuses it
  // too.
  uint8_t any = 0;
  for (const uint8_t byte : shared.view()) any |= byte;
  if (own.kem == HpkeKem::kX25519 && any == 0) return invalid;
  return shared;
}

}  // namespace

Hash KdfHash(HpkeKem kem) { return kem == HpkeKem::kP384 ? Hash::kSha384 : Hash::kSha256; }
uint16_t KdfId(HpkeKem kem) { return kem == HpkeKem::kP384 ? 0x0002 : 0x0001; }

SecretBytes LabeledExtract(Hash hash, ByteView suite_id, ByteView salt, std::string_view label,
                           ByteView input_key_material) {
  const std::array<ByteView, 4> parts = {AsBytes(kVersion), suite_id, AsBytes(label),
                                         input_key_material};
  return HkdfExtractParts(hash, salt, parts);
}

SecretBytes LabeledExpand(Hash hash, ByteView suite_id, ByteView pseudorandom_key,
                          std::string_view label, ByteView info, size_t size) {
  const std::array<uint8_t, 2> encoded_size = {static_cast<uint8_t>(size >> 8),
                                               static_cast<uint8_t>(size)};
  const std::array<ByteView, 5> parts = {encoded_size, AsBytes(kVersion), suite_id, AsBytes(label),
                                         info};
  return HkdfExpandParts(hash, pseudorandom_key, parts, size);
}

KemKey DeriveKemKey(HpkeKem kem, Random& random) {
  const Hash hash = KdfHash(kem);
  const Bytes suite_id = KemSuiteId(kem);
  const size_t size = PrivateKeySize(kem);
  SecretBytes input(size);
  random.Fill(input.mutable_view());
  const SecretBytes prk = LabeledExtract(hash, AsBytes(suite_id), {}, "dkp_prk", input.view());
  if (kem == HpkeKem::kX25519) {
    return X25519Key(LabeledExpand(hash, AsBytes(suite_id), prk.view(), "sk", {}, size));
  }
  // The bit mask of both curves is 0xff: every byte of a candidate counts.
  for (int counter = 0; counter < 256; ++counter) {
    const uint8_t info = static_cast<uint8_t>(counter);
    std::optional<KemKey> key = CurveKey(
        kem, LabeledExpand(hash, AsBytes(suite_id), prk.view(), "candidate", {&info, 1}, size));
    if (key.has_value()) return *std::move(key);
  }
  // 256 candidates out of range: odds below 2^-8000.
  LATCHKEY_CHECK(false);
  std::abort();
}

absl::StatusOr<KemKey> ParseKemKey(HpkeKem kem, ByteView private_key) {
  if (private_key.size() != PrivateKeySize(kem)) {
    return absl::InvalidArgumentError(absl::StrCat("HPKE private key of ", private_key.size(),
                                                   " bytes; ", PrivateKeySize(kem),
                                                   " are required"));
  }
  if (kem == HpkeKem::kX25519) return X25519Key(SecretBytes::CopyOf(private_key));
  std::optional<KemKey> key = CurveKey(kem, SecretBytes::CopyOf(private_key));
  if (!key.has_value()) {
    return absl::InvalidArgumentError("HPKE private key outside 1 to the order of the group");
  }
  return *std::move(key);
}

absl::StatusOr<SecretBytes> KemSharedSecret(const KemKey& own, ByteView peer_public_key,
                                            ByteView enc, ByteView recipient_public_key) {
  ASSIGN_OR_RETURN(const SecretBytes dh, DiffieHellman(own, peer_public_key));
  const Hash hash = KdfHash(own.kem);
  const Bytes suite_id = KemSuiteId(own.kem);
  Bytes kem_context = ToBytes(enc);
  kem_context.append(AsText(recipient_public_key));
  const SecretBytes prk = LabeledExtract(hash, AsBytes(suite_id), {}, "eae_prk", dh.view());
  return LabeledExpand(hash, AsBytes(suite_id), prk.view(), "shared_secret", AsBytes(kem_context),
                       HashSize(hash));
}

}  // namespace latchkey::crypto
