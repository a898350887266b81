#include "policy/text_checks.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "policy/str_cat.h"

namespace latchkey::policy {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;
};

// Reads one UTF-8 sequence (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
std::optional<CodePoint> ReadCodePoint(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return CodePoint{first, 1};
  const size_t length = first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2);
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return std::nullopt;
  uint32_t value = first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10FFFF) return std::nullopt;
  if (value >= 0xD800 && value <= 0xDFFF) return std::nullopt;
  return CodePoint{value, length};
}

// Control, direction and zero-width characters, and the line ends that only some programs see.
bool IsHidden(uint32_t c) {
  if (c < 0x20) return c != '\n' && c != '\r' && c != '\t';
  if (c >= 0x7F && c <= 0x9F) return true;
  return c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

Issue IssueAt(std::string_view text, size_t offset, std::string message, std::string suggestion) {
  const std::string_view before = text.substr(0, offset);
  Issue issue;
  issue.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  issue.column = 1 + static_cast<int>(offset - line_start);
  issue.message = std::move(message);
  issue.suggestion = std::move(suggestion);
  return issue;
}

}  // namespace

bool CheckText(std::string_view text, std::vector<Issue>& issues) {
  if (text.size() > kMaxPolicySizeBytes) {
    issues.push_back(IssueAt(
        text, 0, StrCat("the policy has ", text.size(), " bytes, more than ", kMaxPolicySizeBytes),
        ""));
    return false;
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    issues.push_back(
        IssueAt(text, 0, "the text begins with a byte order mark", "save it as UTF-8 without one"));
    return false;
  }
  for (size_t at = 0; at < text.size();) {
    const auto code_point = ReadCodePoint(text.substr(at));
    if (!code_point) {
      issues.push_back(IssueAt(text, at, "the text is not UTF-8", "save it as UTF-8"));
      return false;
    }
    if (IsHidden(code_point->value)) {
      issues.push_back(IssueAt(text, at,
                               StrCat("a character that cannot be seen: U+",
                                      absl::Hex(code_point->value, absl::kZeroPad4)),
                               "remove it"));
      return false;
    }
    at += code_point->length;
  }
  return true;
}

bool HasHiddenCharacter(std::string_view text) {
  while (!text.empty()) {
    const auto code_point = ReadCodePoint(text);
    if (!code_point || IsHidden(code_point->value)) return true;
    text.remove_prefix(code_point->length);
  }
  return false;
}

}  // namespace latchkey::policy
