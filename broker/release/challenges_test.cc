#include "broker/release/challenges.h"

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "broker/custody/software_root.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::release {
namespace {

class ChallengesTest : public testing::Test {
 protected:
  std::unique_ptr<Challenges> Make(const std::string& deployment, const Bytes& incarnation) {
    return std::move(
        Challenges::Create(*root_, random_, deployment, incarnation, absl::Minutes(5)).value());
  }

  SeededRandom random_;
  ManualClock clock_;
  std::unique_ptr<custody::Root> root_ =
      custody::MakeSoftwareRoot("root", SecretBytes::CopyOf(AsBytes(Bytes(32, '\x01'))), random_);
  std::unique_ptr<Challenges> challenges_ = Make("deployment", "first");
};

TEST_F(ChallengesTest, ChallengeIsGoodUntilItsExpiryAndNotAtIt) {
  const IssuedChallenge issued = challenges_->Issue("default", clock_.Now());
  EXPECT_EQ(issued.expires_at, clock_.Now() + absl::Minutes(5));
  const ByteView challenge = AsBytes(issued.challenge);
  EXPECT_THAT(challenges_->Check(challenge, "default", issued.expires_at - absl::Microseconds(1)),
              IsOkAndHolds(issued.expires_at));
  EXPECT_THAT(challenges_->Check(challenge, "default", issued.expires_at),
              HasReason("CHALLENGE_EXPIRED"));
}

TEST_F(ChallengesTest, AnotherBrokerOfTheSameRootAcceptsIt) {
  const IssuedChallenge issued = challenges_->Issue("default", clock_.Now());
  EXPECT_THAT(
      Make("deployment", "first")->Check(AsBytes(issued.challenge), "default", clock_.Now()),
      IsOk());
}

TEST_F(ChallengesTest, ChallengeOfAnotherTenantDeploymentOrIncarnationIsForged) {
  const IssuedChallenge issued = challenges_->Issue("default", clock_.Now());
  const ByteView challenge = AsBytes(issued.challenge);
  EXPECT_THAT(challenges_->Check(challenge, "other", clock_.Now()), HasReason("CHALLENGE_FORGED"));
  EXPECT_THAT(Make("elsewhere", "first")->Check(challenge, "default", clock_.Now()),
              HasReason("CHALLENGE_FORGED"));
  EXPECT_THAT(Make("deployment", "restored")->Check(challenge, "default", clock_.Now()),
              HasReason("CHALLENGE_FORGED"));
  EXPECT_THAT(challenges_->Check(challenge, "default", clock_.Now()), IsOk());
}

TEST_F(ChallengesTest, EveryFlippedBitAndEveryOtherLengthIsForged) {
  const Bytes good = challenges_->Issue("default", clock_.Now()).challenge;
  for (size_t i = 0; i < good.size() * 8; ++i) {
    Bytes bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    EXPECT_THAT(challenges_->Check(AsBytes(bad), "default", clock_.Now()),
                HasReason("CHALLENGE_FORGED"));
  }
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(challenges_->Check(AsBytes(good.substr(0, size)), "default", clock_.Now()),
                HasReason("CHALLENGE_FORGED"));
  }
  EXPECT_THAT(challenges_->Check(AsBytes(good + "x"), "default", clock_.Now()),
              HasReason("CHALLENGE_FORGED"));
  EXPECT_THAT(challenges_->Check(AsBytes(good), "default", clock_.Now()), IsOk());
}

TEST_F(ChallengesTest, OneRequestAtATimeHoldsAChallenge) {
  const Bytes challenge = challenges_->Issue("default", clock_.Now()).challenge;
  const Bytes other = challenges_->Issue("default", clock_.Now()).challenge;
  {
    const auto held = challenges_->Enter(AsBytes(challenge));
    ASSERT_THAT(held, IsOk());
    EXPECT_THAT(challenges_->Enter(AsBytes(challenge)), HasReason("DUPLICATE_IN_FLIGHT"));
    EXPECT_THAT(challenges_->Enter(AsBytes(other)), IsOk());
  }
  EXPECT_THAT(challenges_->Enter(AsBytes(challenge)), IsOk());
}

// A root that derives the key of the page's example.
class ExampleRoot final : public custody::Root {
 public:
  explicit ExampleRoot(Bytes key) : key_(std::move(key)) {}
  const std::string& name() const override { return key_; }
  absl::StatusOr<Bytes> Wrap(ByteView, const SecretBytes&) override {
    return absl::UnimplementedError("not asked");
  }
  absl::StatusOr<SecretBytes> Unwrap(ByteView, ByteView) override {
    return absl::UnimplementedError("not asked");
  }
  absl::StatusOr<SecretBytes> Derive(std::string_view purpose) override {
    EXPECT_EQ(purpose, "latchkey/v1/challenge-mac");
    return SecretBytes::CopyOf(AsBytes(key_));
  }

 private:
  const Bytes key_;
};

std::map<std::string, std::string> ReadExample(const char* path) {
  std::map<std::string, std::string> values;
  std::ifstream page(path);
  bool in_example = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "## Worked example") in_example = true;
    const size_t colon = line.find(": ");
    if (in_example && colon != std::string::npos)
      values[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return values;
}

TEST(ChallengeFormatTest, WorkedExampleOfThePageIsAccepted) {
  auto example = ReadExample("docs/formats/challenge.md");
  ASSERT_EQ(example.size(), 6u);
  ExampleRoot root(HexDecode(example["mac key"]).value());
  SeededRandom random;
  const auto challenges =
      std::move(Challenges::Create(root, random, example["deployment id"],
                                   HexDecode(example["incarnation"]).value(), absl::Minutes(5))
                    .value());
  const Bytes challenge = HexDecode(example["challenge"]).value();
  const absl::Time expiry = absl::FromUnixMicros(std::stoll(example["expiry"]));
  EXPECT_THAT(challenges->Check(AsBytes(challenge), example["tenant"], expiry - absl::Seconds(1)),
              IsOkAndHolds(expiry));
}

}  // namespace
}  // namespace latchkey::release
