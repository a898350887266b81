#include "crypto/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <array>

#include "crypto/system_random.h"

namespace latchkey::crypto {
namespace {

using ::testing::HasSubstr;

PrivateKey KeyOfKind(KeyKind kind) {
  SystemRandom random;
  // RSA keys take long to make: two serve all tests, in turn.
  static const std::array<PrivateKey, 2> rsa = {PrivateKey::GenerateRsa(2048),
                                                PrivateKey::GenerateRsa(2048)};
  static size_t calls = 0;
  if (kind == KeyKind::kRsa) return rsa[calls++ % 2];
  if (kind == KeyKind::kEd25519) return PrivateKey::GenerateEd25519(random);
  return PrivateKey::GenerateEc(kind);
}

struct Case {
  SignatureAlgorithm algorithm;
  KeyKind kind;
  size_t signature_size;
};

class EveryAlgorithm : public ::testing::TestWithParam<Case> {};

TEST_P(EveryAlgorithm, VerifiesWhatItSignedAndNothingElse) {
  const PrivateKey key = KeyOfKind(GetParam().kind);
  const Bytes signature = key.Sign(GetParam().algorithm, AsBytes("message"));
  EXPECT_EQ(signature.size(), GetParam().signature_size);
  const auto verify = [&](std::string_view message, ByteView candidate) {
    return VerifySignature(key.public_key(), GetParam().algorithm, AsBytes(message), candidate);
  };
  EXPECT_TRUE(verify("message", AsBytes(signature)).ok());
  const absl::Status refused = absl::UnauthenticatedError("signature does not verify");
  EXPECT_EQ(verify("messagf", AsBytes(signature)), refused);
  EXPECT_EQ(verify("message", {}), refused);
  EXPECT_EQ(verify("message", AsBytes(signature).first(signature.size() - 1)), refused);
  EXPECT_EQ(verify("message", AsBytes(signature + '\0')), refused);
  EXPECT_EQ(verify("message", AsBytes(Bytes(1, '\0') + signature)), refused);
  EXPECT_EQ(verify("message", AsBytes(Bytes(signature.size(), '\0'))), refused);
  EXPECT_EQ(verify("message", AsBytes(Bytes(signature.size(), '\xff'))), refused);
  EXPECT_EQ(verify("message", AsBytes(Bytes(21830, 'A'))), refused);
  for (size_t i = 0; i < signature.size(); i += 7) {
    Bytes wounded = signature;
    wounded[i] ^= 1;
    EXPECT_EQ(verify("message", AsBytes(wounded)), refused) << i;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(EveryAlgorithm, RefusesAnotherKeyOfTheKind) {
  const Bytes signature = KeyOfKind(GetParam().kind).Sign(GetParam().algorithm, AsBytes("m"));
  const PrivateKey other = KeyOfKind(GetParam().kind);
  EXPECT_FALSE(
      VerifySignature(other.public_key(), GetParam().algorithm, AsBytes("m"), AsBytes(signature))
          .ok());
}

INSTANTIATE_TEST_SUITE_P(
    Signature, EveryAlgorithm,
    ::testing::Values(Case{SignatureAlgorithm::kRsaPkcs1Sha256, KeyKind::kRsa, 256},
                      Case{SignatureAlgorithm::kRsaPkcs1Sha384, KeyKind::kRsa, 256},
                      Case{SignatureAlgorithm::kRsaPkcs1Sha512, KeyKind::kRsa, 256},
                      Case{SignatureAlgorithm::kRsaPssSha256, KeyKind::kRsa, 256},
                      Case{SignatureAlgorithm::kRsaPssSha384, KeyKind::kRsa, 256},
                      Case{SignatureAlgorithm::kRsaPssSha512, KeyKind::kRsa, 256},
                      Case{SignatureAlgorithm::kEcdsaP256Sha256, KeyKind::kP256, 64},
                      Case{SignatureAlgorithm::kEcdsaP384Sha384, KeyKind::kP384, 96},
                      Case{SignatureAlgorithm::kEcdsaP521Sha512, KeyKind::kP521, 132},
                      Case{SignatureAlgorithm::kEd25519, KeyKind::kEd25519, 64}));

TEST(Signature, AnAlgorithmTakesOnlyItsKindOfKey) {
  const PrivateKey p256 = KeyOfKind(KeyKind::kP256);
  const Bytes signature = p256.Sign(SignatureAlgorithm::kEcdsaP256Sha256, AsBytes("m"));
  EXPECT_TRUE(VerifySignature(p256.public_key(), SignatureAlgorithm::kEcdsaP256Sha256, AsBytes("m"),
                              AsBytes(signature))
                  .ok());
  for (const SignatureAlgorithm other :
       {SignatureAlgorithm::kEcdsaP384Sha384, SignatureAlgorithm::kRsaPkcs1Sha256,
        SignatureAlgorithm::kEd25519}) {
    EXPECT_EQ(VerifySignature(p256.public_key(), other, AsBytes("m"), AsBytes(signature)).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(Signature, PaddingsAreNotInterchangeable) {
  const PrivateKey key = KeyOfKind(KeyKind::kRsa);
  const Bytes pss = key.Sign(SignatureAlgorithm::kRsaPssSha256, AsBytes("m"));
  EXPECT_TRUE(VerifySignature(key.public_key(), SignatureAlgorithm::kRsaPssSha256, AsBytes("m"),
                              AsBytes(pss))
                  .ok());
  EXPECT_FALSE(VerifySignature(key.public_key(), SignatureAlgorithm::kRsaPkcs1Sha256, AsBytes("m"),
                               AsBytes(pss))
                   .ok());
}

TEST(PublicKey, RsaSizesFrom2048To8192AreAccepted) {
  const Bytes exponent("\x01\x00\x01", 3);
  const auto with_bits = [&](size_t bits) {
    Bytes modulus(bits / 8, '\x5b');
    modulus[0] = '\x9d';
    return PublicKey::FromRsa(AsBytes(modulus), AsBytes(exponent)).status();
  };
  EXPECT_EQ(with_bits(1024).message(), "RSA key of 1024 bits; at least 2048 are required");
  EXPECT_EQ(with_bits(2040).message(), "RSA key of 2040 bits; at least 2048 are required");
  EXPECT_TRUE(with_bits(2048).ok()) << with_bits(2048);
  EXPECT_TRUE(with_bits(8192).ok()) << with_bits(8192);
  EXPECT_EQ(with_bits(8200).message(), "RSA key of 8200 bits; at most 8192 are allowed");
  EXPECT_FALSE(with_bits(80000).ok());
  EXPECT_FALSE(PublicKey::FromRsa({}, AsBytes(exponent)).ok());
}

TEST(PublicKey, RsaExponentsAreOddFrom3To2To32) {
  const Bytes modulus = KeyOfKind(KeyKind::kRsa).public_key().RsaModulus();
  const auto with_exponent = [&](std::string_view hex) {
    return PublicKey::FromRsa(AsBytes(modulus), AsBytes(HexDecode(hex).value())).ok();
  };
  EXPECT_TRUE(with_exponent("03"));
  EXPECT_TRUE(with_exponent("010001"));
  EXPECT_TRUE(with_exponent("ffffffff"));
  EXPECT_FALSE(with_exponent("01"));
  EXPECT_FALSE(with_exponent("00"));
  EXPECT_FALSE(with_exponent(""));
  EXPECT_FALSE(with_exponent("02"));
  EXPECT_FALSE(with_exponent("010000"));
  EXPECT_FALSE(with_exponent("0100000001"));
  EXPECT_FALSE(with_exponent("010000000000000001"));
}

TEST(PublicKey, EcPointsMustBeOnTheirCurve) {
  // The generator of P-256.
  const Bytes x =
      HexDecode("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296").value();
  Bytes y = HexDecode("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5").value();
  EXPECT_TRUE(PublicKey::FromEcPoint(KeyKind::kP256, AsBytes(x), AsBytes(y)).ok());
  EXPECT_FALSE(PublicKey::FromEcPoint(KeyKind::kP384, AsBytes(x), AsBytes(y)).ok());
  EXPECT_FALSE(PublicKey::FromEcPoint(KeyKind::kP256, AsBytes(y), AsBytes(x)).ok());
  EXPECT_FALSE(PublicKey::FromEcPoint(KeyKind::kP256, {}, {}).ok());
  EXPECT_FALSE(PublicKey::FromEcPoint(KeyKind::kP256, AsBytes(x + x), AsBytes(y)).ok());
  y[31] ^= 1;
  EXPECT_THAT(
      std::string(
          PublicKey::FromEcPoint(KeyKind::kP256, AsBytes(x), AsBytes(y)).status().message()),
      HasSubstr("no point of its curve"));
}

TEST(PublicKey, SurvivesSpkiOfEveryKind) {
  for (const KeyKind kind :
       {KeyKind::kRsa, KeyKind::kP256, KeyKind::kP384, KeyKind::kP521, KeyKind::kEd25519}) {
    const PublicKey key = KeyOfKind(kind).public_key();
    const Bytes der = key.SpkiDer();
    const absl::StatusOr<PublicKey> again = PublicKey::FromSpkiDer(AsBytes(der));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->kind(), kind);
    EXPECT_EQ(again->bits(), key.bits());
    EXPECT_EQ(again->SpkiDer(), der);
    EXPECT_FALSE(PublicKey::FromSpkiDer(AsBytes(der + '\0')).ok());
    EXPECT_FALSE(PublicKey::FromSpkiDer(AsBytes(der).first(der.size() - 1)).ok());
  }
}

TEST(PublicKey, KeysOfOtherKindsAreRefused) {
  // X25519 in SPKI (RFC 8410, 4).
  const Bytes x25519 = HexDecode("302a300506032b656e032100").value() + Bytes(32, '\x09');
  EXPECT_THAT(std::string(PublicKey::FromSpkiDer(AsBytes(x25519)).status().message()),
              HasSubstr("neither RSA, EC nor Ed25519"));
  EXPECT_FALSE(PublicKey::FromEd25519(AsBytes(Bytes(31, 'x'))).ok());
  EXPECT_FALSE(PublicKey::FromPem("no key").ok());
}

TEST(PrivateKey, SurvivesPem) {
  for (const KeyKind kind : {KeyKind::kRsa, KeyKind::kP384, KeyKind::kEd25519}) {
    const PrivateKey key = KeyOfKind(kind);
    const SecretBytes pem = key.ToPem();
    EXPECT_THAT(std::string(AsText(pem.view())), HasSubstr("BEGIN PRIVATE KEY"));
    const absl::StatusOr<PrivateKey> again = PrivateKey::FromPem(AsText(pem.view()));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->public_key().SpkiDer(), key.public_key().SpkiDer());
  }
  EXPECT_FALSE(PrivateKey::FromPem("no key").ok());
}

TEST(PrivateKey, Ed25519SeedGivesTest1OfRfc8032) {
  const Bytes seed =
      HexDecode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").value();
  const PrivateKey key = PrivateKey::FromEd25519Seed(AsBytes(seed)).value();
  EXPECT_EQ(HexEncode(AsBytes(key.public_key().Ed25519Raw())),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(HexEncode(AsBytes(key.Sign(SignatureAlgorithm::kEd25519, {}))),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

TEST(RsaOaep, DecryptsWhatItEncrypted) {
  const PrivateKey key = KeyOfKind(KeyKind::kRsa);
  for (const size_t size : {0, 32, 190}) {
    const Bytes plaintext(size, 'p');
    const Bytes ciphertext = RsaOaepSha256Encrypt(key.public_key(), AsBytes(plaintext)).value();
    EXPECT_EQ(ciphertext.size(), 256u);
    EXPECT_EQ(AsText(RsaOaepSha256Decrypt(key, AsBytes(ciphertext))->view()), plaintext);
  }
}

TEST(RsaOaep, PlaintextsThatDoNotFitAreRefused) {
  const PublicKey key = KeyOfKind(KeyKind::kRsa).public_key();
  EXPECT_TRUE(RsaOaepSha256Encrypt(key, AsBytes(Bytes(190, 'p'))).ok());
  EXPECT_THAT(std::string(RsaOaepSha256Encrypt(key, AsBytes(Bytes(191, 'p'))).status().message()),
              HasSubstr("191 bytes; this key takes at most 190"));
  EXPECT_FALSE(RsaOaepSha256Encrypt(KeyOfKind(KeyKind::kP256).public_key(), AsBytes("p")).ok());
}

TEST(RsaOaep, EveryBrokenCiphertextGivesTheSameError) {
  const PrivateKey key = KeyOfKind(KeyKind::kRsa);
  const Bytes good = RsaOaepSha256Encrypt(key.public_key(), AsBytes("plaintext")).value();
  ASSERT_TRUE(RsaOaepSha256Decrypt(key, AsBytes(good)).ok());
  const absl::Status failure = absl::InvalidArgumentError("OAEP ciphertext does not decrypt");
  Bytes flipped = good;
  flipped[100] ^= 1;
  for (const Bytes& broken :
       {flipped, Bytes(), good.substr(1), good + '\0', Bytes(256, '\0'), Bytes(256, '\xff')}) {
    EXPECT_EQ(RsaOaepSha256Decrypt(key, AsBytes(broken)).status(), failure);
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace latchkey::crypto
