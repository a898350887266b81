#include "tests/support/failpoint_plan.h"

#include <utility>

namespace latchkey {

absl::Status FailpointPlan::Reach(std::string_view step) {
  const std::string name(step);
  std::function<void()> hook;
  absl::Status result = absl::OkStatus();
  {
    MutexLock lock(mutex_);
    const int count = ++reached_[name];
    const auto failure = failures_.find({name, count});
    if (failure != failures_.end()) result = failure->second;
    const auto found = hooks_.find(name);
    if (found != hooks_.end()) hook = found->second;
  }
  if (hook) hook();
  return result;
}

void FailpointPlan::FailAt(std::string_view step, int nth, absl::Status status) {
  MutexLock lock(mutex_);
  const std::string name(step);
  failures_[{name, reached_[name] + nth}] = std::move(status);
}

void FailpointPlan::RunAt(std::string_view step, std::function<void()> hook) {
  MutexLock lock(mutex_);
  hooks_[std::string(step)] = std::move(hook);
}

int FailpointPlan::reached(std::string_view step) const {
  MutexLock lock(mutex_);
  const auto found = reached_.find(std::string(step));
  return found == reached_.end() ? 0 : found->second;
}

}  // namespace latchkey
