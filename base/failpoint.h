#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace latchkey {

// `Failpoints` is asked at each durable step of a release or an administrative act. Production
// passes `NoFailpoints`; tests return an error or end the process at a named step. Thread-safe.
class Failpoints {
 public:
  virtual ~Failpoints() = default;
  virtual absl::Status Reach(std::string_view step) = 0;
};

class NoFailpoints final : public Failpoints {
 public:
  absl::Status Reach(std::string_view) override { return absl::OkStatus(); }
};

}  // namespace latchkey
