#include "tests/support/failpoint_plan.h"

#include <algorithm>

namespace latchkey {

absl::Status FailpointPlan::Reach(std::string_view step) {
  MutexLock lock(mutex_);
  steps_.emplace_back(step);
  const int count = static_cast<int>(std::count(steps_.begin(), steps_.end(), step));
  const auto failure = failures_.find({std::string(step), count});
  return failure == failures_.end() ? absl::OkStatus() : failure->second;
}

void FailpointPlan::FailAt(std::string_view step, int nth, absl::Status status) {
  MutexLock lock(mutex_);
  const int count = static_cast<int>(std::count(steps_.begin(), steps_.end(), step));
  failures_[{std::string(step), count + nth}] = std::move(status);
}

int FailpointPlan::reached(std::string_view step) const {
  MutexLock lock(mutex_);
  return static_cast<int>(std::count(steps_.begin(), steps_.end(), step));
}

std::vector<std::string> FailpointPlan::steps() const {
  MutexLock lock(mutex_);
  return steps_;
}

}  // namespace latchkey
