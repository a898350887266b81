#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "yaml-cpp/yaml.h"

namespace latchkey::server {

// `YamlFault` keeps the first thing that is wrong with a document: later ones are often its
// consequence.
struct YamlFault {
  std::string file_name;
  absl::Status status;

  void Report(const YAML::Mark& mark, const std::string& key, const std::string& message);
};

// `YamlMapping` reads one mapping of a YAML document, strictly: after a fault every getter returns
// a default, and the caller looks at the fault once, at the end.
class YamlMapping {
 public:
  // `path` is the key of `node` in words, empty at the top. `fault` must outlive it.
  YamlMapping(YAML::Node node, std::string path, YamlFault& fault);

  // Required and not empty.
  std::string Text(const char* key);
  std::string OptionalText(const char* key);
  uint64_t Number(const char* key, uint64_t fallback, uint64_t min, uint64_t max);
  bool Flag(const char* key, bool fallback);
  // As "5m", "30s".
  absl::Duration Duration(const char* key, absl::Duration fallback, absl::Duration min,
                          absl::Duration max);
  std::vector<std::string> Texts(const char* key);
  // An absent child is an empty mapping: what it requires is then reported as missing.
  YamlMapping Child(const char* key);
  std::vector<YamlMapping> Children(const char* key);
  bool Has(const char* key) const;

  // Reports the first key that nobody asked for, with the nearest one that was.
  void Finish();
  // A fault of the value of `key`.
  void Report(const char* key, const std::string& message);

 private:
  YAML::Node Take(const char* key);
  std::string PathOf(const std::string& key) const;

  YAML::Node node_;
  std::string path_;
  YamlFault& fault_;
  std::set<std::string> known_;
};

// The document of `text`; InvalidArgument "file:line:column: ..." when it is no YAML or not one
// mapping.
absl::StatusOr<YAML::Node> LoadYaml(const std::string& file_name, const std::string& text);

}  // namespace latchkey::server
