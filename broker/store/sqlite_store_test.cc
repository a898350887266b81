#include "broker/store/sqlite_store.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::store {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// What only a store in a file has: durability, permissions, schema versions, other processes.
class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreTest() {
    std::string pattern = ::testing::TempDir() + "/latchkey-store-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/store.db";
  }
  ~SqliteStoreTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Store> Open() {
    auto store = OpenSqliteStore(path_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  // Runs `sql` as another process would.
  void Sql(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  static absl::Status Put(Store& store, std::string_view key, std::string_view value) {
    return store.Transact(kNow, [&](Transaction& t) { return t.Put(key, AsBytes(value)); });
  }

  static std::optional<Bytes> Get(Store& store, std::string_view key) {
    std::optional<Bytes> value;
    EXPECT_TRUE(store
                    .Read(kNow,
                          [&](ReadTransaction& t) {
                            auto got = t.Get(key);
                            if (got.ok()) value = *got;
                            return got.status();
                          })
                    .ok());
    return value;
  }

  std::string directory_;
  std::string path_;
};

TEST_F(SqliteStoreTest, WhatWasCommittedIsThereAfterReopening) {
  {
    auto store = Open();
    ASSERT_TRUE(Put(*store, "key", "value").ok());
    ASSERT_TRUE(
        store
            ->Transact(kNow,
                       [](Transaction& t) { return t.Append("log", AsBytes("leaf")).status(); })
            .ok());
  }
  auto store = Open();
  EXPECT_EQ(Get(*store, "key"), "value");
  ASSERT_TRUE(store
                  ->Transact(kNow,
                             [](Transaction& t) {
                               auto index = t.Append("log", AsBytes("next"));
                               EXPECT_EQ(*index, 1);
                               return index.status();
                             })
                  .ok());
}

TEST_F(SqliteStoreTest, WhatWasNotCommittedIsGoneWhenTheProcessDiesInTheMiddle) {
  { Put(*Open(), "before", "kept").IgnoreError(); }
  EXPECT_EXIT(
      {
        auto store = Open();
        store
            ->Transact(kNow,
                       [](Transaction& t) -> absl::Status {
                         t.Put("during", AsBytes("lost")).IgnoreError();
                         std::_Exit(7);
                       })
            .IgnoreError();
      },
      ::testing::ExitedWithCode(7), "");
  auto store = Open();
  EXPECT_EQ(Get(*store, "before"), "kept");
  EXPECT_EQ(Get(*store, "during"), std::nullopt);
}

TEST_F(SqliteStoreTest, WhatWasCommittedIsThereWhenTheProcessDiesAfterwards) {
  EXPECT_EXIT(
      {
        auto store = Open();
        std::_Exit(Put(*store, "key", "value").ok() ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(Get(*Open(), "key"), "value");
}

TEST_F(SqliteStoreTest, TheFileIsForItsOwnerAlone) {
  auto store = Open();
  ASSERT_TRUE(Put(*store, "key", "value").ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info = {};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600) << suffix;
  }
}

TEST_F(SqliteStoreTest, ANewerSchemaIsRefusedByNameAndTheSameOneOpens) {
  Open();
  Sql("PRAGMA user_version=2");
  const auto refused = OpenSqliteStore(path_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("has schema version 2"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("newer program"));
  Sql("PRAGMA user_version=1");
  EXPECT_TRUE(OpenSqliteStore(path_).ok());
}

TEST_F(SqliteStoreTest, ADatabaseOfSomethingElseIsRefusedAndLeftAlone) {
  Sql("CREATE TABLE orders(id INTEGER)");
  const auto refused = OpenSqliteStore(path_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("something else"));
  Sql("INSERT INTO orders VALUES(1)");
  Sql("DROP TABLE orders");
  EXPECT_TRUE(OpenSqliteStore(path_).ok());
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsRefused) {
  std::FILE* file = std::fopen(path_.c_str(), "w");
  for (int i = 0; i < 200; ++i) std::fputs("not a database\n", file);
  std::fclose(file);
  EXPECT_EQ(OpenSqliteStore(path_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SqliteStoreTest, APathThatNamesNoFileIsRefused) {
  for (const char* path : {"", ":memory:"}) {
    EXPECT_EQ(OpenSqliteStore(path).status().code(), absl::StatusCode::kInvalidArgument) << path;
  }
  EXPECT_EQ(OpenSqliteStore(directory_ + "/absent/store.db").status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(SqliteStoreTest, TwoStoresOnOneFileSeeEachOther) {
  auto one = Open();
  auto two = Open();
  ASSERT_TRUE(Put(*one, "key", "one").ok());
  EXPECT_EQ(Get(*two, "key"), "one");
  ASSERT_TRUE(Put(*two, "key", "two").ok());
  EXPECT_EQ(Get(*one, "key"), "two");
}

// The body ignores the failure of its second append; the first append must not survive.
TEST_F(SqliteStoreTest, AStatementFailureTheBodyIgnoresStillRollsBack) {
  auto store = Open();
  Sql("CREATE TRIGGER refuse BEFORE INSERT ON log_leaf WHEN new.idx = 1 "
      "BEGIN SELECT raise(ROLLBACK, 'no room'); END");
  const absl::Status status = store->Transact(kNow, [](Transaction& t) {
    EXPECT_TRUE(t.Append("log", AsBytes("first")).ok());
    EXPECT_FALSE(t.Append("log", AsBytes("second")).ok());
    EXPECT_FALSE(t.Put("key", AsBytes("would commit alone")).ok());
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no room"));
  EXPECT_EQ(Get(*store, "key"), std::nullopt);
  Sql("DROP TRIGGER refuse");
  ASSERT_TRUE(store
                  ->Transact(kNow,
                             [](Transaction& t) {
                               auto size = t.LogSize("log");
                               EXPECT_EQ(*size, 0);
                               return size.status();
                             })
                  .ok());
  EXPECT_TRUE(Put(*store, "key", "value").ok());
}

}  // namespace
}  // namespace latchkey::store
