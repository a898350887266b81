#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/secret_bytes.h"
#include "broker/front/core.h"

namespace latchkey::front {

struct ListenerOptions {
  std::string address;  // host:port; port 0 picks one
  std::string certificate_pem;
  SecretBytes private_key_pem;
  std::string client_ca_pem;  // with require_client_certificate
  bool require_client_certificate = false;
  bool plaintext_for_tests = false;  // only in-process tests and benches set it
  size_t max_message_bytes = 1 << 20;
  int max_concurrent_streams = 100;
  int threads = 64;        // that call the core: waiting releases share commits
  int max_queued = 1024;   // calls beyond get RESOURCE_EXHAUSTED
  Bytes overload_details;  // with these error details (CoreReply::error_details)
  absl::Duration default_deadline = absl::Seconds(10);
};

// `GrpcListener` serves every method of one port through `Core` (gRPC's generic service), with the
// standard health service.
class GrpcListener {
 public:
  virtual ~GrpcListener() = default;
  virtual int port() const = 0;
  // Health NOT_SERVING, then waits for calls in flight up to `grace`, then cuts.
  virtual void Drain(absl::Duration grace) = 0;
};

// `core` must outlive the listener.
absl::StatusOr<std::unique_ptr<GrpcListener>> StartGrpcListener(ListenerOptions options,
                                                                Core& core);

}  // namespace latchkey::front
