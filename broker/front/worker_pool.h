#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace latchkey::front {

// `WorkerPool` runs tasks on a fixed number of threads, first come first served. Thread-safe.
class WorkerPool {
 public:
  // `max_queued` tasks may wait beside those that run.
  WorkerPool(int threads, size_t max_queued);
  // Runs what is queued, then ends.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Returns false, without running or keeping `task`, when the queue is full: load is shed at once
  // instead of in a timeout.
  bool TryRun(std::function<void()> task);

 private:
  void Work();

  const size_t max_queued_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace latchkey::front
