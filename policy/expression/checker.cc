#include "policy/expression/checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "policy/expression/operands.h"
#include "policy/expression/parser.h"
#include "policy/nearest.h"
#include "policy/str_cat.h"

namespace latchkey::policy::expression {
namespace {

bool IsOrdered(Type type) {
  return type == Type::kInt || type == Type::kTimestamp || type == Type::kDuration;
}

AtomOp OpOf(std::string_view text) {
  if (text == "==") return AtomOp::kEq;
  if (text == "!=") return AtomOp::kNe;
  if (text == "<") return AtomOp::kLt;
  if (text == "<=") return AtomOp::kLe;
  if (text == ">") return AtomOp::kGt;
  return AtomOp::kGe;
}

std::vector<std::string_view> SplitValues(std::string_view values) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= values.size();) {
    const size_t end = std::min(values.find('|', begin), values.size());
    parts.push_back(values.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string JoinValues(const std::vector<std::string_view>& values) {
  std::string text;
  for (const std::string_view value : values) StrAppend(&text, text.empty() ? "" : ", ", value);
  return text;
}

// The same comparison with its sides exchanged.
AtomOp Mirror(AtomOp op) {
  switch (op) {
    case AtomOp::kLt:
      return AtomOp::kGt;
    case AtomOp::kLe:
      return AtomOp::kGe;
    case AtomOp::kGt:
      return AtomOp::kLt;
    case AtomOp::kGe:
      return AtomOp::kLe;
    default:
      return op;
  }
}

class Checker {
 public:
  Checker(const Scope& scope, Checked& checked)
      : scope_(scope), checked_(checked), findings_(checked) {}

  // Compiles `node`, negated or not. After a fault the formula returned is of no use.
  Formula Condition(const Ast& node, bool negated) {
    switch (node.kind) {
      case AstKind::kNot:
        return Condition(*node.children[0], !negated);
      case AstKind::kAnd:
      case AstKind::kOr: {
        Formula formula;
        // De Morgan: not (a and b) is (not a) or (not b).
        const bool conjunction = (node.kind == AstKind::kAnd) != negated;
        formula.kind = conjunction ? FormulaKind::kAnd : FormulaKind::kOr;
        for (const auto& child : node.children) {
          formula.parts.push_back(Condition(*child, negated));
        }
        return formula;
      }
      default: {
        ++checked_.atoms;
        Formula formula;
        formula.atom.negated = negated;
        AtomOf(node, formula.atom);
        return formula;
      }
    }
  }

 private:
  void AtomOf(const Ast& node, Atom& atom) {
    if (node.kind == AstKind::kCompare) return Compare(node, atom);
    if (node.kind == AstKind::kIn) return In(node, atom);
    if (node.kind == AstKind::kCall && node.text == "has") return Has(node, atom);
    if (node.kind == AstKind::kMethod && node.text == "startsWith") return StartsWith(node, atom);
    const auto operand = ResolveOperand(node, scope_, findings_);
    if (!operand) return;
    if (operand->type != Type::kBool) {
      return findings_.Fail(node, StrCat(Describe(*operand), " is not a condition"),
                            "compare it, for instance with ==");
    }
    atom.op = AtomOp::kHolds;
    atom.left = *operand;
  }

  void Compare(const Ast& node, Atom& atom) {
    auto left = ResolveOperand(*node.children[0], scope_, findings_);
    auto right = ResolveOperand(*node.children[1], scope_, findings_);
    if (!left || !right) return;
    atom.op = OpOf(node.text);
    const bool left_literal = left->kind == OperandKind::kLiteral;
    if (left_literal && right->kind == OperandKind::kLiteral) {
      return findings_.Fail(node, "compares two literals", "name a claim on one side");
    }
    const Ast* right_node = node.children[left_literal ? 0 : 1].get();
    if (left_literal) {
      std::swap(left, right);
      atom.op = Mirror(atom.op);
    }
    if (right->kind == OperandKind::kLiteral && !CoerceLiteral(*right_node, *left, *right)) return;
    if (left->type != right->type) return Mismatch(node, *right_node, *left, *right);
    const bool equality = atom.op == AtomOp::kEq || atom.op == AtomOp::kNe;
    if (!equality && !IsOrdered(left->type)) {
      return findings_.Fail(
          node, StrCat(left->name, " is a ", TypeName(left->type), ", which has no order"),
          "use == or in");
    }
    atom.left = std::move(*left);
    atom.right = std::move(*right);
  }

  // Turns the text on the right into what `left` holds: bytes from hex, or one of its known values.
  bool CoerceLiteral(const Ast& at, const Operand& left, Operand& right) {
    const std::string* text = right.literal.Get<std::string>();
    if (text == nullptr) return true;
    if (left.type == Type::kBytes) {
      std::string error, mend;
      auto bytes = HexOf(left, *text, error, mend);
      if (!bytes) {
        findings_.Fail(at, std::move(error), std::move(mend));
        return false;
      }
      right.literal = BytesValue{std::move(*bytes)};
      right.type = Type::kBytes;
      return true;
    }
    if (left.type != Type::kString) return true;
    std::string error, mend;
    if (IsPossible(left, *text, error, mend)) return true;
    findings_.Fail(at, std::move(error), std::move(mend));
    return false;
  }

  void Mismatch(const Ast& node, const Ast& right_node, const Operand& left, const Operand& right) {
    std::string mend;
    if (right_node.kind == AstKind::kString) {
      if (left.type == Type::kInt || left.type == Type::kBool) mend = "drop the quotes";
      if (left.type == Type::kTimestamp) mend = "write timestamp(\"...\")";
      if (left.type == Type::kDuration) mend = "write duration(\"...\")";
    } else if (left.type == Type::kString && right.kind == OperandKind::kLiteral) {
      mend = "put the value in quotes";
    } else if (left.type == Type::kBytes && right.kind == OperandKind::kLiteral) {
      mend = "write the bytes as text in lower-case hex";
    }
    findings_.Fail(node, StrCat("compares ", Describe(left), " with ", Describe(right)),
                   std::move(mend));
  }

  void In(const Ast& node, Atom& atom) {
    const auto left = ResolveOperand(*node.children[0], scope_, findings_);
    if (!left) return;
    if (left->kind == OperandKind::kLiteral) {
      return findings_.Fail(node, "looks for a literal", "name a claim to the left of \"in\"");
    }
    if (left->type != Type::kString && left->type != Type::kInt && left->type != Type::kBytes) {
      return findings_.Fail(node, StrCat(Describe(*left), " cannot be looked for in a list"),
                            "use a comparison");
    }
    atom.op = AtomOp::kIn;
    atom.left = *left;
    const Ast& right = *node.children[1];
    if (right.kind == AstKind::kList) {
      ListMembers(right, atom);
    } else {
      SetMembers(right, atom);
    }
    std::sort(atom.texts.begin(), atom.texts.end());
    std::sort(atom.numbers.begin(), atom.numbers.end());
  }

  void ListMembers(const Ast& list, Atom& atom) {
    if (list.children.empty()) {
      return findings_.Fail(list, "an empty list holds nothing", "name at least one value");
    }
    for (const auto& element : list.children) {
      std::string error, mend;
      const bool text = element->kind == AstKind::kString;
      if (!text && element->kind != AstKind::kInt) {
        findings_.Fail(*element, "a list holds literals only: texts or numbers");
      } else if (text != (atom.left.type != Type::kInt)) {
        findings_.Fail(*element,
                       StrCat("compares ", Describe(atom.left), " with ",
                              text ? "text \"" : "number ", element->text, text ? "\"" : ""),
                       text ? "drop the quotes" : "put the value in quotes");
      } else if (!AddMember(element->text, atom, error, mend)) {
        findings_.Fail(*element, std::move(error), std::move(mend));
      }
    }
  }

  void SetMembers(const Ast& node, Atom& atom) {
    constexpr std::string_view kPrefix = "sets.";
    if (node.kind != AstKind::kName || node.text.rfind(kPrefix, 0) != 0) {
      return findings_.Fail(node, "\"in\" takes a list or a set",
                            "write [\"a\", \"b\"], or sets.name with spec.sets");
    }
    const std::string name = node.text.substr(kPrefix.size());
    const auto set = scope_.sets->find(name);
    if (set == scope_.sets->end()) {
      std::vector<std::string_view> names;
      for (const auto& [known, members] : *scope_.sets) names.push_back(known);
      const std::string_view nearest = NearestName(name, names);
      return findings_.Fail(node, StrCat("unknown set ", name),
                            nearest.empty() ? "define it under spec.sets"
                                            : StrCat("did you mean sets.", nearest, "?"));
    }
    for (const std::string& member : set->second) {
      std::string error, mend;
      if (!AddMember(member, atom, error, mend)) {
        findings_.Fail(node, StrCat("set ", name, ": ", error), std::move(mend));
      }
    }
  }

  bool AddMember(const std::string& text, Atom& atom, std::string& error, std::string& mend) {
    if (atom.left.type == Type::kBytes) {
      auto bytes = HexOf(atom.left, text, error, mend);
      if (bytes) atom.texts.push_back(std::move(*bytes));
      return bytes.has_value();
    }
    if (atom.left.type == Type::kInt) {
      int64_t number = 0;
      if (!absl::SimpleAtoi(text, &number) || number < 0) {
        error = StrCat("\"", text, "\" is not a whole number, but ", atom.left.name, " is");
        return false;
      }
      atom.numbers.push_back(number);
      return true;
    }
    atom.texts.push_back(text);
    return IsPossible(atom.left, text, error, mend);
  }

  void Has(const Ast& node, Atom& atom) {
    if (node.children.size() != 1) return findings_.Fail(node, "has() takes one name");
    auto operand = ResolvePresence(*node.children[0], scope_, findings_);
    if (!operand) return;
    // Leaving a claim out of the evidence must never open a door.
    if (scope_.effect == Effect::kPermit && atom.negated) {
      return findings_.Fail(node, "a permit cannot rest on the absence of a claim",
                            "write a forbid rule on its presence");
    }
    atom.op = AtomOp::kHas;
    atom.left = std::move(*operand);
  }

  void StartsWith(const Ast& node, Atom& atom) {
    auto operand = ResolveOperand(*node.children[0], scope_, findings_);
    if (!operand) return;
    if (operand->type == Type::kBytes) {
      return findings_.Fail(node, StrCat("a prefix of ", operand->name, " proves nothing"),
                            "compare the whole value with == or in");
    }
    if (operand->type != Type::kString || operand->kind == OperandKind::kLiteral) {
      return findings_.Fail(
          node, StrCat("startsWith() is for names of type string, not ", Describe(*operand)));
    }
    const bool literal = node.children.size() == 2 && node.children[1]->kind == AstKind::kString;
    if (!literal || node.children[1]->text.empty()) {
      return findings_.Fail(node, "startsWith() takes one text in quotes, not empty");
    }
    atom.op = AtomOp::kStartsWith;
    atom.left = std::move(*operand);
    atom.right.type = Type::kString;
    atom.right.literal = node.children[1]->text;
  }

  // Whether a claim of enumerated values can ever be `text`.
  static bool IsPossible(const Operand& left, std::string_view text, std::string& error,
                         std::string& mend) {
    if (left.claim == nullptr || left.claim->values.empty()) return true;
    const std::vector<std::string_view> values = SplitValues(left.claim->values);
    if (std::find(values.begin(), values.end(), text) != values.end()) return true;
    error = StrCat(left.name, " is never \"", text, "\"");
    const std::string_view nearest = NearestName(text, values);
    mend = nearest.empty() ? StrCat("it is one of ", JoinValues(values))
                           : StrCat("did you mean \"", nearest, "\"?");
    return false;
  }

  // The bytes that `text` writes for a claim, or why it cannot be one of its values.
  static std::optional<Bytes> HexOf(const Operand& left, std::string_view text, std::string& error,
                                    std::string& mend) {
    const std::string lower = absl::AsciiStrToLower(ToAbsl(text));
    if (lower.rfind("0x", 0) == 0) {
      error = StrCat("bytes are written without 0x");
      mend = "drop the 0x";
      return std::nullopt;
    }
    const auto bytes = HexDecode(lower);
    if (!bytes.ok()) {
      error = StrCat(left.name, " is bytes, and \"", Shorten(text), "\" is not hex");
      mend = "write pairs of the digits 0-9 and a-f";
      return std::nullopt;
    }
    const size_t expected = left.claim == nullptr ? 0 : left.claim->bytes_length;
    if (expected != 0 && bytes->size() != expected) {
      error = StrCat(left.name, " has ", expected, " bytes (", 2 * expected,
                     " hex digits); this has ", bytes->size(), " (", text.size(), ")");
      mend = "";
      return std::nullopt;
    }
    if (lower != text) {
      error = "hex is written in lower case";
      mend = StrCat("write \"", lower, "\"");
      return std::nullopt;
    }
    return *bytes;
  }

  static std::string Shorten(std::string_view text) {
    return text.size() <= 40 ? std::string(text) : StrCat(text.substr(0, 37), "...");
  }

  const Scope& scope_;
  Checked& checked_;
  Findings findings_;
};

}  // namespace

Checked CheckExpression(std::string_view text, const Scope& scope) {
  Checked checked;
  Fault fault;
  const auto ast = ParseExpression(text, fault);
  if (!ast) {
    checked.faults.push_back(std::move(fault));
    return checked;
  }
  Formula formula = Checker(scope, checked).Condition(*ast, /*negated=*/false);
  if (checked.faults.empty()) {
    checked.formula = std::make_shared<const Formula>(std::move(formula));
  }
  return checked;
}

}  // namespace latchkey::policy::expression
