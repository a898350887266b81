#include "broker/server/strict_parse.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/text.h"

namespace latchkey::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status Malformed(const Message& message, std::string_view fault) {
  return Refuse(absl::StatusCode::kInvalidArgument, "MALFORMED",
                absl::StrCat(message.GetDescriptor()->name(), ": ", ToAbsl(fault)));
}

absl::Status EnsureKnown(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty()) {
    return Malformed(message, absl::StrCat("field ", unknown.field(0).number(),
                                           " is not known here; does the broker need an update?"));
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    // Maps of this API hold strings.
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      if (absl::Status known = EnsureKnown(reflection.GetMessage(message, field)); !known.ok()) {
        return known;
      }
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      absl::Status known = EnsureKnown(reflection.GetRepeatedMessage(message, field, i));
      if (!known.ok()) return known;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseStrict(ByteView bytes, Message& message) {
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Malformed(message, "does not parse");
  }
  return EnsureKnown(message);
}

}  // namespace latchkey::server
