#include "broker/store/sqlite_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace latchkey::store {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kBusyTimeoutMs = 5000;

// WITHOUT ROWID: a row lies in the tree of its primary key, so a lookup walks one tree, and the
// last index of a log is the rightmost entry under its name.
constexpr char kSchema[] = R"(
CREATE TABLE record(
  key BLOB PRIMARY KEY,
  value BLOB NOT NULL,
  expires_us INTEGER
) WITHOUT ROWID, STRICT;
CREATE INDEX record_expires ON record(expires_us) WHERE expires_us IS NOT NULL;
CREATE TABLE log_leaf(
  log TEXT,
  idx INTEGER,
  leaf BLOB NOT NULL,
  PRIMARY KEY(log, idx)
) WITHOUT ROWID, STRICT;
)";

const char* Sql(Query query) {
  switch (query) {
    case Query::kBeginRead:
      return "BEGIN";
    case Query::kBeginWrite:
      return "BEGIN IMMEDIATE";
    case Query::kCommit:
      return "COMMIT";
    case Query::kRollback:
      return "ROLLBACK";
    case Query::kGet:
      return "SELECT value FROM record WHERE key = ?1 AND (expires_us IS NULL OR expires_us > ?2)";
    case Query::kScan:
      return "SELECT key, value, expires_us FROM record WHERE key >= ?1 ORDER BY key";
    case Query::kPut:
      return "INSERT OR REPLACE INTO record(key, value, expires_us) VALUES(?1, ?2, ?3)";
    case Query::kDelete:
      return "DELETE FROM record WHERE key = ?1";
    case Query::kRemoveExpired:
      return "DELETE FROM record WHERE key IN (SELECT key FROM record WHERE expires_us <= ?1 "
             "ORDER BY expires_us LIMIT ?2)";
    case Query::kLogSize:
      return "SELECT max(idx) FROM log_leaf WHERE log = ?1";
    case Query::kReadLog:
      return "SELECT leaf FROM log_leaf WHERE log = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3";
    case Query::kAppend:
      return "INSERT INTO log_leaf(log, idx, leaf) VALUES(?1, ?2, ?3)";
    case Query::kCount:
      break;
  }
  return "";
}

absl::Status SqliteError(sqlite3* db, const std::string& what) {
  return absl::UnavailableError(absl::StrCat("store: ", what, ": ", sqlite3_errmsg(db),
                                             " (SQLite code ", sqlite3_extended_errcode(db), ")"));
}

// SQLite would create the file by the umask. Its -wal and -shm files take the mode of the file.
absl::Status CreatePrivately(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
    return absl::OkStatus();
  }
  if (errno == EEXIST) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("store: cannot create ", path, ": ", std::strerror(errno)));
}

// SQLite takes a null pointer for NULL, which is not an empty blob or text.
const void* NotNull(const void* data) { return data != nullptr ? data : ""; }

}  // namespace

void Execution::BindBlob(int index, ByteView bytes) {
  bind_error_ |=
      sqlite3_bind_blob64(statement_, index, NotNull(bytes.data()), bytes.size(), SQLITE_STATIC);
}

void Execution::BindText(int index, std::string_view text) {
  bind_error_ |=
      sqlite3_bind_text64(statement_, index, static_cast<const char*>(NotNull(text.data())),
                          text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Execution::BindInt(int index, int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_, index, value);
}

void Execution::BindNull(int index) { bind_error_ |= sqlite3_bind_null(statement_, index); }

absl::StatusOr<bool> Execution::Step() {
  // A value past SQLite's limit (1 GB) is the one bind that fails.
  if (bind_error_ != SQLITE_OK) return SqliteError(db_, "cannot bind a value");
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return SqliteError(db_, sqlite3_sql(statement_));
}

ByteView Execution::Blob(int column) const {
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_, column));
  return {data, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                         Access access) {
  if (access == Access::kWrite) RETURN_IF_ERROR(CreatePrivately(path));
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection());
  // NOMUTEX: a connection is used by one thread at a time, so SQLite need not lock it again.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &connection->db_, flags, nullptr) != SQLITE_OK) {
    return SqliteError(connection->db_, absl::StrCat("cannot open ", path));
  }
  sqlite3_busy_timeout(connection->db_, kBusyTimeoutMs);
  connection->Distrust();
  if (access == Access::kWrite) {
    RETURN_IF_ERROR(connection->EnsureSchema(path));
    RETURN_IF_ERROR(connection->MakeDurable());
  } else {
    RETURN_IF_ERROR(connection->Exec("PRAGMA query_only=ON"));
  }
  RETURN_IF_ERROR(connection->Prepare());
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void SqliteConnection::Distrust() {
  // The file is data, never code: no functions from its schema, no writes to the schema table or
  // shadow tables.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
}

absl::Status SqliteConnection::MakeDurable() {
  ASSIGN_OR_RETURN(const std::string mode, QueryText("PRAGMA journal_mode=WAL"));
  if (mode != "wal") {
    return absl::UnavailableError(absl::StrCat(
        "store: the file system does not support write-ahead logging (journal mode is \"", mode,
        "\"); put the database on a local disk"));
  }
  // FULL syncs the WAL at every commit: what Transact acknowledged survives a power cut.
  return Exec("PRAGMA synchronous=FULL");
}

absl::Status SqliteConnection::EnsureSchema(const std::string& path) {
  RETURN_IF_ERROR(Exec("BEGIN IMMEDIATE"));
  ASSIGN_OR_RETURN(const std::string text, QueryText("PRAGMA user_version"));
  int version = 0;
  if (!absl::SimpleAtoi(text, &version)) version = -1;
  if (version == kSchemaVersion) return Exec("COMMIT");
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "store: ", path, " has schema version ", version, ", this program knows up to ",
        kSchemaVersion, "; start the newer program that wrote it"));
  }
  ASSIGN_OR_RETURN(const std::string tables, QueryText("SELECT count(*) FROM sqlite_schema"));
  if (version != 0 || tables != "0") {
    return absl::FailedPreconditionError(absl::StrCat(
        "store: ", path, " is a database of something else; name a new file or one of ours"));
  }
  RETURN_IF_ERROR(Exec(kSchema));
  RETURN_IF_ERROR(Exec(absl::StrCat("PRAGMA user_version=", kSchemaVersion).c_str()));
  return Exec("COMMIT");
}

absl::Status SqliteConnection::Prepare() {
  for (size_t i = 0; i < statements_.size(); ++i) {
    const char* sql = Sql(static_cast<Query>(i));
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statements_[i], nullptr) !=
        SQLITE_OK) {
      return SqliteError(db_, absl::StrCat("cannot prepare ", sql));
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteConnection::Run(Query query) {
  Execution execution = Start(query);
  return execution.Step().status();
}

bool SqliteConnection::failed_for_good() const {
  const int primary = sqlite3_errcode(db_) & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

absl::Status SqliteConnection::Exec(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return SqliteError(db_, sql);
  return absl::OkStatus();
}

absl::StatusOr<std::string> SqliteConnection::QueryText(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) != SQLITE_OK) {
    return SqliteError(db_, sql);
  }
  absl::StatusOr<std::string> result = SqliteError(db_, sql);
  if (sqlite3_step(statement) == SQLITE_ROW) {
    const unsigned char* text = sqlite3_column_text(statement, 0);
    result = std::string(text != nullptr ? reinterpret_cast<const char*>(text) : "");
  } else {
    result = SqliteError(db_, sql);
  }
  sqlite3_finalize(statement);
  return result;
}

}  // namespace latchkey::store
