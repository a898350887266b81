#include "client/error_details.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/refusal.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace latchkey::client {
namespace {

std::string Metadata(const google::rpc::ErrorInfo& info, const char* name) {
  const auto found = info.metadata().find(name);
  return found == info.metadata().end() ? "" : found->second;
}

// An ErrorInfo whose reason is a wire reason is a refusal; on the admin listener it is an audit
// reason.
v1::Refusal RefusalOfInfo(const google::rpc::ErrorInfo& info, const absl::Status& status) {
  v1::Refusal refusal;
  v1::WireReason reason = v1::WIRE_REASON_UNSPECIFIED;
  if (!v1::WireReason_Parse(absl::StrCat("WIRE_REASON_", info.reason()), &reason)) return refusal;
  refusal.set_reason(reason);
  refusal.set_message(std::string(status.message()));
  refusal.set_remedy(Metadata(info, "remedy"));
  refusal.set_decision_id(Metadata(info, "decision_id"));
  return refusal;
}

}  // namespace

absl::Status WithErrorDetails(absl::Status status, const std::string& details) {
  google::rpc::Status parsed;
  if (!parsed.ParseFromString(details)) return status;
  v1::Refusal refusal;
  for (const google::protobuf::Any& any : parsed.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) refusal = RefusalOfInfo(info, status);
    if (any.UnpackTo(&retry)) {
      SetRetryDelay(status, absl::Seconds(retry.retry_delay().seconds()) +
                                absl::Nanoseconds(retry.retry_delay().nanos()));
    }
  }
  if (refusal.reason() != v1::WIRE_REASON_UNSPECIFIED) SetRefusal(status, refusal);
  return status;
}

}  // namespace latchkey::client
