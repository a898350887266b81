#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/failpoint.h"
#include "base/mutex.h"

namespace latchkey {

// `FailpointPlan` fails at the reaches of named steps that a test chose, and remembers every reach.
// Thread-safe.
class FailpointPlan final : public Failpoints {
 public:
  absl::Status Reach(std::string_view step) override;

  // The `nth` reach of `step` from now on (1 is the next) returns `status`; the others pass.
  void FailAt(std::string_view step, int nth = 1,
              absl::Status status = absl::UnavailableError("failpoint"));

  // How often `step` was reached, and all steps in the order they were reached.
  int reached(std::string_view step) const;
  std::vector<std::string> steps() const;

 private:
  mutable Mutex mutex_;
  std::vector<std::string> steps_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, int>, absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey
