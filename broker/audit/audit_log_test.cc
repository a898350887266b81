#include "broker/audit/audit_log.h"

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "broker/custody/software_root.h"
#include "broker/store/memory_store.h"
#include "broker/store/sqlite_store.h"
#include "gtest/gtest.h"
#include "protocol/checkpoint.h"
#include "protocol/statement.h"
#include "tests/support/failpoint_plan.h"
#include "tests/support/manual_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::audit {
namespace {

using ::testing::HasSubstr;

constexpr char kDeployment[] = "test-deployment";

// Fails the commits a test chose: the body runs, and then the store loses it.
class FaultyStore final : public store::Store {
 public:
  explicit FaultyStore(std::unique_ptr<store::Store> under) : under_(std::move(under)) {}
  absl::Status Transact(absl::Time now,
                        absl::FunctionRef<absl::Status(store::Transaction&)> body) override {
    return under_->Transact(now, [&](store::Transaction& transaction) -> absl::Status {
      RETURN_IF_ERROR(body(transaction));
      return fail_ ? absl::UnavailableError("disk full") : absl::OkStatus();
    });
  }
  absl::Status Read(absl::Time now,
                    absl::FunctionRef<absl::Status(store::ReadTransaction&)> body) override {
    return under_->Read(now, body);
  }
  absl::StatusOr<size_t> RemoveExpired(absl::Time now, size_t limit) override {
    return under_->RemoveExpired(now, limit);
  }
  void set_fail(bool fail) { fail_ = fail; }
  // Puts another database in the place of this one; returns the old.
  std::unique_ptr<store::Store> Replace(std::unique_ptr<store::Store> other) {
    return std::exchange(under_, std::move(other));
  }

 private:
  std::unique_ptr<store::Store> under_;
  bool fail_ = false;
};

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    genesis_ =
        CreateTenantLog(store_, *root_, random_, kDeployment, "default", clock_.Now()).value();
    Reopen();
  }

  void Reopen() { log_ = OpenLog().value(); }
  absl::StatusOr<std::unique_ptr<AuditLog>> OpenLog(const std::vector<PinnedGenesis>& pinned = {}) {
    return OpenAuditLog(store_, *root_, clock_, failpoints_, kDeployment, pinned);
  }

  absl::StatusOr<DurableAnswer> Append(const std::string& leaf,
                                       std::string_view tenant = "default") {
    return log_->Append(tenant, [&](store::Transaction&, uint64_t) -> absl::StatusOr<Entry> {
      return Entry{leaf, "answer to " + leaf};
    });
  }

  std::vector<Bytes> Leaves(std::string_view tenant = "default") {
    return log_->Read(tenant, 0, 1 << 20).value().leaves;
  }
  std::optional<Bytes> Get(const std::string& key) {
    std::optional<Bytes> value;
    EXPECT_THAT(store_.Read(clock_.Now(),
                            [&](store::ReadTransaction& t) {
                              value = t.Get(key).value();
                              return absl::OkStatus();
                            }),
                IsOk());
    return value;
  }

  // As a client does.
  absl::Status Verify(const v1::Receipt& receipt, const std::string& leaf,
                      std::string_view tenant = "default") {
    ASSIGN_OR_RETURN(const crypto::PublicKey key, log_->PublicKey(tenant));
    ASSIGN_OR_RETURN(const protocol::Checkpoint checkpoint,
                     protocol::VerifyCheckpoint(receipt.checkpoint(),
                                                protocol::LogOrigin(kDeployment, tenant), key));
    std::vector<protocol::Hash> proof;
    for (const std::string& hash : receipt.inclusion_proof()) {
      EXPECT_EQ(hash.size(), 32);
      std::copy_n(AsBytes(hash).begin(), 32, proof.emplace_back().begin());
    }
    return protocol::VerifyInclusion(receipt.leaf_index(), checkpoint.size,
                                     protocol::LeafHash(AsBytes(leaf)), proof, checkpoint.root);
  }

  SeededRandom random_;
  ManualClock clock_;
  FailpointPlan failpoints_;
  std::unique_ptr<custody::Root> root_ = custody::MakeSoftwareRoot(
      "test", SecretBytes::CopyOf(AsBytes(std::string(32, 'r'))), random_);
  FaultyStore store_{store::NewMemoryStore()};
  GenesisResult genesis_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, AnAppendedLeafComesBackWithAReceiptThatVerifies) {
  const auto answer = Append("leaf");
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->payload(), "answer to leaf");
  EXPECT_EQ(answer->leaf_index(), 1) << "leaf 0 is the genesis";
  EXPECT_THAT(Verify(answer->receipt(), "leaf"), IsOk());
  EXPECT_THAT(Verify(answer->receipt(), "other"), testing::Not(IsOk()));
  EXPECT_EQ(Leaves()[1], "leaf");
}

TEST_F(AuditLogTest, ThreadsThatAppendAtOnceEachGetAReceiptOfTheirOwn) {
  constexpr int kThreads = 16;
  constexpr int kRounds = 40;
  ASSERT_THAT(CreateTenantLog(store_, *root_, random_, kDeployment, "acme", clock_.Now()), IsOk());
  Mutex mutex;
  std::set<std::pair<std::string, uint64_t>> seen;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string tenant = i % 3 == 0 ? "acme" : "default";
      for (int round = 0; round < kRounds; ++round) {
        const std::string leaf = absl::StrCat("leaf ", i, " ", round);
        const auto answer = Append(leaf, tenant);
        ASSERT_THAT(answer, IsOk());
        EXPECT_EQ(answer->payload(), "answer to " + leaf);
        EXPECT_THAT(Verify(answer->receipt(), leaf, tenant), IsOk());
        MutexLock lock(mutex);
        EXPECT_TRUE(seen.emplace(tenant, answer->leaf_index()).second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Leaves("acme").size() + Leaves("default").size(), 2 + kThreads * kRounds);
}

// The leader's body waits until the others queue, so that the next group is theirs together.
TEST_F(AuditLogTest, WaitingEntriesShareOneCommitAndOneSignature) {
  constexpr int kFollowers = 8;
  std::atomic<int> started = 0;
  std::vector<std::thread> threads;
  const auto leader =
      log_->Append("default", [&](store::Transaction&, uint64_t) -> absl::StatusOr<Entry> {
        for (int i = 0; i < kFollowers; ++i) {
          threads.emplace_back([&, i] {
            ++started;
            EXPECT_THAT(Append(absl::StrCat("follower ", i)), IsOk());
          });
        }
        while (started < kFollowers) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return Entry{"leader", ""};
      });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(leader, IsOk());
  EXPECT_EQ(Leaves().size(), 2 + kFollowers);
  EXPECT_LT(failpoints_.reached("audit.before_commit"), 1 + kFollowers);
}

TEST_F(AuditLogTest, ARefusedBodyLeavesNothingAndItsNeighboursGoOn) {
  std::vector<std::thread> threads;
  const auto append = [&](int i) {
    return log_->Append("default", [i](store::Transaction& t, uint64_t) -> absl::StatusOr<Entry> {
      RETURN_IF_ERROR(t.Put(absl::StrCat("mark/", i), AsBytes("set")));
      if (i % 2 == 1) return absl::AbortedError(absl::StrCat("no ", i));
      return Entry{absl::StrCat("leaf ", i), ""};
    });
  };
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&, i] {
      const auto answer = append(i);
      if (i % 2 == 1) {
        EXPECT_EQ(answer.status(), absl::AbortedError(absl::StrCat("no ", i)));
      } else {
        EXPECT_THAT(answer, IsOk());
        EXPECT_THAT(Verify(answer->receipt(), absl::StrCat("leaf ", i)), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Leaves().size(), 1 + 10);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Get(absl::StrCat("mark/", i)).has_value(), i % 2 == 0) << i;
  }
}

TEST_F(AuditLogTest, TheBodyIsToldTheIndexItsLeafGets) {
  uint64_t told = 0;
  const auto answer =
      log_->Append("default", [&](store::Transaction&, uint64_t index) -> absl::StatusOr<Entry> {
        told = index;
        return Entry{"leaf", ""};
      });
  EXPECT_EQ(told, answer->leaf_index());
}

TEST_F(AuditLogTest, AFailedCommitAppendsNothingAndTheNextOneGoesOn) {
  ASSERT_THAT(Append("before"), IsOk());
  store_.set_fail(true);
  EXPECT_THAT(Append("lost"), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("disk full")));
  store_.set_fail(false);
  failpoints_.FailAt("audit.before_commit");
  EXPECT_THAT(Append("lost too"), StatusIs(absl::StatusCode::kUnavailable));
  const auto answer = Append("after");
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->leaf_index(), 2);
  EXPECT_THAT(Verify(answer->receipt(), "after"), IsOk());
  EXPECT_EQ(Leaves().size(), 3);
}

// The process might as well have died there: what is committed stays, what was not answered can be
// asked for.
TEST_F(AuditLogTest, ACommittedLeafWhoseAnswerWasLostIsProvedLater) {
  for (const char* step : {"audit.after_commit", "audit.before_sign"}) {
    const uint64_t index = Leaves().size();
    failpoints_.FailAt(step);
    EXPECT_THAT(Append(step), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("ask again")));
    EXPECT_EQ(Leaves().size(), index + 1);
    const auto again = log_->Again("default", index, "kept answer");
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->payload(), "kept answer");
    EXPECT_THAT(Verify(again->receipt(), step), IsOk());
    EXPECT_THAT(Verify(Append("next")->receipt(), "next"), IsOk());
  }
}

TEST_F(AuditLogTest, EveryLeafIsProvedAfterwardsAndAfterReopening) {
  for (int i = 1; i < 300; ++i) ASSERT_THAT(Append(absl::StrCat("leaf ", i)), IsOk());
  for (int open = 0; open < 2; ++open) {
    for (int i = 1; i < 300; ++i) {
      const auto receipt = log_->Prove("default", i);
      ASSERT_THAT(receipt, IsOk());
      ASSERT_THAT(Verify(*receipt, absl::StrCat("leaf ", i)), IsOk()) << i;
    }
    Reopen();
  }
  EXPECT_THAT(log_->Prove("default", 300), StatusIs(absl::StatusCode::kOutOfRange));
  const auto next = Append("leaf 300");
  ASSERT_THAT(next, IsOk());
  EXPECT_EQ(next->leaf_index(), 300);
  EXPECT_THAT(Verify(next->receipt(), "leaf 300"), IsOk());
}

TEST_F(AuditLogTest, TwoReplicasOnOneStoreGrowOneTree) {
  std::unique_ptr<AuditLog> replica = OpenLog().value();
  for (int i = 1; i < 50; ++i) {
    std::swap(replica, log_);
    const auto answer = Append(absl::StrCat("leaf ", i));
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->leaf_index(), i);
    EXPECT_THAT(Verify(answer->receipt(), absl::StrCat("leaf ", i)), IsOk());
  }
  EXPECT_EQ(log_->Checkpoint("default").value(), replica->Checkpoint("default").value());
}

TEST_F(AuditLogTest, LeavesAreReadInPages) {
  for (int i = 1; i < 10; ++i) ASSERT_THAT(Append(absl::StrCat("leaf ", i)), IsOk());
  const auto page = log_->Read("default", 8, 5);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->size, 10);
  EXPECT_THAT(page->leaves, testing::ElementsAre("leaf 8", "leaf 9"));
}

TEST_F(AuditLogTest, ATenantWithoutALogIsNotFoundAndADoubleOneRefused) {
  EXPECT_THAT(Append("leaf", "nobody"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(log_->Checkpoint("nobody"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(CreateTenantLog(store_, *root_, random_, kDeployment, "default", clock_.Now()),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Append("leaf"), IsOk());
}

TEST_F(AuditLogTest, APinnedGenesisMustBeLeafZero) {
  const Bytes digest = ToBytes(genesis_.genesis_digest);
  EXPECT_THAT(OpenLog({{"default", digest}}), IsOk());
  Bytes other = digest;
  other[0] ^= 1;
  EXPECT_THAT(OpenLog({{"default", other}}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another log")));
  EXPECT_THAT(OpenLog({{"acme", digest}}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(AuditLogTest, ALogKeyMovedToAnotherTenantDoesNotOpen) {
  ASSERT_THAT(CreateTenantLog(store_, *root_, random_, kDeployment, "acme", clock_.Now()), IsOk());
  const Bytes key = Get("log_key/default").value();
  EXPECT_THAT(
      store_.Transact(clock_.Now(),
                      [&](store::Transaction& t) { return t.Put("log_key/acme", AsBytes(key)); }),
      IsOk());
  EXPECT_THAT(log_->Checkpoint("acme"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(log_->Checkpoint("default"), IsOk());
}

TEST_F(AuditLogTest, AnOlderDatabasePutInPlaceOfARunningOneIsNoticed) {
  auto older = store::NewMemoryStore();
  EXPECT_THAT(older->Transact(
                  clock_.Now(),
                  [&](store::Transaction& t) {
                    EXPECT_THAT(t.Put("log_key/default", AsBytes(*Get("log_key/default"))), IsOk());
                    return t.Append("default", AsBytes(Leaves()[0])).status();
                  }),
              IsOk());
  ASSERT_THAT(Append("leaf"), IsOk());
  auto newest = store_.Replace(std::move(older));
  EXPECT_THAT(Append("leaf"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("older database")));
  EXPECT_THAT(log_->Checkpoint("default"), StatusIs(absl::StatusCode::kDataLoss));
  store_.Replace(std::move(newest));
  EXPECT_THAT(Append("leaf"), IsOk());
}

TEST_F(AuditLogTest, EveryActAdvancesTheEpochOfItsTenantAlone) {
  EXPECT_THAT(store_.Transact(clock_.Now(),
                              [&](store::Transaction& t) {
                                EXPECT_THAT(ReadEpoch(t, "default"), IsOkAndHolds(0));
                                EXPECT_THAT(AdvanceEpoch(t, "default"), IsOkAndHolds(1));
                                EXPECT_THAT(AdvanceEpoch(t, "default"), IsOkAndHolds(2));
                                EXPECT_THAT(ReadEpoch(t, "default"), IsOkAndHolds(2));
                                EXPECT_THAT(ReadEpoch(t, "acme"), IsOkAndHolds(0));
                                return absl::OkStatus();
                              }),
              IsOk());
}

class VerifyLeavesTest : public AuditLogTest {
 protected:
  VerifyLeavesTest() {
    for (int i = 1; i < 20; ++i) EXPECT_THAT(Append(absl::StrCat("leaf ", i)), IsOk());
    leaves_ = Leaves();
    checkpoint_ = log_->Checkpoint("default").value();
  }
  absl::Status Check() {
    return VerifyLeaves(leaves_, checkpoint_, protocol::LogOrigin(kDeployment, "default"),
                        log_->PublicKey("default").value(), genesis_.genesis_digest);
  }

  std::vector<Bytes> leaves_;
  std::string checkpoint_;
};

TEST_F(VerifyLeavesTest, TheLogAsItIsVerifiesAtEverySize) {
  EXPECT_THAT(Check(), IsOk());
  for (int i = 20; i < 40; ++i) {
    ASSERT_THAT(Append("more"), IsOk());
    leaves_ = Leaves();
    checkpoint_ = log_->Checkpoint("default").value();
    EXPECT_THAT(Check(), IsOk()) << i;
  }
}

TEST_F(VerifyLeavesTest, ARemovedLeafIsNoticed) {
  for (size_t i = 1; i < leaves_.size(); ++i) {
    const Bytes leaf = leaves_[i];
    leaves_.erase(leaves_.begin() + i);
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("removed"))) << i;
    leaves_.insert(leaves_.begin() + i, leaf);
  }
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(VerifyLeavesTest, AChangedLeafIsNoticed) {
  for (Bytes& leaf : leaves_) {
    leaf.back() ^= 1;
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss));
    leaf.back() ^= 1;
  }
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(VerifyLeavesTest, ReorderedLeavesAreNoticed) {
  for (size_t i = 1; i < leaves_.size(); ++i) {
    std::swap(leaves_[i - 1], leaves_[i]);
    EXPECT_THAT(Check(), StatusIs(absl::StatusCode::kDataLoss)) << i;
    std::swap(leaves_[i - 1], leaves_[i]);
  }
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(VerifyLeavesTest, AnotherCheckpointKeyOriginOrGenesisIsRefused) {
  const auto key = log_->PublicKey("default").value();
  const std::string origin = protocol::LogOrigin(kDeployment, "default");
  const auto other = crypto::PrivateKey::GenerateEd25519(random_);
  const protocol::Checkpoint forged{origin, leaves_.size(), protocol::EmptyRoot()};
  EXPECT_THAT(
      VerifyLeaves(leaves_, checkpoint_, origin, other.public_key(), genesis_.genesis_digest),
      testing::Not(IsOk()));
  EXPECT_THAT(VerifyLeaves(leaves_, checkpoint_, protocol::LogOrigin(kDeployment, "acme"), key,
                           genesis_.genesis_digest),
              testing::Not(IsOk()));
  EXPECT_THAT(VerifyLeaves(leaves_, protocol::SignCheckpoint(forged, other), origin, key,
                           genesis_.genesis_digest),
              testing::Not(IsOk()));
  EXPECT_THAT(VerifyLeaves(leaves_, checkpoint_, origin, key, protocol::EmptyRoot()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("pinned")));
  EXPECT_THAT(Check(), IsOk());
}

TEST(AuditLogOnDiskTest, ALogOnDiskGoesOnAfterAReopening) {
  std::string directory = ::testing::TempDir() + "/latchkey-audit-XXXXXX";
  directory = mkdtemp(directory.data());
  SeededRandom random;
  ManualClock clock;
  NoFailpoints failpoints;
  const auto root =
      custody::MakeSoftwareRoot("test", SecretBytes::CopyOf(AsBytes(std::string(32, 'r'))), random);
  const auto store = store::OpenSqliteStore(directory + "/store.db").value();
  const auto genesis =
      CreateTenantLog(*store, *root, random, kDeployment, "default", clock.Now()).value();
  for (uint64_t round = 0; round < 4; ++round) {
    const auto log = OpenAuditLog(*store, *root, clock, failpoints, kDeployment,
                                  {{"default", ToBytes(genesis.genesis_digest)}});
    ASSERT_THAT(log, IsOk());
    for (uint64_t i = 0; i < 5; ++i) {
      const auto answer =
          (*log)->Append("default", [](store::Transaction&, uint64_t) -> absl::StatusOr<Entry> {
            return Entry{"leaf", ""};
          });
      ASSERT_THAT(answer, IsOk());
      EXPECT_EQ(answer->leaf_index(), 1 + 5 * round + i);
    }
    EXPECT_THAT(
        VerifyLeaves((*log)->Read("default", 0, 100)->leaves, (*log)->Checkpoint("default").value(),
                     protocol::LogOrigin(kDeployment, "default"),
                     (*log)->PublicKey("default").value(), genesis.genesis_digest),
        IsOk());
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace latchkey::audit
