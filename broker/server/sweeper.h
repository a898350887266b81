#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/audit/audit_log.h"
#include "broker/release/attempts.h"
#include "broker/server/metrics.h"
#include "broker/store/store.h"

namespace latchkey::server {

// `Sweeper` does the housekeeping on a thread of its own: it removes entries that expired and
// records, in one leaf, the attempts that were refused before authentic evidence. Thread-safe.
class Sweeper {
 public:
  // All references must outlive it. The summary goes to the log of `tenant`.
  struct Parts {
    store::Store& store;
    audit::AuditLog& audit_log;
    release::Attempts& attempts;
    Clock& clock;
    Metrics& metrics;
    std::string tenant;
  };
  Sweeper(Parts parts, absl::Duration interval);
  ~Sweeper();
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  absl::Status Sweep();

 private:
  void Run(absl::Duration interval);
  absl::Status RemoveExpired();
  absl::Status RecordAttempts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(sweeping_);

  const Parts parts_;
  Mutex sweeping_;  // one sweep at a time
  // Counts that no leaf holds yet: kept when the log cannot be written.
  std::map<std::string, uint64_t> unrecorded_ ABSL_GUARDED_BY(sweeping_);
  absl::Time counted_from_ ABSL_GUARDED_BY(sweeping_);
  Mutex mutex_;
  CondVar wake_;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace latchkey::server
