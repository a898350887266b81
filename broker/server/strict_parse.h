#pragma once

#include "absl/status/status.h"
#include "base/bytes.h"
#include "google/protobuf/message.h"

namespace latchkey::server {

// `ParseStrict` parses `bytes` into `message` and refuses what it does not know: an unknown field,
// at any depth, would be a wish that is not granted. MALFORMED (base/reason.h) names the message.
absl::Status ParseStrict(ByteView bytes, google::protobuf::Message& message);

}  // namespace latchkey::server
