#include "broker/server/sweeper.h"

#include <utility>

#include "base/status_macros.h"
#include "base/text.h"
#include "broker/server/log.h"
#include "latchkey/v1/statement.pb.h"

namespace latchkey::server {
namespace {

// Small enough that no writer waits long behind one batch.
constexpr size_t kBatch = 1000;

}  // namespace

Sweeper::Sweeper(Parts parts, absl::Duration interval)
    : parts_(std::move(parts)),
      counted_from_(parts_.clock.Now()),
      thread_([this, interval] { Run(interval); }) {}

Sweeper::~Sweeper() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void Sweeper::Run(absl::Duration interval) {
  while (true) {
    {
      MutexLock lock(mutex_);
      const absl::Time until = absl::Now() + interval;
      while (!ending_ && absl::Now() < until) wake_.WaitFor(mutex_, until - absl::Now());
      if (ending_) return;
    }
    if (const absl::Status swept = Sweep(); !swept.ok()) {
      parts_.metrics.sweep_failures.Add();
      Log(LogLevel::kError, "housekeeping failed", {{"message", ToStd(swept.message())}});
    }
  }
}

absl::Status Sweeper::Sweep() {
  MutexLock lock(sweeping_);
  RETURN_IF_ERROR(RecordAttempts());
  return RemoveExpired();
}

absl::Status Sweeper::RemoveExpired() {
  while (true) {
    ASSIGN_OR_RETURN(const size_t removed, parts_.store.RemoveExpired(parts_.clock.Now(), kBatch));
    if (removed < kBatch) return absl::OkStatus();
  }
}

absl::Status Sweeper::RecordAttempts() {
  for (const auto& [reason, count] : parts_.attempts.Take()) unrecorded_[reason] += count;
  if (unrecorded_.empty()) return absl::OkStatus();
  const absl::Time now = parts_.clock.Now();
  v1::Leaf leaf;
  v1::AttemptSummary& summary = *leaf.mutable_attempts();
  summary.set_from_unix_us(absl::ToUnixMicros(counted_from_));
  summary.set_until_unix_us(absl::ToUnixMicros(now));
  summary.mutable_counts()->insert(unrecorded_.begin(), unrecorded_.end());
  ASSIGN_OR_RETURN(const audit::DurableAnswer answer,
                   parts_.audit_log.Append(parts_.tenant, [&](store::Transaction&, uint64_t) {
                     return audit::Entry{leaf.SerializeAsString(), Bytes()};
                   }));
  parts_.metrics.log_size.Raise(static_cast<int64_t>(answer.leaf_index()) + 1);
  unrecorded_.clear();
  counted_from_ = now;
  return absl::OkStatus();
}

}  // namespace latchkey::server
