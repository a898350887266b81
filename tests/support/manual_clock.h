#pragma once

#include "base/clock.h"
#include "base/mutex.h"

namespace latchkey {

// `ManualClock` stands still until a test moves it. Sleep moves it instead of waiting. Thread-safe.
class ManualClock final : public Clock {
 public:
  // Starts at 2026-01-01T00:00:00Z unless told otherwise.
  explicit ManualClock(absl::Time start = absl::FromUnixSeconds(1767225600)) : now_(start) {}

  absl::Time Now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  void Sleep(absl::Duration duration) override { Advance(duration); }

  // `duration` may be negative: a clock that steps back.
  void Advance(absl::Duration duration) {
    MutexLock lock(mutex_);
    now_ += duration;
  }
  void Set(absl::Time now) {
    MutexLock lock(mutex_);
    now_ = now;
  }

 private:
  mutable Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey
