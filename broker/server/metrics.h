#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace latchkey::server {

// `Counter` only grows; `Gauge` is set. Both are lock-free.
class Counter {
 public:
  void Add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  // Keeps the larger: for sizes that only grow and are reported out of order.
  void Raise(int64_t value) {
    int64_t seen = value_.load(std::memory_order_relaxed);
    while (seen < value && !value_.compare_exchange_weak(seen, value)) {
    }
  }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// `Histogram` counts values in buckets with fixed upper bounds; lock-free.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void Observe(double value);
  // Appends the samples `name_bucket`, `name_sum` and `name_count`; `labels` is `a="b"` or empty.
  void Write(std::string_view name, std::string_view labels, std::string& out) const;

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;  // per bucket, the last one beyond all bounds
  std::atomic<uint64_t> sum_millionths_ = 0;
};

// `CounterFamily` is counters under one name told apart by one label, made at first use. The values
// of the label come from our own tables, never from a caller.
class CounterFamily {
 public:
  Counter& With(std::string_view label_value);
  void Write(std::string_view name, std::string_view label, std::string& out) const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Counter>, std::less<>> counters_ ABSL_GUARDED_BY(mutex_);
};

class HistogramFamily {
 public:
  explicit HistogramFamily(std::vector<double> bounds) : bounds_(std::move(bounds)) {}
  Histogram& With(std::string_view label_value);
  void Write(std::string_view name, std::string_view label, std::string& out) const;

 private:
  const std::vector<double> bounds_;
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Histogram>, std::less<>> histograms_
      ABSL_GUARDED_BY(mutex_);
};

// `Metrics` is everything the broker counts. Thread-safe.
struct Metrics {
  Metrics();

  CounterFamily releases;     // by outcome of an item: released, refused
  CounterFamily refusals;     // by wire reason, of items and of whole calls
  CounterFamily admin_calls;  // by gRPC code
  Counter challenges;
  HistogramFamily request_seconds;  // by method
  Histogram commit_seconds;
  Histogram group_size;  // log leaves in one commit
  Gauge log_size;        // of the largest tenant log
  Counter sweep_failures;

  // The Prometheus text format, version 0.0.4.
  std::string Text() const;
};

}  // namespace latchkey::server
