#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/failpoint.h"
#include "base/mutex.h"

namespace latchkey {

// `FailpointPlan` fails at the reaches of named steps that a test chose, and counts every reach.
// Thread-safe.
class FailpointPlan final : public Failpoints {
 public:
  absl::Status Reach(std::string_view step) override;

  // The `nth` reach of `step` from now on (1 is the next) returns `status`; the others pass.
  void FailAt(std::string_view step, int nth = 1,
              absl::Status status = absl::UnavailableError("failpoint"));

  // Every reach of `step` from now on first runs `hook`, without locks held.
  void RunAt(std::string_view step, std::function<void()> hook);

  int reached(std::string_view step) const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, int> reached_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, int>, absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::function<void()>> hooks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey
