#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/bytes.h"

namespace latchkey::bench {

// `LoadTarget` is one method of a TLS listener on loopback.
struct LoadTarget {
  int port = 0;
  std::string ca_pem;
  std::string method;  // full path
};

struct LoadResult {
  size_t ok = 0;
  size_t failed = 0;
  std::string first_error;
  absl::Duration elapsed;
  std::vector<absl::Duration> latencies;  // open loop: from the intended send time
  std::vector<Bytes> answers;             // when kept
};

// `ClosedLoop` sends every request once, `outstanding` at a time: the rate at saturation.
LoadResult ClosedLoop(const LoadTarget& target, const std::vector<Bytes>& requests, int outstanding,
                      bool keep_answers = false);

// `OpenLoop` sends at `rate` a second whatever comes back, and measures from when each should have
// been sent.
LoadResult OpenLoop(const LoadTarget& target, const std::vector<Bytes>& requests, double rate);

}  // namespace latchkey::bench
