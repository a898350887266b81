#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker/store/store.h"

namespace latchkey::store {

// `OpenSqliteStore` opens the database file at `path`, or creates it, readable by its owner only.
// Every commit is synced (WAL, synchronous FULL). FailedPrecondition when a newer program wrote the
// file or it is a database of something else; Unavailable when it cannot be opened.
//
// After an I/O error of the disk no transaction is tried again: whether lost pages were written is
// unknown, so each writing transaction returns Unavailable until the process opens the file anew.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path);

}  // namespace latchkey::store
