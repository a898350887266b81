#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/transport.h"
#include "google/protobuf/message_lite.h"

namespace latchkey::client {

// `AdminClient` calls the admin listener, whose services (KeyAdmin, KeyWrap, PolicyAdmin, Audit)
// know the caller by client certificate. One try a call: an administrative act is repeated by a
// person. Thread-safe.
class AdminClient {
 public:
  AdminClient(std::unique_ptr<Transport> transport, absl::Duration timeout)
      : transport_(std::move(transport)), timeout_(timeout) {}

  // `method` is "KeyAdmin/CreateKey"; `answer` is that method's response.
  absl::Status Call(const std::string& method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& answer);

 private:
  const std::unique_ptr<Transport> transport_;
  const absl::Duration timeout_;
};

}  // namespace latchkey::client
