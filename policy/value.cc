#include "policy/value.h"

#include "absl/strings/str_join.h"
#include "policy/str_cat.h"

namespace latchkey::policy {
namespace {

constexpr size_t kMaxDisplay = 80;

struct Writer {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return StrCat(value); }
  // Control characters would let a value of the outside forge lines in a log or on a terminal.
  std::string operator()(const std::string& value) const {
    std::string out = "\"";
    for (const char c : value) {
      const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      if (c == '"' || c == '\\') out += '\\';
      out += control ? '?' : c;
      if (out.size() > kMaxDisplay) break;
    }
    return out + "\"";
  }
  std::string operator()(const BytesValue& value) const { return HexEncode(AsBytes(value.bytes)); }
  std::string operator()(absl::Time value) const {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", value, absl::UTCTimeZone());
  }
  std::string operator()(absl::Duration value) const { return absl::FormatDuration(value); }
  std::string operator()(const StringList& value) const {
    return StrCat("[", absl::StrJoin(value, ", "), "]");
  }
};

}  // namespace

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kBool:
      return "bool";
    case Type::kInt:
      return "int";
    case Type::kString:
      return "string";
    case Type::kBytes:
      return "bytes";
    case Type::kTimestamp:
      return "timestamp";
    case Type::kDuration:
      return "duration";
    case Type::kList:
      return "list";
    case Type::kSet:
      return "set";
  }
  return "unknown";
}

Type Value::type() const {
  // In the order of the variant.
  static constexpr Type kTypes[] = {Type::kBool,      Type::kInt,      Type::kString, Type::kBytes,
                                    Type::kTimestamp, Type::kDuration, Type::kList};
  return kTypes[value_.index()];
}

std::string ToDisplay(const Value& value) {
  std::string text = value.Visit(Writer());
  if (text.size() <= kMaxDisplay) return text;
  size_t end = kMaxDisplay - 3;
  // Never cut inside a UTF-8 sequence.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace latchkey::policy
