#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"

namespace latchkey::client {

// `Transport` makes one unary call and knows nothing of messages. Bytes go out as given, so that a
// retry is identical to the first try. Thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  // `method` is the full path, "/latchkey.v1.KeyRelease/ReleaseKeys". Errors carry the broker's
  // refusal and retry delay (client/refusal.h) where it sent them.
  virtual absl::StatusOr<Bytes> Call(std::string_view method, ByteView request,
                                     absl::Duration timeout) = 0;
};

struct GrpcTransportOptions {
  std::string address;  // host:port
  // The CA certificates that vouch for the broker, PEM. Never empty: there is no fallback to the
  // system's roots.
  std::string ca_pem;
  // A client certificate and its key, PEM; both or neither.
  std::string certificate_pem;
  std::string private_key_pem;
  // Wait for a connection until the call's timeout instead of failing at the first refused one.
  bool wait_for_ready = false;
};

// `MakeGrpcTransport` speaks gRPC over TLS. It connects at the first call. InvalidArgument when an
// option is missing.
absl::StatusOr<std::unique_ptr<Transport>> MakeGrpcTransport(const GrpcTransportOptions& options);

}  // namespace latchkey::client
