// What the SQLite store does when the disk fails under its write-ahead log.

#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>

#include "broker/store/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// The faults in force. SQLite's VFS is a table of C functions, so they are global.
int sync_result = SQLITE_OK;
int write_result = SQLITE_OK;

sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs fault_vfs;
const sqlite3_io_methods* real_methods = nullptr;
sqlite3_io_methods fault_methods;

int FaultySync(sqlite3_file* file, int flags) {
  return sync_result != SQLITE_OK ? sync_result : real_methods->xSync(file, flags);
}

int FaultyWrite(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  return write_result != SQLITE_OK ? write_result : real_methods->xWrite(file, data, size, offset);
}

// Files of the write-ahead log get the faulty methods; all others stay as they are.
int FaultyOpen(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int result = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (result == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
    real_methods = file->pMethods;
    fault_methods = *real_methods;
    fault_methods.xSync = FaultySync;
    fault_methods.xWrite = FaultyWrite;
    file->pMethods = &fault_methods;
  }
  return result;
}

class SqliteDiskFaultTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    real_vfs = sqlite3_vfs_find(nullptr);
    fault_vfs = *real_vfs;
    fault_vfs.zName = "latchkey-fault";
    fault_vfs.xOpen = FaultyOpen;
    ASSERT_EQ(sqlite3_vfs_register(&fault_vfs, 1), SQLITE_OK);
  }

  SqliteDiskFaultTest() {
    std::string pattern = ::testing::TempDir() + "/latchkey-fault-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    Open();
    EXPECT_TRUE(Put("before").ok());
  }
  ~SqliteDiskFaultTest() override {
    Heal();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Open() {
    store_.reset();
    store_ = OpenSqliteStore(directory_ + "/store.db").value();
  }
  void Heal() {
    sync_result = SQLITE_OK;
    write_result = SQLITE_OK;
  }
  absl::Status Put(std::string_view key) {
    return store_->Transact(kNow, [&](Transaction& t) { return t.Put(key, AsBytes("value")); });
  }
  bool Has(std::string_view key) {
    bool has = false;
    const absl::Status status = store_->Read(kNow, [&](ReadTransaction& t) {
      const auto value = t.Get(key);
      has = value.ok() && value->has_value();
      return value.status();
    });
    EXPECT_TRUE(status.ok()) << status;
    return has;
  }

  std::string directory_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteDiskFaultTest, AfterAFailedSyncNothingIsWrittenUntilTheFileIsOpenedAnew) {
  sync_result = SQLITE_IOERR_FSYNC;
  const absl::Status failed = Put("during");
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(Has("during"));

  Heal();
  const absl::Status after = Put("after");
  EXPECT_EQ(after.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(after.message()), HasSubstr("then restart"));
  EXPECT_EQ(store_->RemoveExpired(kNow, 1).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Has("before")) << "reading goes on";
  EXPECT_FALSE(Has("after"));

  Open();
  EXPECT_TRUE(Put("after").ok());
  EXPECT_TRUE(Has("before"));
  EXPECT_TRUE(Has("after"));
}

TEST_F(SqliteDiskFaultTest, AFailedWriteEndsWritingToo) {
  write_result = SQLITE_IOERR_WRITE;
  EXPECT_EQ(Put("during").code(), absl::StatusCode::kUnavailable);
  Heal();
  EXPECT_EQ(Put("after").code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(Has("during"));
}

TEST_F(SqliteDiskFaultTest, AFullDiskFailsTheTransactionAndTheNextOneSucceeds) {
  write_result = SQLITE_FULL;
  const absl::Status failed = Put("during");
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(failed.message()), Not(HasSubstr("restart")));
  EXPECT_FALSE(Has("during"));
  Heal();
  EXPECT_TRUE(Put("after").ok());
  EXPECT_FALSE(Has("during"));
  EXPECT_TRUE(Has("after"));
}

}  // namespace
}  // namespace latchkey::store
