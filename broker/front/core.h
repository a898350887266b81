#pragma once

// broker/front is the network of an API: listener, TLS, generic gRPC, limits. It relays message
// bytes without reading them.

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/bytes.h"

namespace latchkey::front {

// `PeerHint` is what the front says of a peer: for rates and logs, never a claim or a role.
// `client_certificate_der` is what TLS verified on a listener that demands client certificates;
// empty elsewhere.
struct PeerHint {
  std::string address;
  Bytes client_certificate_der;
};

// `CoreReply` is a message or a gRPC status.
struct CoreReply {
  int grpc_code = 0;          // 0: OK
  std::string error_message;  // for a person, no secrets
  Bytes error_details;  // serialized google.rpc.Status for grpc-status-details-bin; may be empty
  Bytes message;        // serialized response when OK
};

// `Core` is everything behind the seam. Thread-safe; called from many threads at once; it may block
// up to `deadline`.
class Core {
 public:
  virtual ~Core() = default;
  // `method` is the full gRPC path, "/latchkey.v1.KeyRelease/ReleaseKeys".
  virtual CoreReply Handle(std::string_view method, ByteView request, const PeerHint& peer,
                           absl::Time deadline) = 0;
};

}  // namespace latchkey::front
