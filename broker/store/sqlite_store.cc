#include "broker/store/sqlite_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "broker/store/sqlite_connection.h"

namespace latchkey::store {
namespace {

constexpr size_t kMaxIdleReaders = 8;

int64_t ClampToInt64(uint64_t value) {
  return static_cast<int64_t>(std::min<uint64_t>(value, std::numeric_limits<int64_t>::max()));
}

// SQLite may roll a transaction back on its own when a statement fails; what ran after that would
// commit statement by statement. So the first failure is kept, and every later call returns it.
class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(SqliteConnection& connection, absl::Time now)
      : connection_(connection), now_us_(absl::ToUnixMicros(now)) {}

  absl::StatusOr<std::optional<Bytes>> Get(std::string_view key) override {
    RETURN_IF_ERROR(failure_);
    Execution get = connection_.Start(Query::kGet);
    get.BindBlob(1, AsBytes(key));
    get.BindInt(2, now_us_);
    ASSIGN_OR_RETURN(const bool found, Step(get));
    if (!found) return std::nullopt;
    return ToBytes(get.Blob(0));
  }

  absl::StatusOr<std::vector<Entry>> Scan(std::string_view prefix, std::string_view after,
                                          size_t limit) override {
    RETURN_IF_ERROR(failure_);
    // The first key that sorts after `after` is `after` and a zero byte.
    const std::string from = std::max(std::string(prefix), std::string(after) + '\0');
    std::vector<Entry> entries;
    Execution scan = connection_.Start(Query::kScan);
    scan.BindBlob(1, AsBytes(from));
    while (entries.size() < limit) {
      ASSIGN_OR_RETURN(const bool found, Step(scan));
      if (!found || !AsText(scan.Blob(0)).starts_with(prefix)) break;
      if (!scan.IsNull(2) && scan.Int(2) <= now_us_) continue;
      entries.push_back({ToBytes(scan.Blob(0)), ToBytes(scan.Blob(1))});
    }
    return entries;
  }

  absl::StatusOr<uint64_t> LogSize(std::string_view log) override {
    RETURN_IF_ERROR(failure_);
    Execution size = connection_.Start(Query::kLogSize);
    size.BindText(1, log);
    RETURN_IF_ERROR(Step(size).status());
    return size.IsNull(0) ? 0 : static_cast<uint64_t>(size.Int(0)) + 1;
  }

  absl::StatusOr<std::vector<Bytes>> ReadLog(std::string_view log, uint64_t first,
                                             size_t count) override {
    RETURN_IF_ERROR(failure_);
    std::vector<Bytes> leaves;
    Execution read = connection_.Start(Query::kReadLog);
    read.BindText(1, log);
    read.BindInt(2, ClampToInt64(first));
    read.BindInt(3, ClampToInt64(count));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, Step(read));
      if (!found) return leaves;
      leaves.push_back(ToBytes(read.Blob(0)));
    }
  }

  absl::Status Put(std::string_view key, ByteView value) override {
    return Put(key, value, std::nullopt);
  }

  absl::Status PutExpiring(std::string_view key, ByteView value, absl::Time expires_at) override {
    return Put(key, value, absl::ToUnixMicros(expires_at));
  }

  absl::Status Delete(std::string_view key) override {
    RETURN_IF_ERROR(EnsureUsable(key));
    Execution erase = connection_.Start(Query::kDelete);
    erase.BindBlob(1, AsBytes(key));
    return Step(erase).status();
  }

  absl::StatusOr<uint64_t> Append(std::string_view log, ByteView leaf) override {
    ASSIGN_OR_RETURN(const uint64_t index, LogSize(log));
    Execution append = connection_.Start(Query::kAppend);
    append.BindText(1, log);
    append.BindInt(2, ClampToInt64(index));
    append.BindBlob(3, leaf);
    RETURN_IF_ERROR(Step(append).status());
    return index;
  }

  const absl::Status& failure() const { return failure_; }

 private:
  absl::Status Put(std::string_view key, ByteView value, std::optional<int64_t> expires_us) {
    RETURN_IF_ERROR(EnsureUsable(key));
    Execution put = connection_.Start(Query::kPut);
    put.BindBlob(1, AsBytes(key));
    put.BindBlob(2, value);
    if (expires_us) {
      put.BindInt(3, *expires_us);
    } else {
      put.BindNull(3);
    }
    return Step(put).status();
  }

  absl::Status EnsureUsable(std::string_view key) const {
    if (key.empty()) return absl::InvalidArgumentError("store: an empty key; give it a name");
    return failure_;
  }

  absl::StatusOr<bool> Step(Execution& execution) {
    absl::StatusOr<bool> row = execution.Step();
    if (!row.ok()) failure_ = row.status();
    return row;
  }

  SqliteConnection& connection_;
  const int64_t now_us_;
  absl::Status failure_;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<SqliteConnection> writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  absl::Status Transact(absl::Time now,
                        absl::FunctionRef<absl::Status(Transaction&)> body) override {
    MutexLock lock(write_mutex_);
    RETURN_IF_ERROR(Begin());
    SqliteTransaction transaction(*writer_, now);
    const absl::Status status = body(transaction);
    // The failure of a statement counts even when the body went on without a word.
    if (!transaction.failure().ok()) return Abandon(transaction.failure());
    if (!status.ok()) return Abandon(status);
    return Commit();
  }

  absl::Status Read(absl::Time now,
                    absl::FunctionRef<absl::Status(ReadTransaction&)> body) override {
    ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> reader, TakeReader());
    RETURN_IF_ERROR(reader->Run(Query::kBeginRead));
    SqliteTransaction transaction(*reader, now);
    const absl::Status status = body(transaction);
    if (!transaction.failure().ok()) return transaction.failure();  // the connection goes with it
    RETURN_IF_ERROR(reader->Run(Query::kCommit));
    GiveBack(std::move(reader));
    return status;
  }

  absl::StatusOr<size_t> RemoveExpired(absl::Time now, size_t limit) override {
    MutexLock lock(write_mutex_);
    RETURN_IF_ERROR(Begin());
    if (absl::Status status = DeleteExpired(absl::ToUnixMicros(now), limit); !status.ok()) {
      return Abandon(status);
    }
    const size_t removed = writer_->changes();
    RETURN_IF_ERROR(Commit());
    return removed;
  }

 private:
  absl::Status Begin() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    RETURN_IF_ERROR(broken_);
    const absl::Status status = writer_->Run(Query::kBeginWrite);
    if (!status.ok()) NoteFailure(status);
    return status;
  }

  absl::Status Commit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    const absl::Status status = writer_->Run(Query::kCommit);
    return status.ok() ? status : Abandon(status);
  }

  // Rolls back and returns `cause`.
  absl::Status Abandon(const absl::Status& cause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    NoteFailure(cause);
    if (!writer_->in_transaction()) return cause;
    if (absl::Status status = writer_->Run(Query::kRollback); !status.ok()) broken_ = status;
    return cause;
  }

  // After a failed fsync the kernel may hold pages as clean that never reached the disk: trying
  // again could report a success that is none.
  void NoteFailure(const absl::Status& cause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    if (!writer_->failed_for_good()) return;
    broken_ = absl::UnavailableError(
        absl::StrCat(cause.message(), "; the store takes no more writes: check the disk under ",
                     path_, ", then restart"));
  }

  absl::Status DeleteExpired(int64_t now_us, size_t limit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_) {
    Execution remove = writer_->Start(Query::kRemoveExpired);
    remove.BindInt(1, now_us);
    remove.BindInt(2, ClampToInt64(limit));
    return remove.Step().status();
  }

  absl::StatusOr<std::unique_ptr<SqliteConnection>> TakeReader() {
    {
      MutexLock lock(readers_mutex_);
      if (!idle_readers_.empty()) {
        std::unique_ptr<SqliteConnection> reader = std::move(idle_readers_.back());
        idle_readers_.pop_back();
        return reader;
      }
    }
    return SqliteConnection::Open(path_, SqliteConnection::Access::kRead);
  }

  void GiveBack(std::unique_ptr<SqliteConnection> reader) {
    MutexLock lock(readers_mutex_);
    if (idle_readers_.size() < kMaxIdleReaders) idle_readers_.push_back(std::move(reader));
  }

  const std::string path_;
  Mutex write_mutex_;
  const std::unique_ptr<SqliteConnection> writer_ ABSL_PT_GUARDED_BY(write_mutex_);
  absl::Status broken_ ABSL_GUARDED_BY(write_mutex_);
  Mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_readers_ ABSL_GUARDED_BY(readers_mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path) {
  // SQLite reads "" and ":memory:" as databases without a file.
  if (path.empty() || path.front() == ':') {
    return absl::InvalidArgumentError(
        absl::StrCat("store: \"", path, "\" names no file; give the path of the database"));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> writer,
                   SqliteConnection::Open(path, SqliteConnection::Access::kWrite));
  return std::make_unique<SqliteStore>(path, std::move(writer));
}

}  // namespace latchkey::store
