// What someone who can write to the database gains by it: nothing but a frozen key.

#include "broker/custody/custody_fixture.h"
#include "broker/custody/key_record.h"
#include "latchkey/storage/v1/records.pb.h"

namespace latchkey::custody {
namespace {

using storage::v1::CharterRecord;
using storage::v1::KeyRecord;

class RecordTamperingTest : public CustodyTest {
 protected:
  RecordTamperingTest() {
    EXPECT_THAT(Create(db_, {"prod", 2, {"environment"}}, {{"team", "payments"}}), IsOk());
    EXPECT_THAT(Rotate(db_), IsOk());
    EXPECT_THAT(SetState(db_, 1, VersionState::kDisabled), IsOk());
    EXPECT_THAT(Create(other_), IsOk());
    EXPECT_THAT(Open(db_), IsOk());
    record_ = Stored(db_);
  }

  Bytes Stored(const protocol::KeyName& name) {
    return Write<Bytes>([&](store::Transaction& transaction) -> absl::StatusOr<Bytes> {
             return transaction.Get(KeyPath(name)).value().value();
           })
        .value();
  }
  void Store(const protocol::KeyName& name, const Bytes& record) {
    EXPECT_THAT(store_->Transact(now_,
                                 [&](store::Transaction& transaction) {
                                   return transaction.Put(KeyPath(name), AsBytes(record));
                                 }),
                IsOk());
  }
  void Edit(const std::function<void(KeyRecord&)>& edit) {
    KeyRecord record;
    ASSERT_TRUE(record.ParseFromString(record_));
    edit(record);
    Store(db_, record.SerializeAsString());
  }
  void EditCharter(const std::function<void(CharterRecord&)>& edit) {
    Edit([&](KeyRecord& record) {
      CharterRecord charter;
      ASSERT_TRUE(charter.ParseFromString(record.charter()));
      edit(charter);
      record.set_charter(charter.SerializeAsString());
    });
  }
  void ExpectOnlyDbIsFrozen() {
    const auto key = Open(db_);
    EXPECT_THAT(key, HasReason("KEY_FROZEN"));
    EXPECT_THAT(key.status().message(), testing::HasSubstr("tenants/default/keys/db"));
    EXPECT_THAT(Rotate(db_), HasReason("KEY_FROZEN"));
    EXPECT_THAT(SetState(db_, 1, VersionState::kEnabled), HasReason("KEY_FROZEN"));
    EXPECT_THAT(Open(other_), IsOk());
    Store(db_, record_);
    EXPECT_THAT(Open(db_), IsOk()) << "the restored record opens";
  }

  Bytes record_;
};

TEST_F(RecordTamperingTest, ACharterThatWasEditedFreezesTheKey) {
  EditCharter([](CharterRecord& c) { c.set_policy("lax"); });
  ExpectOnlyDbIsFrozen();
  EditCharter([](CharterRecord& c) { c.set_min_policy_revision(1); });
  ExpectOnlyDbIsFrozen();
  EditCharter([](CharterRecord& c) { c.clear_required_context(); });
  ExpectOnlyDbIsFrozen();
}

TEST_F(RecordTamperingTest, AVersionThatWasEditedFreezesTheKey) {
  Edit([](KeyRecord& r) { r.mutable_versions(0)->set_state(1); });  // enabled again
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.mutable_versions(1)->set_state(2); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.mutable_versions(0)->set_number(7); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.mutable_versions(0)->set_create_time_us(1); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) {
    r.mutable_versions(0)->set_wrapped_material(r.versions(1).wrapped_material());
  });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.mutable_versions()->SwapElements(0, 1); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.mutable_versions()->RemoveLast(); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.clear_versions(); });
  ExpectOnlyDbIsFrozen();
}

TEST_F(RecordTamperingTest, AnyOtherFieldThatWasEditedFreezesTheKey) {
  Edit([](KeyRecord& r) { r.set_primary_version(1); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { (*r.mutable_labels())["team"] = "sales"; });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { (*r.mutable_labels())["more"] = ""; });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.set_create_time_us(1); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.set_root("hsm"); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.set_tenant("acme"); });
  ExpectOnlyDbIsFrozen();
  Edit([](KeyRecord& r) { r.set_name("other"); });
  ExpectOnlyDbIsFrozen();
}

TEST_F(RecordTamperingTest, ARowMovedToAnotherNameOrTenantFreezesThatKey) {
  Store(db_, Stored(other_));
  ExpectOnlyDbIsFrozen();
  // Also when its name is corrected to fit.
  KeyRecord moved;
  ASSERT_TRUE(moved.ParseFromString(Stored(other_)));
  moved.set_name("db");
  Store(db_, moved.SerializeAsString());
  ExpectOnlyDbIsFrozen();
}

TEST_F(RecordTamperingTest, ARowOfAllDestroyedVersionsWithALaxCharterIsNotRotated) {
  for (const uint32_t version : {1, 2}) {
    ASSERT_THAT(SetState(db_, version, VersionState::kScheduledForDestruction), IsOk());
    ASSERT_THAT(SetState(db_, version, VersionState::kDestroyed), IsOk());
  }
  record_ = Stored(db_);
  EditCharter([](CharterRecord& c) { c.set_policy("lax"); });
  ExpectOnlyDbIsFrozen();
  EXPECT_THAT(Rotate(db_), IsOk()) << "the key as it was";
}

TEST_F(RecordTamperingTest, EveryFlippedBitOfTheRowFreezesTheKey) {
  for (size_t bit = 0; bit < 8 * record_.size(); ++bit) {
    Bytes wounded = record_;
    wounded[bit / 8] ^= static_cast<char>(1 << bit % 8);
    Store(db_, wounded);
    EXPECT_THAT(Open(db_), HasReason("KEY_FROZEN")) << "bit " << bit;
  }
  Store(db_, record_);
  EXPECT_THAT(Open(db_), IsOk());
}

TEST_F(RecordTamperingTest, AFrozenKeyIsListedByNameAloneBesideTheOthers) {
  EditCharter([](CharterRecord& c) { c.set_policy("lax"); });
  const absl::Status status =
      store_->Read(now_, [&](store::ReadTransaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const auto keys, keyring_->ListKeys(transaction, "default", "", 10));
        EXPECT_EQ(keys.size(), 2);
        EXPECT_EQ(keys[0].name, db_);
        EXPECT_TRUE(keys[0].versions.empty());
        EXPECT_EQ(keys[0].charter.policy, "");
        EXPECT_EQ(keys[1].versions.size(), 1);
        return absl::OkStatus();
      });
  EXPECT_THAT(status, IsOk());
}

}  // namespace
}  // namespace latchkey::custody
