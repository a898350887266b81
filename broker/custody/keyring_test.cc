#include "broker/custody/keyring.h"

#include "absl/strings/str_cat.h"
#include "broker/custody/custody_fixture.h"

namespace latchkey::custody {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using KeyringTest = CustodyTest;

TEST_F(KeyringTest, ReleasesTheDekThatTheWrapperBrought) {
  ASSERT_THAT(Create(db_), IsOk());
  const auto key = Open(db_).value();
  const SecretBytes dek = SecretBytes::CopyOf(AsBytes("0123456789abcdef"));
  const Bytes encrypted = protocol::EncryptDekForWrap(AsBytes(keyring_->wrapping_public_key()), db_,
                                                      context_, dek, random_)
                              .value();
  const auto wrapped = keyring_->WrapEncrypted(*key, context_, AsBytes(encrypted));
  ASSERT_THAT(wrapped, IsOk());
  EXPECT_EQ(wrapped->key_version, 1);
  EXPECT_THAT(Release(db_, wrapped->wrapped_dek), IsOkAndHolds("0123456789abcdef"));
  EXPECT_THAT(keyring_->WrapEncrypted(*key, {{"app", "other"}}, AsBytes(encrypted)),
              testing::Not(IsOk()))
      << "encrypted for another context";
}

TEST_F(KeyringTest, AGeneratedDekIsTheOneItsWrappedFormReleases) {
  ASSERT_THAT(Create(db_), IsOk());
  const auto key = Open(db_).value();
  for (const size_t size : {16, 24, 32, 64}) {
    auto made = keyring_->Generate(ReleaseGrantForTest::For(db_), *key, context_, size);
    ASSERT_THAT(made, IsOk());
    const Bytes dek = SealAndOpen(std::move(made->dek));
    EXPECT_EQ(dek.size(), size);
    EXPECT_THAT(Release(db_, made->wrapped_dek), IsOkAndHolds(dek));
  }
  EXPECT_THAT(keyring_->Generate(ReleaseGrantForTest::For(db_), *key, context_, 20),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(KeyringTest, AGrantForAnotherKeyTakesNothingOut) {
  ASSERT_THAT(Create(db_), IsOk());
  const auto key = Open(db_).value();
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  EXPECT_THAT(keyring_->Unwrap(ReleaseGrantForTest::For(db_), *key, AsBytes(blob), context_),
              IsOk());
  EXPECT_THAT(keyring_->Unwrap(ReleaseGrantForTest::For(other_), *key, AsBytes(blob), context_),
              StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(keyring_->Generate(ReleaseGrantForTest::For(other_), *key, context_, 32),
              StatusIs(absl::StatusCode::kInternal));
}

TEST_F(KeyringTest, ABlobOfAnotherKeyOrTenantIsRefused) {
  const protocol::KeyName same_name{"acme", "db"};
  ASSERT_THAT(Create(db_), IsOk());
  ASSERT_THAT(Create(other_), IsOk());
  ASSERT_THAT(Create(same_name), IsOk());
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  EXPECT_THAT(Release(db_, blob), IsOk());
  EXPECT_THAT(Release(other_, blob), HasReason("WRAPPED_DEK_WRONG_KEY"));
  EXPECT_THAT(Release(same_name, blob), HasReason("WRAPPED_DEK_WRONG_KEY"));
}

// Whoever renames the blob gets past the name and no further.
TEST_F(KeyringTest, ABlobRenamedToAnotherKeyOfThatNameLengthIsDenied) {
  const protocol::KeyName dc{"default", "dc"};
  ASSERT_THAT(Create(db_), IsOk());
  ASSERT_THAT(Create(dc), IsOk());
  Bytes blob = Wrap(db_).value().wrapped_dek;
  blob.replace(blob.find("db"), 2, "dc");
  EXPECT_THAT(Release(dc, blob), HasReason("WRAPPED_DEK_DENIED"));
}

TEST_F(KeyringTest, AnotherContextIsRefused) {
  ASSERT_THAT(Create(db_), IsOk());
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  EXPECT_THAT(Release(db_, blob, context_), IsOk());
  for (const protocol::Context& context :
       {protocol::Context{}, protocol::Context{{"app", "pay"}},
        protocol::Context{{"app", "pay"}, {"environment", "Prod"}},
        protocol::Context{{"app", "pay"}, {"environment", "prod"}, {"more", ""}}}) {
    EXPECT_THAT(Release(db_, blob, context), HasReason("CONTEXT_MISMATCH"));
  }
}

TEST_F(KeyringTest, ContextThatTheCharterRequiresIsDemandedOnWrapAndRelease) {
  ASSERT_THAT(Create(db_, {"prod", 0, {"environment"}}), IsOk());
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  EXPECT_THAT(Release(db_, blob), IsOk());
  const auto refused = Wrap(db_, {{"app", "pay"}});
  EXPECT_THAT(refused, HasReason("CONTEXT_MISSING"));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"environment\"")));
  const auto key = Open(db_).value();
  EXPECT_THAT(keyring_->Generate(ReleaseGrantForTest::For(db_), *key, {{"app", "pay"}}, 32),
              HasReason("CONTEXT_MISSING"));
}

TEST_F(KeyringTest, OldBlobsOpenAfterARotationAndNewOnesUseTheNewVersion) {
  ASSERT_THAT(Create(db_), IsOk());
  const WrappedDek before = Wrap(db_).value();
  const Bytes dek = Release(db_, before.wrapped_dek).value();
  const KeyInfo rotated = Rotate(db_).value();
  EXPECT_EQ(rotated.primary_version, 2);
  EXPECT_EQ(rotated.versions.size(), 2);
  EXPECT_THAT(Release(db_, before.wrapped_dek), IsOkAndHolds(dek));
  EXPECT_EQ(before.key_version, 1);
  EXPECT_EQ(Wrap(db_).value().key_version, 2);
}

TEST_F(KeyringTest, RewrapMovesADekToTheNewestVersionAndChangesNothingElse) {
  ASSERT_THAT(Create(db_), IsOk());
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  ASSERT_THAT(Rotate(db_), IsOk());
  const auto moved = keyring_->Rewrap(*Open(db_).value(), AsBytes(blob));
  ASSERT_THAT(moved, IsOk());
  EXPECT_EQ(moved->key_version, 2);
  EXPECT_EQ(Release(db_, moved->wrapped_dek).value(), Release(db_, blob).value());
  EXPECT_THAT(Release(db_, moved->wrapped_dek, {{"app", "x"}}), HasReason("CONTEXT_MISMATCH"));
}

TEST_F(KeyringTest, ABlobWhoseVersionWasRewrittenIsDenied) {
  ASSERT_THAT(Create(db_), IsOk());
  ASSERT_THAT(Rotate(db_), IsOk());
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  const size_t version = blob.find("db") + 5;  // the last byte of the u32 after the name
  ASSERT_EQ(blob[version], 2);
  Bytes changed = blob;
  changed[version] = 1;
  EXPECT_THAT(Release(db_, changed), HasReason("WRAPPED_DEK_DENIED"));
  changed[version] = 3;
  EXPECT_THAT(Release(db_, changed), HasReason("WRAPPED_DEK_WRONG_KEY"));
}

TEST_F(KeyringTest, ADisabledVersionNeitherWrapsNorUnwrapsUntilEnabledAgain) {
  ASSERT_THAT(Create(db_), IsOk());
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  ASSERT_THAT(SetState(db_, 1, VersionState::kDisabled), IsOk());
  EXPECT_THAT(Release(db_, blob), HasReason("KEY_VERSION_DISABLED"));
  EXPECT_THAT(Wrap(db_), HasReason("KEY_VERSION_DISABLED"));
  EXPECT_THAT(keyring_->Rewrap(*Open(db_).value(), AsBytes(blob)),
              HasReason("KEY_VERSION_DISABLED"));
  ASSERT_THAT(SetState(db_, 1, VersionState::kEnabled), IsOk());
  EXPECT_THAT(Release(db_, blob), IsOk());
}

TEST_F(KeyringTest, ADestroyedVersionIsGoneForGoodAndItsNeighbourStays) {
  ASSERT_THAT(Create(db_), IsOk());
  const Bytes first = Wrap(db_).value().wrapped_dek;
  ASSERT_THAT(Rotate(db_), IsOk());
  const Bytes second = Wrap(db_).value().wrapped_dek;
  EXPECT_THAT(SetState(db_, 1, VersionState::kDestroyed),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("schedule it first")));
  ASSERT_THAT(SetState(db_, 1, VersionState::kScheduledForDestruction), IsOk());
  EXPECT_THAT(Release(db_, first), HasReason("KEY_VERSION_DISABLED"));
  ASSERT_THAT(SetState(db_, 1, VersionState::kDestroyed), IsOk());
  EXPECT_THAT(SetState(db_, 1, VersionState::kEnabled), HasReason("KEY_VERSION_DISABLED"));
  EXPECT_THAT(Release(db_, first), HasReason("KEY_VERSION_DISABLED"));
  EXPECT_THAT(Release(db_, second), IsOk());
}

TEST_F(KeyringTest, AKeyIsReadAsItWasCreated) {
  const Charter charter{"prod", 3, {"environment"}};
  const KeyInfo created = Create(db_, charter, {{"team", "payments"}}).value();
  const KeyInfo info = Open(db_).value()->info();
  EXPECT_EQ(info.name, db_);
  EXPECT_EQ(info.charter.policy, "prod");
  EXPECT_EQ(info.charter.min_policy_revision, 3);
  EXPECT_THAT(info.charter.required_context, ElementsAre("environment"));
  EXPECT_THAT(info.labels, ElementsAre(testing::Pair("team", "payments")));
  EXPECT_EQ(info.create_time, created.create_time);
  EXPECT_EQ(info.root, "test");
  EXPECT_EQ(info.state_digest, created.state_digest);
  EXPECT_NE(info.state_digest, Rotate(db_).value().state_digest);
}

TEST_F(KeyringTest, WhatIsNoKeyIsRefused) {
  ASSERT_THAT(Create(db_), IsOk());
  EXPECT_THAT(Create(db_), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Open(other_), HasReason("KEY_UNKNOWN_TO_US"));
  EXPECT_THAT(Rotate(other_), HasReason("KEY_UNKNOWN_TO_US"));
  EXPECT_THAT(SetState(db_, 2, VersionState::kDisabled), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Create({"default", "No"}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Create(other_, {"prod", 0, {"a", "a"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("twice")));
}

TEST_F(KeyringTest, KeysAreListedByTenantPageByPage) {
  for (const char* name : {"a", "b", "c"}) ASSERT_THAT(Create({"default", name}), IsOk());
  ASSERT_THAT(Create({"acme", "b"}), IsOk());
  const auto names = [&](std::string_view after, size_t limit) {
    std::vector<std::string> out;
    const absl::Status status = store_->Read(now_, [&](store::ReadTransaction& transaction) {
      const auto keys = keyring_->ListKeys(transaction, "default", after, limit);
      for (const KeyInfo& key : keys.value()) out.push_back(key.name.key);
      return absl::OkStatus();
    });
    EXPECT_THAT(status, IsOk());
    return out;
  };
  EXPECT_THAT(names("", 2), ElementsAre("a", "b"));
  EXPECT_THAT(names("b", 2), ElementsAre("c"));
}

TEST_F(KeyringTest, AnotherBrokerOfTheSameRootOpensTheSameBlobs) {
  ASSERT_THAT(Create(db_), IsOk());
  const Bytes blob = Wrap(db_).value().wrapped_dek;
  const Bytes dek = Release(db_, blob).value();
  const Bytes wrapping_key = keyring_->wrapping_public_key();
  SeededRandom random("another");
  const auto root = MakeSoftwareRoot("test", RootKey(), random);
  keyring_ = MakeKeyring(*root, random).value();
  EXPECT_EQ(keyring_->wrapping_public_key(), wrapping_key);
  EXPECT_THAT(Release(db_, blob), IsOkAndHolds(dek));
}

TEST_F(KeyringTest, MoreKeysThanTheCacheHoldsStillOpen) {
  for (int i = 0; i < 2100; ++i) {
    ASSERT_THAT(Create({"default", absl::StrCat("k", i)}), IsOk());
    ASSERT_THAT(Open({"default", absl::StrCat("k", i)}), IsOk());
  }
  EXPECT_THAT(Open({"default", "k0"}), IsOk());
  EXPECT_EQ(Open({"default", "k2099"}).value(), Open({"default", "k2099"}).value());
}

}  // namespace
}  // namespace latchkey::custody
