#include "broker/front/worker_pool.h"

#include <atomic>

#include "gmock/gmock.h"

namespace latchkey::front {
namespace {

// `Gate` holds tasks until it opens.
class Gate {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void AwaitWaiting(int count) {
    MutexLock lock(mutex_);
    while (waiting_ < count) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(WorkerPoolTest, EveryTaskThatWasTakenRunsBeforeThePoolEnds) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(2, 100);
    for (int i = 0; i < 100; ++i) {
      if (!pool.TryRun([&] { ++ran; })) --i;
    }
  }
  EXPECT_EQ(ran, 100);
}

TEST(WorkerPoolTest, TaskBeyondTheQueueIsTurnedAwayAtOnce) {
  Gate gate;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(1, 2);
    ASSERT_TRUE(pool.TryRun([&] { gate.Pass(); }));
    gate.AwaitWaiting(1);
    EXPECT_TRUE(pool.TryRun([&] { ++ran; }));
    EXPECT_TRUE(pool.TryRun([&] { ++ran; }));
    EXPECT_FALSE(pool.TryRun([&] { ++ran; }));
    gate.Open();
  }
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace latchkey::front
