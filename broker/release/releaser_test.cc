#include "broker/release/releaser.h"

#include <thread>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/checkpoint.h"
#include "protocol/merkle.h"
#include "protocol/statement.h"
#include "tests/support/matchers.h"
#include "tests/support/release_world.h"

namespace latchkey::release {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class ReleaserTest : public testing::Test {
 protected:
  ReleaserTest() {
    EXPECT_THAT(world_.PutPolicy(ReleaseWorld::SnpPolicy("own", {"payments", "ledger"})), IsOk());
    EXPECT_THAT(world_.CreateKey("payments", "own"), IsOk());
    wrapped_ = world_.WrapNewDek("payments");
  }

  ReleaseWorld::Asked Ask(dev::ReportFields fields = {}) {
    return world_.Ask({ReleaseWorld::Unwrap("payments", wrapped_)}, std::move(fields));
  }
  // The wire reason of item `index`; 0 when it was released.
  static int WireReason(const absl::StatusOr<audit::DurableAnswer>& answer, int index = 0) {
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok()) return -1;
    return static_cast<int>(ReleaseWorld::Parse(*answer).items(index).reason());
  }
  // The audit reason of item 0 in the stored details.
  std::string AuditReason(const absl::StatusOr<audit::DurableAnswer>& answer) {
    const auto leaf =
        protocol::ParseStatementLeaf(AsBytes(ReleaseWorld::Parse(*answer).leaf())).value();
    storage::v1::DecisionDetails details;
    EXPECT_THAT(world_.store->Read(
                    world_.clock.Now(),
                    [&](store::ReadTransaction& transaction) {
                      storage::v1::DecisionRecord record;
                      EXPECT_TRUE(record.ParseFromString(**transaction.Get(
                          "decision/default/" + HexEncode(AsBytes(leaf.body.decision_id())))));
                      EXPECT_TRUE(details.ParseFromString(record.details()));
                      return absl::OkStatus();
                    }),
                IsOk());
    return details.items(0).reason();
  }

  ReleaseWorld world_;
  Bytes wrapped_;
};

TEST_F(ReleaserTest, VerifiedMachineGetsItsDekWithARecordAndAReceipt) {
  const ReleaseWorld::Asked asked = Ask();
  const auto answer = world_.Release(asked);
  ASSERT_THAT(answer, IsOk());
  const storage::v1::KeptAnswer kept = ReleaseWorld::Parse(*answer);
  const auto dek = ReleaseWorld::OpenFirst(asked, kept);
  ASSERT_THAT(dek, IsOk());
  EXPECT_EQ(dek->size(), 32u);

  const auto key = crypto::PublicKey::FromEd25519(AsBytes(world_.log_public_key)).value();
  const auto checkpoint =
      protocol::VerifyCheckpoint(answer->receipt().checkpoint(),
                                 protocol::LogOrigin(ReleaseWorld::kDeployment, "default"), key);
  ASSERT_THAT(checkpoint, IsOk());
  std::vector<protocol::Hash> proof;
  for (const std::string& node : answer->receipt().inclusion_proof()) {
    std::copy(node.begin(), node.end(), proof.emplace_back().begin());
  }
  EXPECT_THAT(
      protocol::VerifyInclusion(answer->leaf_index(), checkpoint->size,
                                protocol::LeafHash(AsBytes(kept.leaf())), proof, checkpoint->root),
      IsOk());
}

TEST_F(ReleaserTest, SameDekComesOutEachTime) {
  const ReleaseWorld::Asked first = Ask();
  const ReleaseWorld::Asked second = Ask();
  const auto one = ReleaseWorld::OpenFirst(first, ReleaseWorld::Parse(*world_.Release(first)));
  const auto two = ReleaseWorld::OpenFirst(second, ReleaseWorld::Parse(*world_.Release(second)));
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(two, IsOk());
  EXPECT_TRUE(ConstantTimeEquals(one->view(), two->view()));
}

TEST_F(ReleaserTest, AzureTokenWithThePlatformsKeyIsPermittedByItsOwnPolicy) {
  ASSERT_THAT(world_.PutPolicy(ReleaseWorld::MaaPolicy("azure", {"cloud"})), IsOk());
  ASSERT_THAT(world_.CreateKey("cloud", "azure"), IsOk());
  const Bytes wrapped = world_.WrapNewDek("cloud");
  EXPECT_EQ(
      WireReason(world_.Release(world_.AskWithToken({ReleaseWorld::Unwrap("cloud", wrapped)}))), 0);
  // The same machine by its token is nobody to a policy that trusts hardware evidence alone.
  const auto other =
      world_.Release(world_.AskWithToken({ReleaseWorld::Unwrap("payments", wrapped_)}));
  EXPECT_EQ(WireReason(other), v1::WIRE_REASON_POLICY_REFUSED);
  EXPECT_EQ(AuditReason(other), "SOURCE_MISSING");
}

TEST_F(ReleaserTest, OtherMeasurementIsRefusedAndRecorded) {
  dev::ReportFields fields;
  fields.measurement = Bytes(48, '\x66');
  const uint64_t size = world_.LogSize();
  const auto answer = world_.Release(Ask(fields));
  EXPECT_EQ(WireReason(answer), v1::WIRE_REASON_POLICY_REFUSED);
  EXPECT_TRUE(ReleaseWorld::Parse(*answer).items(0).sealed_dek().empty());
  EXPECT_EQ(world_.LogSize(), size + 1);
  EXPECT_EQ(WireReason(world_.Release(Ask())), 0);
}

TEST_F(ReleaserTest, DebugMachineIsRefused) {
  dev::ReportFields fields;
  fields.debug = true;
  EXPECT_EQ(WireReason(world_.Release(Ask(fields))), v1::WIRE_REASON_POLICY_REFUSED);
}

TEST_F(ReleaserTest, HardwareEvidenceIsAsOldAsItsChallenge) {
  ASSERT_THAT(
      world_.PutPolicy(ReleaseWorld::SnpPolicy("own", {"payments"}) + "  maxEvidenceAge: 2m\n"),
      IsOk());
  const ReleaseWorld::Asked asked = Ask();
  const ReleaseWorld::Asked late = Ask();
  world_.clock.Advance(absl::Minutes(2));
  EXPECT_EQ(WireReason(world_.Release(asked)), 0);
  world_.clock.Advance(absl::Seconds(1));
  const auto answer = world_.Release(late);
  EXPECT_EQ(WireReason(answer), v1::WIRE_REASON_POLICY_REFUSED);
  EXPECT_EQ(AuditReason(answer), "EVIDENCE_TOO_OLD");
}

TEST_F(ReleaserTest, ReportForAnotherRequestIsRefusedAndOnlyCounted) {
  const uint64_t size = world_.LogSize();
  ReleaseWorld::Asked asked = Ask();
  const ReleaseWorld::Asked other = Ask();
  asked.request.attestations = other.request.attestations;
  EXPECT_THAT(world_.Release(asked), HasReason("BINDING_MISMATCH"));
  EXPECT_EQ(world_.LogSize(), size);
  EXPECT_EQ(world_.releaser->attempts().Take()["BINDING_MISMATCH"], 1u);
  EXPECT_THAT(world_.Release(other), IsOk());
}

TEST_F(ReleaserTest, ItemsOrRecipientChangedUnderWayBreakTheBinding) {
  ReleaseWorld::Asked items = Ask();
  items.request.items[0].context["environment"] = "test";
  EXPECT_THAT(world_.Release(items), HasReason("BINDING_MISMATCH"));
  ReleaseWorld::Asked recipient = Ask();
  recipient.request.recipient_public_key = Ask().request.recipient_public_key;
  EXPECT_THAT(world_.Release(recipient), HasReason("BINDING_MISMATCH"));
}

TEST_F(ReleaserTest, RetryWithIdenticalBytesGetsTheStoredAnswerAndNoSecondRecord) {
  const ReleaseWorld::Asked asked = Ask();
  const auto first = world_.Release(asked);
  ASSERT_THAT(first, IsOk());
  const uint64_t size = world_.LogSize();
  world_.clock.Advance(absl::Seconds(59));
  const auto again = world_.Release(asked);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->payload(), first->payload());
  EXPECT_EQ(again->leaf_index(), first->leaf_index());
  EXPECT_EQ(world_.LogSize(), size);
  world_.clock.Advance(absl::Seconds(2));
  EXPECT_THAT(world_.Release(asked), HasReason("CHALLENGE_USED"));
}

TEST_F(ReleaserTest, ReplayedChallengeWithOtherBytesIsRefused) {
  ReleaseWorld::Asked asked = Ask();
  ASSERT_THAT(world_.Release(asked), IsOk());
  asked.request.bytes_digest[0] ^= 1;
  EXPECT_THAT(world_.Release(asked), HasReason("REPLAYED"));
}

TEST_F(ReleaserTest, OneChallengeFromManyThreadsIsOneRelease) {
  const ReleaseWorld::Asked asked = Ask();
  const uint64_t size = world_.LogSize();
  std::atomic<int> released = 0, in_flight = 0, other = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const auto answer = world_.Release(asked);
      if (answer.ok()) {
        ++released;
      } else if (ReasonOf(answer.status()) == "DUPLICATE_IN_FLIGHT") {
        ++in_flight;
      } else {
        ++other;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(world_.LogSize(), size + 1);
  EXPECT_GE(released, 1);
  // A thread that looked before the record and entered after it finds the challenge used.
  EXPECT_EQ(released + in_flight + other, 16);
}

TEST_F(ReleaserTest, SwappedWrappedDekIsRefusedAndItsNeighbourReleased) {
  const Bytes prod = world_.WrapNewDek("payments", {{"environment", "prod"}});
  const auto swapped = world_.Release(
      world_.Ask({ReleaseWorld::Unwrap("payments", prod, {{"environment", "test"}}),
                  ReleaseWorld::Unwrap("payments", prod, {{"environment", "prod"}})}));
  EXPECT_EQ(WireReason(swapped, 0), v1::WIRE_REASON_KEY_NOT_RELEASABLE);
  EXPECT_EQ(WireReason(swapped, 1), 0);
  EXPECT_EQ(AuditReason(swapped), "CONTEXT_MISMATCH");
}

TEST_F(ReleaserTest, UnknownDisabledAndUnguardedKeysLookAlikeToTheCaller) {
  ASSERT_THAT(world_.CreateKey("ledger", ""), IsOk());
  const Bytes ledger = world_.WrapNewDek("ledger");
  const auto unguarded = world_.Release(world_.Ask({ReleaseWorld::Unwrap("ledger", ledger)}));
  const auto unknown = world_.Release(world_.Ask({ReleaseWorld::Unwrap("nobody", wrapped_)}));
  ASSERT_THAT(world_.DisableVersion("payments", 1), IsOk());
  const auto disabled = world_.Release(Ask());
  EXPECT_EQ(AuditReason(unguarded), "KEY_WITHOUT_POLICY");
  EXPECT_EQ(AuditReason(unknown), "KEY_UNKNOWN_TO_US");
  EXPECT_EQ(AuditReason(disabled), "KEY_VERSION_DISABLED");
  for (const auto* answer : {&unguarded, &unknown, &disabled}) {
    const auto item = ReleaseWorld::Parse(**answer).items(0);
    EXPECT_EQ(static_cast<int>(item.reason()), v1::WIRE_REASON_KEY_NOT_RELEASABLE);
    EXPECT_EQ(item.message(), ReleaseWorld::Parse(*unknown).items(0).message());
  }
}

TEST_F(ReleaserTest, GeneratedDekComesWrappedAndSealedAndUnwrapsLater) {
  const ReleaseWorld::Asked asked = world_.Ask({ReleaseWorld::Generate("payments")});
  const auto made = ReleaseWorld::Parse(*world_.Release(asked));
  const auto dek = ReleaseWorld::OpenFirst(asked, made);
  ASSERT_THAT(dek, IsOk());
  const ReleaseWorld::Asked later =
      world_.Ask({ReleaseWorld::Unwrap("payments", made.items(0).wrapped_dek())});
  const auto again = ReleaseWorld::OpenFirst(later, ReleaseWorld::Parse(*world_.Release(later)));
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(ConstantTimeEquals(dek->view(), again->view()));
}

TEST_F(ReleaserTest, TighterPolicyCommittedBetweenDecisionAndRecordIsObeyed) {
  const ReleaseWorld::Asked asked = Ask();
  bool tightened = false;
  // The hook runs when the decision was taken and the record is not yet written.
  world_.failpoints.RunAt("release.before_record", [&] {
    if (tightened) return;
    tightened = true;
    EXPECT_THAT(world_.PutPolicy(absl::StrReplaceAll(ReleaseWorld::SnpPolicy("own", {"payments"}),
                                                     {{">= 20", ">= 99"}})),
                IsOk());
  });
  EXPECT_EQ(WireReason(world_.Release(asked)), v1::WIRE_REASON_POLICY_REFUSED);
  EXPECT_TRUE(tightened);
}

TEST_F(ReleaserTest, NoRecordNoKey) {
  const ReleaseWorld::Asked asked = Ask();
  const uint64_t size = world_.LogSize();
  world_.failpoints.FailAt("audit.before_commit");
  EXPECT_THAT(world_.Release(asked), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(world_.LogSize(), size);
  // Nothing was used up: the same request succeeds once the log can be written.
  EXPECT_EQ(WireReason(world_.Release(asked)), 0);
  EXPECT_EQ(world_.LogSize(), size + 1);
}

TEST_F(ReleaserTest, AnswerLostAfterTheRecordIsFetchedAgain) {
  const ReleaseWorld::Asked asked = Ask();
  world_.failpoints.FailAt("release.before_answer");
  EXPECT_THAT(world_.Release(asked), StatusIs(absl::StatusCode::kUnavailable));
  const uint64_t size = world_.LogSize();
  const auto again = world_.Release(asked);
  ASSERT_THAT(again, IsOk());
  EXPECT_THAT(ReleaseWorld::OpenFirst(asked, ReleaseWorld::Parse(*again)), IsOk());
  EXPECT_EQ(world_.LogSize(), size);
}

}  // namespace
}  // namespace latchkey::release
