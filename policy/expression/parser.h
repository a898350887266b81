#pragma once

#include <memory>
#include <string_view>

#include "policy/expression/ast.h"
#include "policy/expression/lexer.h"

namespace latchkey::policy::expression {

inline constexpr int kMaxDepth = 32;

// `ParseExpression` returns the tree of `text`, or nullptr with `fault` filled. Nesting deeper than
// kMaxDepth is a fault.
std::unique_ptr<Ast> ParseExpression(std::string_view text, Fault& fault);

}  // namespace latchkey::policy::expression
