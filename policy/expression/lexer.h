#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The expression language of policies: a typed, total subset of CEL (docs/policy_language.md). Text
// goes through lexer -> parser (Ast) -> checker (Formula) -> evaluator; all but the last run once,
// when the policy is written.

namespace latchkey::policy::expression {

// A fault at a byte range of the expression's text.
struct Fault {
  size_t begin = 0;
  size_t end = 0;
  std::string message;
  std::string suggestion;
};

enum class TokenKind { kName, kInt, kString, kOperator, kEnd };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t begin = 0;
  size_t end = 0;
  std::string text;  // a name, an operator, or the decoded content of a string
  int64_t number = 0;
};

// `Lex` cuts `text` into tokens, the last of kind kEnd. On a fault it returns false and fills
// `fault`.
bool Lex(std::string_view text, std::vector<Token>& tokens, Fault& fault);

}  // namespace latchkey::policy::expression
