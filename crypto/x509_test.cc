#include "crypto/x509.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/digest.h"

namespace latchkey::crypto {
namespace {

using ::testing::HasSubstr;
using Strength = Certificate::Strength;

const absl::Time kStart = absl::FromUnixSeconds(1700000000);
const absl::Time kEnd = absl::FromUnixSeconds(1800000000);

CertificateSpec Spec(std::string common_name) {
  CertificateSpec spec;
  spec.common_name = std::move(common_name);
  spec.not_before = kStart;
  spec.not_after = kEnd;
  return spec;
}

// A root like AMD's ARK: RSA, signs with PSS and SHA-384.
class PssRootTest : public ::testing::Test {
 protected:
  static const PrivateKey& RootKey() {
    static const PrivateKey key = PrivateKey::GenerateRsa(2048);
    return key;
  }
  static Certificate Root() {
    CertificateSpec spec = Spec("ARK-Test");
    spec.is_ca = true;
    spec.sign_with_pss384 = true;
    return MakeCertificate(spec, RootKey().public_key(), nullptr, RootKey()).value();
  }
  Certificate Leaf(bool with_pss) {
    CertificateSpec spec = Spec("SEV-VCEK");
    spec.sign_with_pss384 = with_pss;
    spec.extensions = {{"1.3.6.1.4.1.3704.1.3.1", Bytes("\x02\x01\x04", 3)},
                       {"1.3.6.1.4.1.3704.1.4", Bytes(64, '\x5a')}};
    return MakeCertificate(spec, leaf_key_.public_key(), &root_, RootKey()).value();
  }

  const Certificate root_ = Root();
  const PrivateKey leaf_key_ = PrivateKey::GenerateEc(KeyKind::kP384);
};

TEST_F(PssRootTest, SurvivesDerAndPem) {
  const Certificate leaf = Leaf(true);
  const absl::StatusOr<Certificate> again = Certificate::ParseDer(leaf.der());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->subject_common_name(), "SEV-VCEK");
  EXPECT_EQ(again->issuer_common_name(), "ARK-Test");
  EXPECT_EQ(again->not_before(), kStart);
  EXPECT_EQ(again->not_after(), kEnd);
  EXPECT_EQ(again->public_key().SpkiDer(), leaf_key_.public_key().SpkiDer());
  EXPECT_FALSE(again->is_ca());
  EXPECT_TRUE(root_.is_ca());
  EXPECT_EQ(again->Sha256Fingerprint(), ToBytes(Sha256(leaf.der())));

  const auto chain = Certificate::ParsePem(ToPem(leaf) + "text between\n" + ToPem(root_));
  ASSERT_TRUE(chain.ok()) << chain.status();
  ASSERT_EQ(chain->size(), 2u);
  EXPECT_EQ(AsText((*chain)[0].der()), AsText(leaf.der()));
  EXPECT_EQ(AsText((*chain)[1].der()), AsText(root_.der()));
}

TEST_F(PssRootTest, TruncatedOrPaddedDerIsRefused) {
  const Bytes der = ToBytes(Leaf(true).der());
  EXPECT_TRUE(Certificate::ParseDer(AsBytes(der)).ok());
  EXPECT_FALSE(Certificate::ParseDer(AsBytes(der).first(der.size() - 1)).ok());
  EXPECT_FALSE(Certificate::ParseDer(AsBytes(der + '\0')).ok());
  EXPECT_FALSE(Certificate::ParseDer({}).ok());
}

TEST_F(PssRootTest, PemWithoutOrWithTooManyOrBrokenCertificatesIsRefused) {
  const std::string pem = ToPem(root_);
  EXPECT_TRUE(Certificate::ParsePem(pem + pem, 2).ok());
  EXPECT_FALSE(Certificate::ParsePem(pem + pem, 1).ok());
  EXPECT_FALSE(Certificate::ParsePem("").ok());
  EXPECT_FALSE(Certificate::ParsePem(AsText(RootKey().ToPem().view())).ok());
  std::string broken = pem;
  broken[100] = '!';
  EXPECT_FALSE(Certificate::ParsePem(pem + broken).ok());
  EXPECT_FALSE(Certificate::ParsePem(pem + pem.substr(0, pem.size() / 2)).ok());
}

TEST_F(PssRootTest, SignatureByTheIssuerVerifies) {
  EXPECT_TRUE(root_.VerifySignedBy(root_, Strength::kPss384).ok());
  EXPECT_TRUE(Leaf(true).VerifySignedBy(root_, Strength::kPss384).ok());
  EXPECT_TRUE(Leaf(true).VerifySignedBy(root_, Strength::kAnyStrong).ok());
}

TEST_F(PssRootTest, OtherSignatureAlgorithmsFailWherePssIsDemanded) {
  const Certificate leaf = Leaf(false);
  EXPECT_TRUE(leaf.VerifySignedBy(root_, Strength::kAnyStrong).ok());
  const absl::Status status = leaf.VerifySignedBy(root_, Strength::kPss384);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("sha256WithRSAEncryption"));
}

TEST_F(PssRootTest, PssWithAnotherSaltOrHashFails) {
  const Bytes good = ToBytes(Leaf(true).der());
  // "[2] INTEGER 48" of both algorithm identifiers becomes 47; the signature fails as well, but the
  // reason shows that the parameters were looked at first.
  Bytes salt = good;
  const Bytes from("\xa2\x03\x02\x01\x30", 5);
  for (size_t at = salt.find(from); at != salt.npos; at = salt.find(from, at + 1))
    salt[at + 4] = 0x2f;
  ASSERT_NE(salt, good);
  const absl::Status status =
      Certificate::ParseDer(AsBytes(salt))->VerifySignedBy(root_, Strength::kPss384);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not accepted here"));
}

TEST_F(PssRootTest, AnotherIssuerOrAWoundedCertificateFails) {
  const Certificate leaf = Leaf(true);
  CertificateSpec spec = Spec("ARK-Test");
  spec.sign_with_pss384 = true;
  const PrivateKey other_key = PrivateKey::GenerateRsa(2048);
  const Certificate same_name =
      MakeCertificate(spec, other_key.public_key(), nullptr, other_key).value();
  EXPECT_THAT(std::string(leaf.VerifySignedBy(same_name, Strength::kPss384).message()),
              HasSubstr("does not verify"));
  EXPECT_THAT(std::string(root_.VerifySignedBy(leaf, Strength::kPss384).message()),
              HasSubstr("issued by ARK-Test, not by SEV-VCEK"));
  Bytes wounded = ToBytes(leaf.der());
  wounded[wounded.size() - 1] ^= 1;
  EXPECT_FALSE(
      Certificate::ParseDer(AsBytes(wounded))->VerifySignedBy(root_, Strength::kPss384).ok());
}

TEST_F(PssRootTest, ExtensionsAreFoundOnce) {
  const Certificate leaf = Leaf(true);
  EXPECT_EQ(leaf.Extension("1.3.6.1.4.1.3704.1.3.1").value(), Bytes("\x02\x01\x04", 3));
  EXPECT_EQ(leaf.Extension("1.3.6.1.4.1.3704.1.4").value(), Bytes(64, '\x5a'));
  EXPECT_EQ(leaf.Extension("1.3.6.1.4.1.3704.1.5").value(), std::nullopt);
  CertificateSpec spec = Spec("twice");
  spec.extensions = {{"1.2.3.4", "a"}, {"1.2.3.4", "b"}};
  const Certificate twice =
      MakeCertificate(spec, leaf_key_.public_key(), &root_, RootKey()).value();
  EXPECT_EQ(twice.Extension("1.2.3.4").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PssRootTest, DatesAreInclusive) {
  const Certificate leaf = Leaf(true);
  EXPECT_TRUE(leaf.CheckDates(kStart).ok());
  EXPECT_TRUE(leaf.CheckDates(kEnd).ok());
  EXPECT_EQ(leaf.CheckDates(kStart - absl::Seconds(1)).message(),
            "SEV-VCEK: not valid before 2023-11-14T22:13:20+00:00");
  EXPECT_EQ(leaf.CheckDates(kEnd + absl::Seconds(1)).message(),
            "SEV-VCEK: expired at 2027-01-15T08:00:00+00:00");
  EXPECT_EQ(leaf.CheckDates(kEnd + absl::Seconds(1)).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(MakeCertificate, MakesServerCertificatesOfAnEcdsaIssuer) {
  const PrivateKey ca_key = PrivateKey::GenerateEc(KeyKind::kP256);
  CertificateSpec spec = Spec("starter CA");
  spec.is_ca = true;
  const Certificate ca = MakeCertificate(spec, ca_key.public_key(), nullptr, ca_key).value();
  spec = Spec("broker");
  spec.server_auth = true;
  spec.dns_names = {"localhost"};
  spec.ip_addresses = {"127.0.0.1", "::1"};
  const PrivateKey key = PrivateKey::GenerateEc(KeyKind::kP256);
  const absl::StatusOr<Certificate> server = MakeCertificate(spec, key.public_key(), &ca, ca_key);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(ca.is_ca());
  EXPECT_FALSE(server->is_ca());
  EXPECT_TRUE(server->VerifySignedBy(ca, Strength::kAnyStrong).ok());
  EXPECT_FALSE(server->VerifySignedBy(ca, Strength::kPss384).ok());
  // subjectAltName: DNS:localhost, IP:127.0.0.1, IP:::1.
  EXPECT_EQ(HexEncode(AsBytes(server->Extension("2.5.29.17")->value())),
            "302382096c6f63616c686f737487047f000001871000000000000000000000000000000001");
}

TEST(MakeCertificate, RefusesWhatCannotBeWritten) {
  const PrivateKey key = PrivateKey::GenerateEc(KeyKind::kP256);
  const auto make = [&](const CertificateSpec& spec) {
    return MakeCertificate(spec, key.public_key(), nullptr, key).status();
  };
  EXPECT_TRUE(make(Spec("name")).ok());
  EXPECT_FALSE(make(Spec("")).ok());
  EXPECT_FALSE(make(Spec(std::string(65, 'n'))).ok());
  CertificateSpec spec = Spec("name");
  spec.ip_addresses = {"not an address"};
  EXPECT_THAT(std::string(make(spec).message()), HasSubstr("not an address is not an IP address"));
  spec = Spec("name");
  spec.sign_with_pss384 = true;
  EXPECT_FALSE(make(spec).ok());
  spec = Spec("name");
  spec.extensions = {{"no oid", ""}};
  EXPECT_FALSE(make(spec).ok());
}

absl::StatusOr<int64_t> Integer(std::string_view hex) {
  return ParseDerInteger(AsBytes(HexDecode(hex).value()));
}

TEST(Der, IntegersAreMinimalAndWhole) {
  EXPECT_EQ(Integer("020100").value(), 0);
  EXPECT_EQ(Integer("02017f").value(), 127);
  EXPECT_EQ(Integer("020200db").value(), 219);
  EXPECT_EQ(Integer("0201ff").value(), -1);
  EXPECT_EQ(Integer("02087fffffffffffffff").value(), INT64_MAX);
  EXPECT_FALSE(Integer("0209008000000000000000").ok());
  EXPECT_FALSE(Integer("0202007f").ok());
  EXPECT_FALSE(Integer("0202ffff").ok());
  EXPECT_FALSE(Integer("0200").ok());
  EXPECT_FALSE(Integer("02").ok());
  EXPECT_FALSE(Integer("").ok());
  EXPECT_FALSE(Integer("02010000").ok());
  EXPECT_FALSE(Integer("02810100").ok());
  EXPECT_FALSE(Integer("040100").ok());
}

TEST(Der, StringsAreWhole) {
  EXPECT_EQ(ParseDerIa5String(AsBytes("\x16\x05Turin")).value(), "Turin");
  EXPECT_FALSE(ParseDerIa5String(AsBytes("\x16\x05Turi")).ok());
  EXPECT_FALSE(ParseDerIa5String(AsBytes("\x16\x05Turinx")).ok());
  EXPECT_FALSE(ParseDerIa5String(AsBytes("\x0c\x05Turin")).ok());
  EXPECT_FALSE(ParseDerIa5String(AsBytes("\x16\x05Tur\nn")).ok());
  EXPECT_EQ(ParseDerOctetString(AsBytes("\x04\x02hi")).value(), "hi");
  EXPECT_FALSE(ParseDerOctetString(AsBytes("\x24\x04\x04\x02hi")).ok());
  const Bytes long_content(200, 'x');
  EXPECT_EQ(ParseDerOctetString(AsBytes("\x04\x81\xc8" + long_content)).value(), long_content);
  EXPECT_FALSE(
      ParseDerOctetString(AsBytes(std::string("\x04\x82\x00\xc8", 4) + long_content)).ok());
}

}  // namespace
}  // namespace latchkey::crypto
