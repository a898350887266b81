#include <sys/stat.h>

#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "client/attesters/command.h"
#include "client/attesters/configfs_tsm.h"
#include "client/attesters/token_file.h"
#include "crypto/signature.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/matchers.h"

namespace latchkey::client {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

AttestationRequest SomeRequest() {
  AttestationRequest request;
  request.report_data.fill(0xaa);
  request.nonce.fill(0xbb);
  request.platform_nonce.fill(0xcc);
  return request;
}

// The kernel's side of one report.
class FakeTsm final : public TsmReports {
 public:
  absl::StatusOr<std::string> MakeEntry() override {
    ++entries;
    return "entry";
  }
  absl::Status Write(const std::string&, const std::string& attribute, ByteView bytes) override {
    attributes[attribute] = ToBytes(bytes);
    attributes["outblob"] = "report over " + ToBytes(bytes);
    ++generation;
    return absl::OkStatus();
  }
  absl::StatusOr<Bytes> Read(const std::string&, const std::string& attribute) override {
    if (attribute == "generation") return absl::StrCat(generation, "\n");
    if (attribute == "outblob") generation += writes_by_others;
    const auto found = attributes.find(attribute);
    if (found == attributes.end()) return absl::NotFoundError(attribute);
    return found->second;
  }
  void RemoveEntry(const std::string&) override { --entries; }

  std::map<std::string, Bytes> attributes = {{"provider", "sev_guest\n"}, {"auxblob", "certs"}};
  int generation = 0;
  int writes_by_others = 0;
  static inline int entries = 0;
};

TEST(ConfigfsTsmTest, ReportsOverTheReportDataAndRemovesItsEntry) {
  const auto attester = MakeConfigfsTsmAttester(std::make_unique<FakeTsm>());
  const auto output = attester->Attest(SomeRequest());
  ASSERT_THAT(output, IsOk());
  EXPECT_EQ(output->attestations[0].snp_report(), "report over " + Bytes(64, '\xaa'));
  EXPECT_EQ(output->attestations[0].endorsements(0), "certs");
  EXPECT_FALSE(output->recipient.has_value());
  EXPECT_EQ(FakeTsm::entries, 0);
}

TEST(ConfigfsTsmTest, AnEntryThatAnotherProcessWroteIsRefused) {
  auto reports = std::make_unique<FakeTsm>();
  reports->writes_by_others = 1;
  EXPECT_THAT(MakeConfigfsTsmAttester(std::move(reports))->Attest(SomeRequest()),
              StatusIs(StatusCode::kUnavailable, HasSubstr("another process")));
  EXPECT_EQ(FakeTsm::entries, 0);
}

TEST(ConfigfsTsmTest, AHostWithoutCertificatesStillReports) {
  auto reports = std::make_unique<FakeTsm>();
  reports->attributes.erase("auxblob");
  const auto output = MakeConfigfsTsmAttester(std::move(reports))->Attest(SomeRequest());
  ASSERT_THAT(output, IsOk());
  EXPECT_EQ(output->attestations[0].endorsements_size(), 0);
}

TEST(ConfigfsTsmTest, AnotherProviderIsRefused) {
  auto reports = std::make_unique<FakeTsm>();
  reports->attributes["provider"] = "tdx_guest\n";
  EXPECT_THAT(MakeConfigfsTsmAttester(std::move(reports))->Attest(SomeRequest()),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("tdx_guest")));
}

TEST(ConfigfsTsmTest, AMachineWithoutTheInterfaceSaysWhatItTakes) {
  const auto attester = MakeConfigfsTsmAttester(KernelTsmReports("/nonexistent/tsm/report"));
  EXPECT_THAT(attester->Attest(SomeRequest()),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("Linux 6.7")));
}

absl::StatusOr<AttesterOutput> AttestBy(const std::string& script,
                                        absl::Duration timeout = absl::Seconds(20)) {
  const auto attester =
      MakeCommandAttester({.argv = {"/bin/sh", "-c", script}, .timeout = timeout});
  if (!attester.ok()) return attester.status();
  return (*attester)->Attest(SomeRequest());
}

TEST(CommandAttesterTest, PassesTheRequestAndReadsAReport) {
  const auto output = AttestBy(
      "in=$(cat); case $in in *'\"report_data\":\"aaaa'*) ;; *) exit 9;; esac; "
      R"(echo '{"snp_report": "AQID", "endorsements": ["PEM"]}')");
  ASSERT_THAT(output, IsOk());
  EXPECT_EQ(output->attestations[0].snp_report(), "\x01\x02\x03");
  EXPECT_EQ(output->attestations[0].endorsements(0), "PEM");
}

TEST(CommandAttesterTest, ReadsATokenEvenWhenTheProgramIgnoresItsInput) {
  const auto output = AttestBy(R"(exec <&-; echo '{"token": "a.b.c"}')");
  ASSERT_THAT(output, IsOk());
  EXPECT_EQ(output->attestations[0].token(), "a.b.c");
}

TEST(CommandAttesterTest, AFailingProgramIsAnError) {
  EXPECT_THAT(AttestBy("exit 3"),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("exit code 3")));
  EXPECT_THAT(AttestBy("kill -9 $$"),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("signal 9")));
}

TEST(CommandAttesterTest, AProgramThatHangsIsKilled) {
  EXPECT_THAT(AttestBy("sleep 600", absl::Milliseconds(300)),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("in time")));
}

TEST(CommandAttesterTest, EndlessOutputIsCutOff) {
  EXPECT_THAT(AttestBy("yes"),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("wrote more than")));
}

TEST(CommandAttesterTest, OutputThatIsNoEvidenceIsRefused) {
  for (const char* output : {"", "[]", "{}", R"({"token": 1})", R"({"token": "a", "other": 1})",
                             R"({"token": "a", "snp_report": "AQID"})", R"({"snp_report": "!"})",
                             R"({"token": "a", "endorsements": [1]})"}) {
    EXPECT_THAT(AttestBy(absl::StrCat("echo '", output, "'")),
                StatusIs(StatusCode::kFailedPrecondition, HasSubstr("no evidence")))
        << output;
  }
}

TEST(CommandAttesterTest, AProgramIsNamedByItsAbsolutePath) {
  EXPECT_THAT(MakeCommandAttester({.argv = {"sh"}}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MakeCommandAttester({.argv = {}}), StatusIs(StatusCode::kInvalidArgument));
  const auto missing = MakeCommandAttester({.argv = {"/nonexistent/program"}});
  ASSERT_THAT(missing, IsOk());
  EXPECT_THAT((*missing)->Attest(SomeRequest()), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(TokenFileTest, SendsTheTokenWithTheRecipientOfTheKeyFile) {
  const std::string token = testing::TempDir() + "/latchkey_token";
  const std::string key_file = testing::TempDir() + "/latchkey_recipient.pem";
  const auto key = crypto::PrivateKey::GenerateRsa(2048);
  const SecretBytes pem = key.ToPem();
  std::ofstream(token) << "a.b.c\n";
  std::ofstream(key_file) << AsText(pem.view());
  ASSERT_EQ(chmod(key_file.c_str(), 0600), 0);
  const auto attester = MakeTokenFileAttester(token, key_file);
  ASSERT_THAT(attester, IsOk());
  const auto output = (*attester)->Attest(SomeRequest());
  ASSERT_THAT(output, IsOk());
  EXPECT_EQ(output->attestations[0].token(), "a.b.c");
  ASSERT_TRUE(output->recipient.has_value());
  EXPECT_EQ(output->recipient->spki_der, key.public_key().SpkiDer());
  const auto sealed = crypto::RsaOaepSha256Encrypt(key.public_key(), AsBytes("secret"));
  const auto opened = output->recipient->decrypt(AsBytes(*sealed));
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(AsText(opened->view()), "secret");
}

TEST(TokenFileTest, AKeyThatIsNotRsaIsRefused) {
  const std::string key_file = testing::TempDir() + "/latchkey_ec.pem";
  std::ofstream(key_file) << AsText(
      crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256).ToPem().view());
  ASSERT_EQ(chmod(key_file.c_str(), 0600), 0);
  EXPECT_THAT(MakeTokenFileAttester("/dev/null", key_file),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not an RSA key")));
}

}  // namespace
}  // namespace latchkey::client
