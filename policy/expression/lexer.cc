#include "policy/expression/lexer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "policy/str_cat.h"

namespace latchkey::policy::expression {
namespace {

bool IsNameStart(char c) { return absl::ascii_isalpha(c) || c == '_'; }
bool IsNamePart(char c) { return absl::ascii_isalnum(c) || c == '_'; }

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& tokens, Fault& fault)
      : text_(text), tokens_(tokens), fault_(fault) {}

  bool Run() {
    while (true) {
      while (at_ < text_.size() && absl::ascii_isspace(text_[at_])) ++at_;
      if (at_ == text_.size()) break;
      if (!Next()) return false;
    }
    Add(TokenKind::kEnd, at_, "");
    return true;
  }

 private:
  bool Next() {
    const char c = text_[at_];
    if (IsNameStart(c)) return Name();
    if (absl::ascii_isdigit(c)) return Number();
    if (c == '"' || c == '\'') return String();
    return Operator();
  }

  bool Name() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
    Add(TokenKind::kName, begin, text_.substr(begin, at_ - begin));
    return true;
  }

  bool Number() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
    const bool fraction =
        at_ + 1 < text_.size() && text_[at_] == '.' && absl::ascii_isdigit(text_[at_ + 1]);
    // "1e400" has been taken whole above: a name part may follow a digit.
    while (fraction && at_ < text_.size() && (IsNamePart(text_[at_]) || text_[at_] == '.')) ++at_;
    const std::string_view digits = text_.substr(begin, at_ - begin);
    int64_t number = 0;
    for (const char c : digits) {
      if (!absl::ascii_isdigit(c)) {
        return Fail(begin, at_, StrCat(digits, " is not a whole decimal number"),
                    "numbers are decimal digits only; write digests as text in lower-case hex");
      }
    }
    if (digits.size() > 1 && digits[0] == '0') {
      return Fail(begin, at_, StrCat(digits, " has a leading zero"), "drop the zero");
    }
    if (!absl::SimpleAtoi(ToAbsl(digits), &number)) {
      return Fail(begin, at_, StrCat(digits, " does not fit in 64 bits"), "");
    }
    Add(TokenKind::kInt, begin, digits);
    tokens_.back().number = number;
    return true;
  }

  bool String() {
    const size_t begin = at_;
    const char quote = text_[at_++];
    std::string content;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\n') break;
      if (text_[at_] != '\\') {
        content += text_[at_++];
        continue;
      }
      const char escaped = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
      if (escaped != '\\' && escaped != '"' && escaped != '\'') {
        return Fail(at_, at_ + 2, "unknown escape in text", "only \\\\, \\\" and \\' are escapes");
      }
      content += escaped;
      at_ += 2;
    }
    if (at_ == text_.size() || text_[at_] != quote) {
      return Fail(begin, at_, "text without a closing quote", "");
    }
    ++at_;
    Add(TokenKind::kString, begin, content);
    return true;
  }

  bool Operator() {
    for (const std::string_view op : {"&&", "||", "==", "!=", "<=", ">="}) {
      if (text_.substr(at_, 2) == op) {
        at_ += 2;
        Add(TokenKind::kOperator, at_ - 2, op);
        return true;
      }
    }
    const char c = text_[at_];
    if (std::string_view("!<>()[],.-+*/%?:").find(c) != std::string_view::npos) {
      ++at_;
      Add(TokenKind::kOperator, at_ - 1, text_.substr(at_ - 1, 1));
      return true;
    }
    if (c == '&' || c == '|' || c == '=') {
      return Fail(at_, at_ + 1, StrCat("\"", text_.substr(at_, 1), "\" is not an operator"),
                  StrCat("did you mean ", std::string(2, c), "?"));
    }
    if (static_cast<unsigned char>(c) >= 0x80) {
      return Fail(at_, at_ + 1, "a character that is not ASCII outside of quotes",
                  "names are ASCII; look for look-alike letters");
    }
    return Fail(at_, at_ + 1, StrCat("unexpected character ", text_.substr(at_, 1)), "");
  }

  void Add(TokenKind kind, size_t begin, std::string_view text) {
    tokens_.push_back({kind, begin, at_, std::string(text), 0});
  }

  bool Fail(size_t begin, size_t end, std::string message, std::string suggestion) {
    fault_ = {begin, end, std::move(message), std::move(suggestion)};
    return false;
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  Fault& fault_;
  size_t at_ = 0;
};

}  // namespace

bool Lex(std::string_view text, std::vector<Token>& tokens, Fault& fault) {
  return Lexer(text, tokens, fault).Run();
}

}  // namespace latchkey::policy::expression
