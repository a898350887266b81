#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace latchkey {

// `Clock` tells the time and waits. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
  virtual void Sleep(absl::Duration duration) = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
  void Sleep(absl::Duration duration) override { absl::SleepFor(duration); }
};

}  // namespace latchkey
