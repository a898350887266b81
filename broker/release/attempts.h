#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"

namespace latchkey::release {

// `Attempts` counts what was refused before authentic evidence, by audit reason: such attempts get
// no leaf of their own, so that a flood cannot fill the log. Thread-safe.
class Attempts {
 public:
  void Count(std::string_view reason) {
    MutexLock lock(mutex_);
    ++since_taken_[std::string(reason)];
  }
  // The counts since the last call.
  std::map<std::string, uint64_t> Take() {
    MutexLock lock(mutex_);
    return std::exchange(since_taken_, {});
  }

 private:
  Mutex mutex_;
  std::map<std::string, uint64_t> since_taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey::release
