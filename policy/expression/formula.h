#pragma once

#include <string>
#include <vector>

#include "policy/claims.h"
#include "policy/value.h"

namespace latchkey::policy::expression {

enum class OperandKind {
  kLiteral,
  kClaim,
  kContext,   // request.context[key]
  kKeyName,   // key.name
  kKeyLabel,  // key.labels[key]
  kCallerId,  // caller.id
  kNow,
  kToken,  // token[key].asString() and its kin; `type` is what the accessor asks for
  kAge     // now - claim
};

// One side of a comparison.
struct Operand {
  OperandKind kind = OperandKind::kLiteral;
  Type type = Type::kBool;
  std::string name;  // as people read it, "tee.type"
  Value literal = false;
  const ClaimDefinition* claim = nullptr;
  std::string key;
};

enum class AtomOp { kHolds, kEq, kNe, kLt, kLe, kGt, kGe, kIn, kHas, kStartsWith };

// The smallest thing that is true, false or missing. A literal always stands on the right.
struct Atom {
  AtomOp op = AtomOp::kHolds;
  bool negated = false;
  Operand left;
  Operand right;
  // What kIn looks through, sorted: texts for strings and bytes, numbers for ints.
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;
};

enum class FormulaKind { kAtom, kAnd, kOr };

// A compiled expression in negation normal form: `!` has been pushed down to the atoms, which
// strong Kleene logic allows (De Morgan holds in it).
struct Formula {
  FormulaKind kind = FormulaKind::kAtom;
  Atom atom;
  std::vector<Formula> parts;
};

}  // namespace latchkey::policy::expression
