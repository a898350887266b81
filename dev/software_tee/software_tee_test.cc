#include "dev/software_tee/software_tee.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "crypto/system_random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::dev {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1780272000);

const SoftwareTee& Tee() {
  static crypto::SystemRandom& random = *new crypto::SystemRandom;
  static const SoftwareTee& tee = *new SoftwareTee(*SoftwareTee::Create(random, kNow));
  return tee;
}

// As a verifier sees it: r and s little endian in fields of 72 bytes, over the first 0x2A0 bytes.
bool Verifies(const Bytes& report, const crypto::Certificate& leaf) {
  Bytes r = report.substr(0x2A0, 48);
  Bytes s = report.substr(0x2A0 + 72, 48);
  std::reverse(r.begin(), r.end());
  std::reverse(s.begin(), s.end());
  return crypto::VerifySignature(leaf.public_key(), crypto::SignatureAlgorithm::kEcdsaP384Sha384,
                                 AsBytes(report).first(0x2A0), AsBytes(r + s))
      .ok();
}

TEST(SoftwareTee, ChainIsSignedAsAmdSignsIt) {
  using crypto::Certificate;
  constexpr auto kPss = Certificate::Strength::kPss384;
  EXPECT_TRUE(Tee().ark().VerifySignedBy(Tee().ark(), kPss).ok());
  EXPECT_TRUE(Tee().ask().VerifySignedBy(Tee().ark(), kPss).ok());
  EXPECT_TRUE(Tee().asvk().VerifySignedBy(Tee().ark(), kPss).ok());
  EXPECT_TRUE(Tee().vcek().VerifySignedBy(Tee().ask(), kPss).ok());
  EXPECT_TRUE(Tee().vlek().VerifySignedBy(Tee().asvk(), kPss).ok());
  EXPECT_FALSE(Tee().vcek().VerifySignedBy(Tee().asvk(), kPss).ok());
}

TEST(SoftwareTee, RootNamesItselfInsecure) {
  EXPECT_THAT(Tee().ark().subject_common_name(),
              testing::HasSubstr(std::string(kSoftwareTeeMarker)));
  EXPECT_THAT(std::string(SoftwareTeeBanner()),
              testing::HasSubstr(std::string(kSoftwareTeeMarker)));
}

TEST(SoftwareTee, ReportsAreSignedByTheKeyTheyName) {
  ReportFields fields;
  fields.report_data = "binding";
  const Bytes by_vcek = Tee().SignReport(fields);
  ASSERT_EQ(by_vcek.size(), 1184);
  EXPECT_EQ(by_vcek.substr(0x50, 8), Bytes("binding\0", 8));
  EXPECT_TRUE(Verifies(by_vcek, Tee().vcek()));
  EXPECT_FALSE(Verifies(by_vcek, Tee().vlek()));
  fields.signed_by_vlek = true;
  EXPECT_TRUE(Verifies(Tee().SignReport(fields), Tee().vlek()));
}

TEST(SoftwareTee, SavedVendorLoadsWithTheSameKeys) {
  const std::string directory = testing::TempDir() + "/software_tee_test";
  ASSERT_TRUE(Tee().Save(directory).ok());
  const auto loaded = SoftwareTee::Load(directory);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(AsText(loaded->ark().der()), AsText(Tee().ark().der()));
  EXPECT_EQ(loaded->chip_id(), Tee().chip_id());
  EXPECT_EQ(loaded->tcb().microcode, Tee().tcb().microcode);
  EXPECT_TRUE(Verifies(loaded->SignReport({}), Tee().vcek()));
  struct stat key_file;
  ASSERT_EQ(::stat((directory + "/vcek.key.pem").c_str(), &key_file), 0);
  EXPECT_EQ(key_file.st_mode & 0777, 0600);
  std::filesystem::remove_all(directory);
  EXPECT_FALSE(SoftwareTee::Load(directory).ok());
}

}  // namespace
}  // namespace latchkey::dev
