#include "broker/server/status_to_grpc.h"

#include "base/reason.h"
#include "broker/release/reasons.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace latchkey::server {
namespace {

constexpr char kDomain[] = "latchkey.dev";
constexpr int kRetrySeconds = 1;

struct Told {
  absl::StatusCode code;
  std::string reason;
  std::string message;
  std::string remedy;
};

std::string ShortName(v1::WireReason reason) {
  return v1::WireReason_Name(reason).substr(std::string_view("WIRE_REASON_").size());
}

// A status without an audit reason comes from the form of the request or from a fault of ours;
// anything but the former tells nothing.
v1::WireReason WireReasonOfCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
      return v1::WIRE_REASON_MALFORMED;
    case absl::StatusCode::kResourceExhausted:
      return v1::WIRE_REASON_RATE_LIMITED;
    default:
      return v1::WIRE_REASON_UNAVAILABLE;
  }
}

v1::WireReason WireReasonFor(const absl::Status& status) {
  const std::string audit_reason = ReasonOf(status);
  return audit_reason.empty() ? WireReasonOfCode(status.code())
                              : release::FindReason(audit_reason).wire_reason;
}

Told TellWorkload(const absl::Status& status) {
  const std::string audit_reason = ReasonOf(status);
  const v1::WireReason reason = WireReasonFor(status);
  Told told{.code = status.code(),
            .reason = ShortName(reason),
            .message = std::string(release::WireMessage(reason)),
            .remedy = std::string(release::WireRemedy(reason))};
  if (!audit_reason.empty()) {
    told.code = release::FindReason(audit_reason).code;
  } else if (reason == v1::WIRE_REASON_UNAVAILABLE) {
    told.code = absl::StatusCode::kUnavailable;
  }
  // What is wrong with the form of its own request, a caller may know word for word.
  if (reason == v1::WIRE_REASON_MALFORMED) told.message = std::string(status.message());
  return told;
}

Told TellAdmin(const absl::Status& status) {
  std::string reason = ReasonOf(status);
  std::string remedy;
  if (reason.empty()) {
    reason = absl::StatusCodeToString(status.code());
  } else {
    remedy = release::WireRemedy(release::FindReason(reason).wire_reason);
  }
  return {status.code(), std::move(reason), std::string(status.message()), std::move(remedy)};
}

bool MayTryAgain(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted;
}

}  // namespace

std::string WireReasonOf(const absl::Status& status) { return ShortName(WireReasonFor(status)); }

front::CoreReply ErrorReply(const absl::Status& status, Audience audience) {
  const Told told = audience == Audience::kWorkload ? TellWorkload(status) : TellAdmin(status);
  google::rpc::ErrorInfo info;
  info.set_reason(told.reason);
  info.set_domain(kDomain);
  if (!told.remedy.empty()) (*info.mutable_metadata())["remedy"] = told.remedy;
  google::rpc::Status details;
  details.set_code(static_cast<int>(told.code));
  details.set_message(told.message);
  details.add_details()->PackFrom(info);
  if (MayTryAgain(told.code)) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(kRetrySeconds);
    details.add_details()->PackFrom(retry);
  }
  front::CoreReply reply;
  reply.grpc_code = static_cast<int>(told.code);
  reply.error_message = told.message;
  reply.error_details = details.SerializeAsString();
  return reply;
}

}  // namespace latchkey::server
