#include "broker/release/policy_book.h"

#include <memory>

#include "absl/strings/str_replace.h"
#include "broker/custody/software_root.h"
#include "broker/store/memory_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "latchkey/storage/v1/records.pb.h"
#include "tests/support/manual_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/release_world.h"
#include "tests/support/seeded_random.h"

namespace latchkey::release {
namespace {

using testing::HasSubstr;

class PolicyBookTest : public testing::Test {
 protected:
  absl::StatusOr<Revision> Put(const std::string& document,
                               std::optional<uint32_t> expected = std::nullopt) {
    absl::StatusOr<Revision> revision = absl::UnknownError("not run");
    const absl::Status status =
        store_->Transact(clock_.Now(), [&](store::Transaction& transaction) {
          revision = book_->Put(transaction, "default", document, expected, "alice", clock_.Now());
          return revision.status();
        });
    if (!status.ok()) return status;
    return revision;
  }
  absl::StatusOr<std::shared_ptr<const Revision>> Newest(const std::string& name) {
    absl::StatusOr<std::shared_ptr<const Revision>> found = absl::UnknownError("not run");
    (void)store_->Read(clock_.Now(), [&](store::ReadTransaction& transaction) {
      found = book_->Newest(transaction, "default", name);
      return absl::OkStatus();
    });
    return found;
  }
  // Edits the stored row behind the book's back.
  template <typename Edit>
  void EditHead(const std::string& name, Edit edit) {
    ASSERT_THAT(store_->Transact(clock_.Now(),
                                 [&](store::Transaction& transaction) {
                                   const std::string key = "policy_head/default/" + name;
                                   storage::v1::PolicyRecord record;
                                   EXPECT_TRUE(record.ParseFromString(**transaction.Get(key)));
                                   edit(record);
                                   return transaction.Put(key, AsBytes(record.SerializeAsString()));
                                 }),
                IsOk());
  }

  ManualClock clock_;
  SeededRandom random_;
  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  std::unique_ptr<custody::Root> root_ =
      custody::MakeSoftwareRoot("root", SecretBytes::CopyOf(AsBytes(Bytes(32, '\x01'))), random_);
  std::unique_ptr<PolicyBook> book_ = std::move(PolicyBook::Create(*root_).value());
  const std::string document_ = ReleaseWorld::SnpPolicy("own", {"payments"});
};

TEST_F(PolicyBookTest, RevisionsAreNumberedAndTheNewestCounts) {
  ASSERT_THAT(Put(document_), IsOk());
  const auto second = Put(absl::StrReplaceAll(document_, {{">= 20", ">= 22"}}), 1);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->number, 2u);
  const auto newest = Newest("own");
  ASSERT_THAT(newest, IsOk());
  EXPECT_EQ((*newest)->number, 2u);
  EXPECT_EQ((*newest)->FullName(), "tenants/default/policies/own/revisions/2");
  EXPECT_EQ((*newest)->actor, "alice");
}

TEST_F(PolicyBookTest, PutOverAnUnseenRevisionIsAborted) {
  ASSERT_THAT(Put(document_), IsOk());
  EXPECT_THAT(Put(document_, 0), StatusIs(absl::StatusCode::kAborted, HasSubstr("it is 1")));
  EXPECT_THAT(Put(document_, 1), IsOk());
}

TEST_F(PolicyBookTest, DocumentThatDoesNotCheckIsRefusedWithItsPlace) {
  EXPECT_THAT(Put(absl::StrReplaceAll(document_, {{"tee.debug", "tee.debugg"}})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tee.debugg")));
  EXPECT_THAT(Newest("own"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(PolicyBookTest, EditedRowIsRefusedWhateverWasEdited) {
  ASSERT_THAT(Put(document_), IsOk());
  storage::v1::PolicyRecord good;
  EditHead("own", [&](storage::v1::PolicyRecord& record) { good = record; });
  const std::vector<std::function<void(storage::v1::PolicyRecord&)>> edits = {
      [](auto& record) {
        record.set_document(absl::StrReplaceAll(record.document(), {{">= 20", ">= 1"}}));
      },
      [](auto& record) { record.set_number(7); },
      [](auto& record) { record.set_tenant("other"); },
      [](auto& record) { record.set_actor("mallory"); },
      [](auto& record) { record.set_digest(Bytes(32, 'x')); },
      [](auto& record) { record.set_previous_digest("x"); },
      [](auto& record) { record.set_create_time_us(1); },
      [](auto& record) { record.clear_mac(); },
  };
  for (const auto& edit : edits) {
    EditHead("own", edit);
    EXPECT_THAT(Newest("own"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("MAC")));
    EditHead("own", [&](storage::v1::PolicyRecord& record) { record = good; });
    EXPECT_THAT(Newest("own"), IsOk());
  }
}

TEST_F(PolicyBookTest, RowOfAnotherPolicyUnderThisNameIsRefused) {
  ASSERT_THAT(Put(document_), IsOk());
  ASSERT_THAT(Put(ReleaseWorld::SnpPolicy("lax", {"payments"})), IsOk());
  storage::v1::PolicyRecord lax;
  EditHead("lax", [&](storage::v1::PolicyRecord& record) { lax = record; });
  EditHead("own", [&](storage::v1::PolicyRecord& record) { record = lax; });
  EXPECT_THAT(Newest("own"), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("another policy")));
  EXPECT_THAT(Newest("lax"), IsOk());
}

}  // namespace
}  // namespace latchkey::release
