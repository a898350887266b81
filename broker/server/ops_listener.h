#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace latchkey::server {

// What the ops port answers with. All are called from the listener's own thread.
struct OpsHandlers {
  std::function<bool()> ready;
  std::function<std::string()> metrics;
};

// `OpsListener` serves GET /healthz, /readyz and /metrics over plain HTTP on a thread of its own,
// so that load on the APIs never fails a probe. It tells nothing of keys, tenants or callers.
class OpsListener {
 public:
  virtual ~OpsListener() = default;
  virtual int port() const = 0;
};

// `address` is host:port, the host an IP address; port 0 picks one.
absl::StatusOr<std::unique_ptr<OpsListener>> StartOpsListener(const std::string& address,
                                                              OpsHandlers handlers);

}  // namespace latchkey::server
