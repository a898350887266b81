#include "broker/audit/staged_transaction.h"

#include "broker/store/memory_store.h"
#include "gtest/gtest.h"
#include "tests/support/matchers.h"

namespace latchkey::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StagedTransactionTest : public ::testing::Test {
 protected:
  const absl::Time now_ = absl::FromUnixSeconds(1767225600);
  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();

  void Run(const std::function<void(store::Transaction& under, StagedTransaction& staged)>& body) {
    EXPECT_THAT(store_->Transact(now_,
                                 [&](store::Transaction& under) {
                                   StagedTransaction staged(under, now_);
                                   body(under, staged);
                                   return absl::OkStatus();
                                 }),
                IsOk());
  }
  static std::vector<std::string> Keys(store::ReadTransaction& t, std::string_view prefix,
                                       std::string_view after, size_t limit) {
    std::vector<std::string> keys;
    const auto entries = t.Scan(prefix, after, limit);
    for (const store::Entry& entry : entries.value()) keys.push_back(entry.key);
    return keys;
  }
};

TEST_F(StagedTransactionTest, WritesAreSeenByTheirOwnerAndReachTheStoreWithFlushOnly) {
  Run([&](store::Transaction& under, StagedTransaction& staged) {
    EXPECT_THAT(under.Put("gone", AsBytes("old")), IsOk());
    EXPECT_THAT(staged.Put("new", AsBytes("value")), IsOk());
    EXPECT_THAT(staged.Delete("gone"), IsOk());
    EXPECT_EQ(staged.Get("new").value(), "value");
    EXPECT_EQ(staged.Get("gone").value(), std::nullopt);
    EXPECT_EQ(under.Get("new").value(), std::nullopt);
    EXPECT_EQ(under.Get("gone").value(), "old");
    EXPECT_THAT(staged.Flush(), IsOk());
    EXPECT_EQ(under.Get("new").value(), "value");
    EXPECT_EQ(under.Get("gone").value(), std::nullopt);
  });
}

TEST_F(StagedTransactionTest, ScansSeeTheStoreAndTheStagedAsOne) {
  Run([&](store::Transaction& under, StagedTransaction& staged) {
    for (const char* key : {"k/1", "k/2", "k/4", "k/6", "l/1"}) {
      EXPECT_THAT(under.Put(key, AsBytes("under")), IsOk());
    }
    EXPECT_THAT(staged.Delete("k/2"), IsOk());
    EXPECT_THAT(staged.Put("k/3", AsBytes("staged")), IsOk());
    EXPECT_THAT(staged.Put("k/4", AsBytes("staged")), IsOk());
    EXPECT_THAT(staged.Put("j/9", AsBytes("staged")), IsOk());
    EXPECT_THAT(Keys(staged, "k/", "", 10), ElementsAre("k/1", "k/3", "k/4", "k/6"));
    EXPECT_THAT(Keys(staged, "k/", "", 2), ElementsAre("k/1", "k/3"));
    EXPECT_THAT(Keys(staged, "k/", "k/3", 1), ElementsAre("k/4"));
    EXPECT_THAT(Keys(staged, "k/", "k/6", 1), IsEmpty());
    EXPECT_EQ(staged.Scan("k/4", "", 1).value()[0].value, "staged");
  });
}

TEST_F(StagedTransactionTest, AStagedEntryExpiresAsAStoredOne) {
  Run([&](store::Transaction& under, StagedTransaction& staged) {
    EXPECT_THAT(staged.PutExpiring("late", AsBytes("v"), now_), IsOk());
    EXPECT_THAT(staged.PutExpiring("live", AsBytes("v"), now_ + absl::Seconds(1)), IsOk());
    EXPECT_EQ(staged.Get("late").value(), std::nullopt);
    EXPECT_EQ(staged.Get("live").value(), "v");
    EXPECT_THAT(Keys(staged, "l", "", 10), ElementsAre("live"));
    EXPECT_THAT(staged.Flush(), IsOk());
    EXPECT_EQ(under.Get("live").value(), "v");
  });
  EXPECT_EQ(store_->RemoveExpired(now_ + absl::Seconds(1), 10).value(), 2);
}

TEST_F(StagedTransactionTest, LeavesAreNotAppendedHere) {
  Run([&](store::Transaction& under, StagedTransaction& staged) {
    EXPECT_THAT(staged.Append("log", AsBytes("leaf")), StatusIs(absl::StatusCode::kInternal));
    EXPECT_EQ(under.LogSize("log").value(), 0);
  });
}

}  // namespace
}  // namespace latchkey::audit
