#include "broker/server/metrics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/text.h"

namespace latchkey::server {
namespace {

const std::vector<double> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                      0.1,    0.25,  0.5,    1,     2.5,  10};
const std::vector<double> kGroupSizes = {1, 2, 4, 8, 16, 32, 64, 128, 256};

std::string LabelOf(std::string_view label, std::string_view value) {
  return absl::StrCat(ToAbsl(label), "=\"", ToAbsl(value), "\"");
}

void Header(std::string_view name, std::string_view type, std::string_view help, std::string& out) {
  absl::StrAppend(&out, "# HELP ", ToAbsl(name), " ", ToAbsl(help), "\n# TYPE ", ToAbsl(name), " ",
                  ToAbsl(type), "\n");
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_millionths_.fetch_add(static_cast<uint64_t>(value * 1e6), std::memory_order_relaxed);
}

void Histogram::Write(std::string_view name, std::string_view labels, std::string& out) const {
  const std::string separator = labels.empty() ? "" : ",";
  const std::string braces = labels.empty() ? "" : absl::StrCat("{", ToAbsl(labels), "}");
  uint64_t count = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    count += counts_[i].load(std::memory_order_relaxed);
    const std::string bound = i < bounds_.size() ? absl::StrCat(bounds_[i]) : "+Inf";
    absl::StrAppend(&out, ToAbsl(name), "_bucket{", ToAbsl(labels), separator, "le=\"", bound,
                    "\"} ", count, "\n");
  }
  absl::StrAppend(&out, ToAbsl(name), "_sum", braces, " ",
                  sum_millionths_.load(std::memory_order_relaxed) / 1e6, "\n");
  absl::StrAppend(&out, ToAbsl(name), "_count", braces, " ", count, "\n");
}

Counter& CounterFamily::With(std::string_view label_value) {
  MutexLock lock(mutex_);
  auto found = counters_.find(label_value);
  if (found == counters_.end()) {
    found = counters_.emplace(std::string(label_value), std::make_unique<Counter>()).first;
  }
  return *found->second;
}

void CounterFamily::Write(std::string_view name, std::string_view label, std::string& out) const {
  MutexLock lock(mutex_);
  for (const auto& [value, counter] : counters_) {
    absl::StrAppend(&out, ToAbsl(name), "{", LabelOf(label, value), "} ", counter->value(), "\n");
  }
}

Histogram& HistogramFamily::With(std::string_view label_value) {
  MutexLock lock(mutex_);
  auto found = histograms_.find(label_value);
  if (found == histograms_.end()) {
    found =
        histograms_.emplace(std::string(label_value), std::make_unique<Histogram>(bounds_)).first;
  }
  return *found->second;
}

void HistogramFamily::Write(std::string_view name, std::string_view label, std::string& out) const {
  MutexLock lock(mutex_);
  for (const auto& [value, histogram] : histograms_) {
    histogram->Write(name, LabelOf(label, value), out);
  }
}

Metrics::Metrics() : request_seconds(kSeconds), commit_seconds(kSeconds), group_size(kGroupSizes) {
  // Series that alerts divide by exist from the start.
  releases.With("released");
  releases.With("refused");
}

std::string Metrics::Text() const {
  std::string out;
  Header("latchkey_up", "gauge", "1 while the broker serves.", out);
  out += "latchkey_up 1\n";
  Header("latchkey_releases_total", "counter", "Items decided, by outcome.", out);
  releases.Write("latchkey_releases_total", "outcome", out);
  Header("latchkey_refusals_total", "counter", "Refused items and calls, by wire reason.", out);
  refusals.Write("latchkey_refusals_total", "reason", out);
  Header("latchkey_challenges_total", "counter", "Challenges issued.", out);
  absl::StrAppend(&out, "latchkey_challenges_total ", challenges.value(), "\n");
  Header("latchkey_admin_calls_total", "counter", "Calls of the admin port, by gRPC code.", out);
  admin_calls.Write("latchkey_admin_calls_total", "code", out);
  Header("latchkey_request_seconds", "histogram", "Time in the core, by method.", out);
  request_seconds.Write("latchkey_request_seconds", "method", out);
  Header("latchkey_store_commit_seconds", "histogram", "Time of a writing transaction.", out);
  commit_seconds.Write("latchkey_store_commit_seconds", "", out);
  Header("latchkey_commit_group_size", "histogram", "Log leaves committed together.", out);
  group_size.Write("latchkey_commit_group_size", "", out);
  Header("latchkey_log_size", "gauge", "Leaves of the largest tenant log.", out);
  absl::StrAppend(&out, "latchkey_log_size ", log_size.value(), "\n");
  Header("latchkey_sweep_failures_total", "counter", "Rounds of housekeeping that failed.", out);
  absl::StrAppend(&out, "latchkey_sweep_failures_total ", sweep_failures.value(), "\n");
  return out;
}

}  // namespace latchkey::server
