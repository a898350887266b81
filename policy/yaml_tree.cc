#include "policy/yaml_tree.h"

#include <sstream>

#include "policy/str_cat.h"
#include "policy/text_checks.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace latchkey::policy {
namespace {

constexpr int kMaxYamlDepth = 16;

// Thrown out of the event handler, which has no other way to stop the parser; ReadYaml catches it.
struct Refusal {
  Issue issue;
};

// Builds the tree from the parser's events, so that anchors and tags are seen before anything is
// expanded.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, YamlNode& root) : text_(text), root_(root) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) Refuse(mark, "a second document", "one policy, one file");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(Make(mark, "", anchor, YamlKind::kScalar));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "YAML aliases are not allowed", "write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp gives scalars in quotes and blocks the tag "!", and a bare "! text" too: taken for
    // text, that would drop the negation of an expression.
    const bool quoted =
        tag == "!" && std::string_view("\"'|>").find(CharAt(mark)) != std::string_view::npos;
    YamlNode node = Make(mark, quoted ? "" : tag, anchor, YamlKind::kScalar);
    node.quoted = quoted;
    node.text = value;
    if (HasHiddenCharacter(value)) Refuse(mark, "a character that cannot be seen", "remove it");
    Add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Make(mark, tag, anchor, YamlKind::kSequence));
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Make(mark, tag, anchor, YamlKind::kMap));
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Level {
    YamlNode node;
    bool has_key = false;
    YamlNode key;
  };

  static YamlNode Make(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YamlKind kind) {
    if (anchor != 0) Refuse(mark, "YAML anchors are not allowed", "write the value out");
    if (!tag.empty() && tag != "?") {
      Refuse(mark, StrCat("the YAML tag ", tag, " is not allowed"), "remove it");
    }
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  char CharAt(const YAML::Mark& mark) const {
    const std::string_view line = Line(text_, mark.line + 1);
    return mark.column < line.size() ? line[mark.column] : '\0';
  }

  void Open(YamlNode node) {
    if (levels_.size() >= kMaxYamlDepth) {
      RefuseAt(node.line, node.column, "nested too deeply", "");
    }
    if (!levels_.empty() && levels_.back().node.kind == YamlKind::kMap && !levels_.back().has_key) {
      RefuseAt(node.line, node.column, "a key must be a plain word", "");
    }
    levels_.push_back({std::move(node), false, {}});
  }

  void Close() {
    YamlNode node = std::move(levels_.back().node);
    levels_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == YamlKind::kSequence) {
      level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
      CheckKey(level.node, node);
      level.key = std::move(node);
      level.has_key = true;
    } else {
      level.node.members.push_back({std::move(level.key), std::move(node)});
      level.has_key = false;
    }
  }

  static void CheckKey(const YamlNode& map, const YamlNode& key) {
    if (key.text == "<<") {
      RefuseAt(key.line, key.column, "YAML merge keys are not allowed", "write the values out");
    }
    for (const auto& [known, value] : map.members) {
      if (known.text != key.text) continue;
      RefuseAt(key.line, key.column, StrCat("\"", key.text, "\" occurs twice"),
               StrCat("it was first given in line ", known.line));
    }
  }

  [[noreturn]] static void Refuse(const YAML::Mark& mark, std::string message,
                                  std::string suggestion) {
    RefuseAt(mark.line + 1, mark.column + 1, std::move(message), std::move(suggestion));
  }
  [[noreturn]] static void RefuseAt(int line, int column, std::string message,
                                    std::string suggestion) {
    throw Refusal{{line, column, Severity::kError, std::move(message), std::move(suggestion)}};
  }

  std::string_view text_;
  YamlNode& root_;
  std::vector<Level> levels_;
  int documents_ = 0;
};

// Much of what YAML refuses in an expression, quotes make well: a leading "!" is a tag to it, a
// leading quote or bracket ends too early, and ": " and "&" have meanings of their own.
void SuggestQuotes(std::string_view text, Issue& issue) {
  if (Line(text, issue.line).find("expression:") == std::string_view::npos) return;
  issue.suggestion = "put the whole expression in single quotes: expression: '!tee.debug'";
}

// Directives (%YAML, %TAG) would let tags hide behind short names.
bool EnsureNoDirective(std::string_view text, std::vector<Issue>& issues) {
  int line = 1;
  for (size_t at = 0; at < text.size(); ++line) {
    if (text[at] == '%') {
      issues.push_back(
          {line, 1, Severity::kError, "YAML directives are not allowed", "remove the line"});
      return false;
    }
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return true;
}

}  // namespace

bool ReadYaml(std::string_view text, YamlNode& root, std::vector<Issue>& issues) {
  if (!CheckText(text, issues) || !EnsureNoDirective(text, issues)) return false;
  root.kind = YamlKind::kScalar;
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    TreeBuilder builder(text, root);
    while (parser.HandleNextDocument(builder)) {
    }
    return true;
  } catch (const Refusal& refusal) {
    issues.push_back(refusal.issue);
    SuggestQuotes(text, issues.back());
  } catch (const YAML::Exception& error) {
    issues.push_back({error.mark.line + 1, error.mark.column + 1, Severity::kError,
                      StrCat("not YAML: ", error.msg), ""});
    SuggestQuotes(text, issues.back());
  }
  return false;
}

std::string_view Line(std::string_view text, int number) {
  size_t begin = 0;
  for (; number > 1; --number) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return "";
    begin = end + 1;
  }
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::pair<int, int> PositionIn(const YamlNode& scalar, std::string_view text, size_t offset) {
  const std::string_view line = Line(text, scalar.line);
  for (const size_t shift : {0, 1}) {  // 1 is past an opening quote
    const size_t begin = scalar.column - 1 + shift;
    if (begin < line.size() && line.substr(begin, scalar.text.size()) == scalar.text) {
      return {scalar.line, static_cast<int>(begin + 1 + offset)};
    }
  }
  return {scalar.line, scalar.column};
}

}  // namespace latchkey::policy
