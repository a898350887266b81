#include "client/error_details.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/refusal.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/unknown_field_set.h"

namespace latchkey::client {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Field numbers of google/rpc/status.proto and google/rpc/error_details.proto, which Debian does
// not package.
constexpr int kStatusDetails = 3;
constexpr int kErrorInfoReason = 1;
constexpr int kErrorInfoMetadata = 3;
constexpr int kMapKey = 1;
constexpr int kMapValue = 2;
constexpr int kRetryInfoDelay = 1;

// Calls `visit(bytes)` for each occurrence of the length-delimited field `number` of a message.
template <typename Visit>
void ForEachField(std::string_view message, int number, Visit visit) {
  UnknownFieldSet fields;
  if (!fields.ParseFromArray(message.data(), static_cast<int>(message.size()))) return;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      visit(field.length_delimited());
    }
  }
}

std::string LastField(std::string_view message, int number) {
  std::string value;
  ForEachField(message, number, [&](const std::string& bytes) { value = bytes; });
  return value;
}

v1::Refusal RefusalFromErrorInfo(std::string_view info, const std::string& message) {
  v1::Refusal refusal;
  v1::WireReason reason = v1::WIRE_REASON_UNSPECIFIED;
  const std::string name = LastField(info, kErrorInfoReason);
  if (v1::WireReason_Parse(name, &reason) ||
      v1::WireReason_Parse(absl::StrCat("WIRE_REASON_", name), &reason)) {
    refusal.set_reason(reason);
  }
  refusal.set_message(message);
  ForEachField(info, kErrorInfoMetadata, [&](const std::string& entry) {
    const std::string key = LastField(entry, kMapKey);
    if (key == "decision_id") refusal.set_decision_id(LastField(entry, kMapValue));
    if (key == "remedy") refusal.set_remedy(LastField(entry, kMapValue));
  });
  return refusal;
}

}  // namespace

absl::Status WithErrorDetails(absl::Status status, std::string_view details) {
  v1::Refusal refusal;
  v1::Refusal from_info;
  ForEachField(details, kStatusDetails, [&](const std::string& bytes) {
    google::protobuf::Any any;
    if (!any.ParseFromString(bytes)) return;
    if (any.Is<v1::Refusal>()) {
      any.UnpackTo(&refusal);
    } else if (absl::EndsWith(any.type_url(), "/google.rpc.ErrorInfo")) {
      from_info = RefusalFromErrorInfo(any.value(), std::string(status.message()));
    } else if (absl::EndsWith(any.type_url(), "/google.rpc.RetryInfo")) {
      google::protobuf::Duration delay;
      if (delay.ParseFromString(LastField(any.value(), kRetryInfoDelay))) {
        SetRetryDelay(status, absl::Seconds(delay.seconds()) + absl::Nanoseconds(delay.nanos()));
      }
    }
  });
  if (refusal.reason() == v1::WIRE_REASON_UNSPECIFIED) refusal = from_info;
  if (refusal.reason() != v1::WIRE_REASON_UNSPECIFIED) SetRefusal(status, refusal);
  return status;
}

}  // namespace latchkey::client
