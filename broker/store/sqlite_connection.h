#pragma once

// One connection to the database file, its settings, its schema and its prepared statements. Inner
// to store/.

#include <sqlite3.h>

#include <array>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace latchkey::store {

enum class Query {
  kBeginRead,
  kBeginWrite,
  kCommit,
  kRollback,
  kGet,
  kScan,
  kPut,
  kDelete,
  kRemoveExpired,
  kLogSize,
  kReadLog,
  kAppend,
  kCount,
};

// `Execution` runs one prepared statement once and resets it at its end. Parameters count from 1,
// columns from 0. What is bound is borrowed: it must outlive the Execution.
class Execution {
 public:
  Execution(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  ~Execution() { sqlite3_reset(statement_); }
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  void BindBlob(int index, ByteView bytes);
  void BindText(int index, std::string_view text);
  void BindInt(int index, int64_t value);
  void BindNull(int index);

  // True when there is a row to look at; Unavailable with SQLite's own words when the statement
  // failed.
  absl::StatusOr<bool> Step();

  ByteView Blob(int column) const;
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_;
  int bind_error_ = SQLITE_OK;
};

// Used by one thread at a time.
class SqliteConnection {
 public:
  enum class Access { kWrite, kRead };

  // `Open` with kWrite creates the file (mode 0600) and the schema when they are missing.
  // FailedPrecondition when the file was written by a newer version of the schema or is no database
  // of ours; Unavailable when it cannot be opened.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path,
                                                                Access access);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Execution Start(Query query) { return {db_, statements_[static_cast<size_t>(query)]}; }
  // Runs a query without parameters and rows.
  absl::Status Run(Query query);

  int changes() const { return sqlite3_changes(db_); }
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  // True when the last failure says that the file or the disk under it can no longer be trusted
  // (SQLITE_IOERR, which a failed fsync is too, CORRUPT, NOTADB).
  bool failed_for_good() const;

 private:
  SqliteConnection() = default;
  void Distrust();
  absl::Status EnsureSchema(const std::string& path);
  absl::Status MakeDurable();
  absl::Status Prepare();
  absl::Status Exec(const char* sql);
  absl::StatusOr<std::string> QueryText(const char* sql);

  sqlite3* db_ = nullptr;
  std::array<sqlite3_stmt*, static_cast<size_t>(Query::kCount)> statements_ = {};
};

}  // namespace latchkey::store
