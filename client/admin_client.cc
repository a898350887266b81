#include "client/admin_client.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace latchkey::client {

absl::Status AdminClient::Call(const std::string& method,
                               const google::protobuf::MessageLite& request,
                               google::protobuf::MessageLite& answer) {
  const Bytes bytes = request.SerializeAsString();
  ASSIGN_OR_RETURN(const Bytes reply, transport_->Call(absl::StrCat("/latchkey.v1.", method),
                                                       AsBytes(bytes), timeout_));
  if (!answer.ParseFromString(reply)) {
    return absl::InternalError(absl::StrCat(method, ": the answer does not parse"));
  }
  return absl::OkStatus();
}

}  // namespace latchkey::client
