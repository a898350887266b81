#include "policy/parse.h"
#include "policy/str_cat.h"
#include "policy/yaml_tree.h"

namespace latchkey::policy {
namespace {

constexpr size_t kMaxQuoted = 160;

// The quoted line, as it can be printed: what is not printable ASCII or whole UTF-8 must not reach
// a terminal.
std::string Printable(std::string_view line) {
  std::string out(line.substr(0, kMaxQuoted));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte >= 0x7F) c = '?';
  }
  return out;
}

// Blanks up to `column`, with the line's own tabs, so that the caret stands below its place.
std::string Indent(std::string_view line, int column) {
  std::string indent;
  for (int i = 0; i + 1 < column && i < line.size(); ++i) indent += line[i] == '\t' ? '\t' : ' ';
  return indent;
}

}  // namespace

std::string FormatIssues(std::string_view file_name, std::string_view text,
                         const std::vector<Issue>& issues) {
  std::string out;
  for (const Issue& issue : issues) {
    StrAppend(&out, file_name, ":", issue.line, ":", issue.column, ": ",
              issue.severity == Severity::kError ? "error" : "warning", ": ", issue.message, "\n");
    const std::string line = Printable(Line(text, issue.line));
    if (!line.empty()) {
      StrAppend(&out, "    ", line, "\n    ", Indent(line, issue.column), "^\n");
    }
    if (!issue.suggestion.empty()) StrAppend(&out, "    ", issue.suggestion, "\n");
  }
  return out;
}

}  // namespace latchkey::policy
