#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace latchkey::policy::expression {

enum class AstKind {
  kBool,      // number: 0 or 1
  kInt,       // number
  kString,    // text
  kName,      // text: dotted path, "tee.type"
  kIndex,     // text: the key; children[0]: what is indexed
  kList,      // children: the elements
  kCall,      // text: the function; children: the arguments
  kMethod,    // text: the method; children[0]: the receiver, then the arguments
  kNot,       // children[0]
  kAnd,       // children[0], children[1]
  kOr,        // children[0], children[1]
  kCompare,   // text: == != < <= > >=; children[0], children[1]
  kIn,        // children[0] in children[1]
  kSubtract,  // children[0] - children[1]
};

// `Ast` is the syntax tree of an expression as written, not yet checked.
struct Ast {
  AstKind kind = AstKind::kBool;
  size_t begin = 0;  // byte range in the text
  size_t end = 0;
  std::string text;
  int64_t number = 0;
  std::vector<std::unique_ptr<Ast>> children;
};

}  // namespace latchkey::policy::expression
