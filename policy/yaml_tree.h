#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/parse.h"

namespace latchkey::policy {

struct YamlMember;

enum class YamlKind { kScalar, kSequence, kMap };

// `YamlNode` is a node of the small part of YAML that policies are written in: maps with plain
// keys, sequences and scalars. Anchors, aliases, tags, merge keys, duplicate keys and further
// documents have been refused.
struct YamlNode {
  YamlKind kind = YamlKind::kScalar;
  int line = 1;  // from 1
  int column = 1;
  bool quoted = false;
  std::string text;  // scalars; empty and not quoted for null
  std::vector<YamlNode> items;
  std::vector<YamlMember> members;  // in the order of the text
};

struct YamlMember {
  YamlNode key;
  YamlNode value;
};

// `ReadYaml` reads one document. It returns false after it added an issue.
bool ReadYaml(std::string_view text, YamlNode& root, std::vector<Issue>& issues);

// `PositionIn` returns line and column of byte `offset` of a scalar's value. Where the scalar is
// written over several lines or with escapes it returns where the scalar begins.
std::pair<int, int> PositionIn(const YamlNode& scalar, std::string_view text, size_t offset);

// `Line` returns line `number` of `text`, counted from 1, without its end.
std::string_view Line(std::string_view text, int number);

}  // namespace latchkey::policy
