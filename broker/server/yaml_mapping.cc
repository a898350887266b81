#include "broker/server/yaml_mapping.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/text.h"
#include "policy/nearest.h"

namespace latchkey::server {

void YamlFault::Report(const YAML::Mark& mark, const std::string& key, const std::string& message) {
  if (!status.ok()) return;
  // Marks count from 0; a node that is not in the text has none.
  const std::string place = mark.is_null()
                                ? file_name
                                : absl::StrCat(file_name, ":", mark.line + 1, ":", mark.column + 1);
  status =
      absl::InvalidArgumentError(absl::StrCat(place, ": ", key, key.empty() ? "" : ": ", message));
}

YamlMapping::YamlMapping(YAML::Node node, std::string path, YamlFault& fault)
    : node_(std::move(node)), path_(std::move(path)), fault_(fault) {
  if (!node_.IsDefined() || node_.IsNull()) return;
  if (!node_.IsMap()) {
    fault_.Report(node_.Mark(), path_, "is not a mapping of keys");
    return;
  }
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) {
      fault_.Report(entry.first.Mark(), path_, "a key is not a word");
    } else if (!seen.insert(entry.first.Scalar()).second) {
      fault_.Report(entry.first.Mark(), PathOf(entry.first.Scalar()), "is there twice; keep one");
    }
  }
}

std::string YamlMapping::PathOf(const std::string& key) const {
  return path_.empty() ? key : absl::StrCat(path_, ".", key);
}

YAML::Node YamlMapping::Take(const char* key) {
  known_.insert(key);
  if (!node_.IsDefined() || !node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
  for (const auto& entry : node_) {
    if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.second;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

bool YamlMapping::Has(const char* key) const {
  if (!node_.IsDefined() || !node_.IsMap()) return false;
  return std::any_of(node_.begin(), node_.end(), [&](const auto& entry) {
    return entry.first.IsScalar() && entry.first.Scalar() == key;
  });
}

void YamlMapping::Report(const char* key, const std::string& message) {
  const YAML::Node value = Take(key);
  fault_.Report(value.IsDefined() ? value.Mark() : node_.Mark(), PathOf(key), message);
}

std::string YamlMapping::Text(const char* key) {
  std::string text = OptionalText(key);
  if (text.empty()) {
    fault_.Report(node_.IsDefined() ? node_.Mark() : YAML::Mark::null_mark(), PathOf(key),
                  Has(key) ? "is empty" : "is missing");
  }
  return text;
}

std::string YamlMapping::OptionalText(const char* key) {
  const YAML::Node value = Take(key);
  if (!value.IsDefined()) return "";
  if (!value.IsScalar()) {
    fault_.Report(value.Mark(), PathOf(key), "is not a text");
    return "";
  }
  return value.Scalar();
}

uint64_t YamlMapping::Number(const char* key, uint64_t fallback, uint64_t min, uint64_t max) {
  const YAML::Node value = Take(key);
  if (!value.IsDefined()) return fallback;
  uint64_t number = 0;
  if (!value.IsScalar() || !absl::SimpleAtoi(value.Scalar(), &number) || number < min ||
      number > max) {
    fault_.Report(value.Mark(), PathOf(key),
                  absl::StrCat("write a number from ", min, " to ", max));
    return fallback;
  }
  return number;
}

bool YamlMapping::Flag(const char* key, bool fallback) {
  const YAML::Node value = Take(key);
  if (!value.IsDefined()) return fallback;
  if (value.IsScalar() && value.Scalar() == "true") return true;
  if (value.IsScalar() && value.Scalar() == "false") return false;
  fault_.Report(value.Mark(), PathOf(key), "write true or false");
  return fallback;
}

absl::Duration YamlMapping::Duration(const char* key, absl::Duration fallback, absl::Duration min,
                                     absl::Duration max) {
  const YAML::Node value = Take(key);
  if (!value.IsDefined()) return fallback;
  absl::Duration duration;
  if (!value.IsScalar() || !absl::ParseDuration(value.Scalar(), &duration) || duration < min ||
      duration > max) {
    fault_.Report(value.Mark(), PathOf(key),
                  absl::StrCat("write a time from ", absl::FormatDuration(min), " to ",
                               absl::FormatDuration(max), ", as 30s or 5m"));
    return fallback;
  }
  return duration;
}

std::vector<std::string> YamlMapping::Texts(const char* key) {
  const YAML::Node value = Take(key);
  std::vector<std::string> texts;
  if (!value.IsDefined()) return texts;
  if (!value.IsSequence()) {
    fault_.Report(value.Mark(), PathOf(key), "is not a list; write [a, b]");
    return texts;
  }
  for (const auto& element : value) {
    if (!element.IsScalar()) {
      fault_.Report(element.Mark(), PathOf(key), "holds something that is not a text");
      return texts;
    }
    texts.push_back(element.Scalar());
  }
  return texts;
}

YamlMapping YamlMapping::Child(const char* key) {
  return YamlMapping(Take(key), PathOf(key), fault_);
}

std::vector<YamlMapping> YamlMapping::Children(const char* key) {
  const YAML::Node value = Take(key);
  std::vector<YamlMapping> children;
  if (!value.IsDefined()) return children;
  if (!value.IsSequence()) {
    fault_.Report(value.Mark(), PathOf(key), "is not a list; start each entry with `- `");
    return children;
  }
  for (const auto& element : value) {
    children.emplace_back(element, absl::StrCat(PathOf(key), "[", children.size(), "]"), fault_);
  }
  return children;
}

void YamlMapping::Finish() {
  if (!node_.IsDefined() || !node_.IsMap()) return;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar() || known_.count(entry.first.Scalar()) > 0) continue;
    const std::vector<std::string_view> candidates(known_.begin(), known_.end());
    const std::string_view nearest = policy::NearestName(entry.first.Scalar(), candidates);
    fault_.Report(entry.first.Mark(), PathOf(entry.first.Scalar()),
                  nearest.empty()
                      ? absl::StrCat("unknown key; known are ", absl::StrJoin(known_, ", "))
                      : absl::StrCat("unknown key; did you mean ", ToAbsl(nearest), "?"));
  }
}

absl::StatusOr<YAML::Node> LoadYaml(const std::string& file_name, const std::string& text) {
  YamlFault fault{file_name, absl::OkStatus()};
  try {
    std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() == 1 && documents[0].IsMap()) return documents[0];
    fault.Report(YAML::Mark::null_mark(), "", "is not one YAML mapping");
  } catch (const YAML::Exception& error) {
    fault.Report(error.mark, "", error.msg);
  }
  return fault.status;
}

}  // namespace latchkey::server
