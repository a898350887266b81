#include <memory>

#include "gtest/gtest.h"
#include "tests/support/failpoint_plan.h"
#include "tests/support/manual_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ManualClockTest, SleepMovesTheClockInsteadOfWaiting) {
  ManualClock clock;
  const absl::Time start = clock.Now();
  clock.Sleep(absl::Hours(24));
  EXPECT_EQ(clock.Now(), start + absl::Hours(24));
  clock.Advance(-absl::Seconds(1));
  EXPECT_EQ(clock.Now(), start + absl::Hours(24) - absl::Seconds(1));
}

TEST(SeededRandomTest, SameSeedGivesTheSameBytesWhateverTheSizes) {
  SeededRandom a("seed"), b("seed"), other("another seed");
  Bytes pieces;
  for (const size_t size : {1, 31, 0, 33, 35}) pieces += RandomBytes(a, size);
  EXPECT_EQ(pieces, RandomBytes(b, 100));
  EXPECT_NE(pieces, RandomBytes(other, 100));
  EXPECT_NE(pieces.substr(0, 32), pieces.substr(32, 32));
}

TEST(FailpointPlanTest, OnlyTheNthReachOfTheNamedStepFails) {
  FailpointPlan plan;
  EXPECT_THAT(plan.Reach("commit"), IsOk());
  plan.FailAt("commit", 2);
  EXPECT_THAT(plan.Reach("other"), IsOk());
  EXPECT_THAT(plan.Reach("commit"), IsOk());
  EXPECT_THAT(plan.Reach("commit"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(plan.Reach("commit"), IsOk());
  EXPECT_EQ(plan.reached("commit"), 4);
}

TEST(FailpointPlanTest, HookRunsAtEveryReachOfItsStep) {
  FailpointPlan plan;
  int runs = 0;
  plan.RunAt("commit", [&] { ++runs; });
  EXPECT_THAT(plan.Reach("other"), IsOk());
  EXPECT_EQ(runs, 0);
  EXPECT_THAT(plan.Reach("commit"), IsOk());
  EXPECT_THAT(plan.Reach("commit"), IsOk());
  EXPECT_EQ(runs, 2);
}

TEST(MatchersTest, TakeStatusAndStatusOrOfMoveOnlyValues) {
  const absl::StatusOr<std::unique_ptr<int>> value = std::make_unique<int>(3);
  EXPECT_THAT(value, IsOk());
  EXPECT_THAT(value, IsOkAndHolds(testing::Pointee(3)));
  EXPECT_THAT(absl::StatusOr<std::string>("abc"), IsOkAndHolds("abc"));
  EXPECT_THAT(absl::StatusOr<std::string>("abc"), Not(IsOkAndHolds("abd")));
  const absl::Status missing = Refuse(absl::StatusCode::kNotFound, "KEY_UNKNOWN", "no such key");
  EXPECT_THAT(missing, Not(IsOk()));
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kNotFound, HasSubstr("such")));
  EXPECT_THAT(missing, Not(StatusIs(absl::StatusCode::kNotFound, HasSubstr("other"))));
  EXPECT_THAT(absl::StatusOr<std::string>(missing), Not(IsOkAndHolds("abc")));
  EXPECT_THAT(absl::StatusOr<std::string>(missing), HasReason("KEY_UNKNOWN"));
  EXPECT_THAT(missing, Not(HasReason("OTHER")));
  EXPECT_THAT(absl::OkStatus(), Not(HasReason("")));
}

}  // namespace
}  // namespace latchkey
