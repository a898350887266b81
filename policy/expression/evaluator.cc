#include "policy/expression/evaluator.h"

#include <algorithm>
#include <map>
#include <optional>

namespace latchkey::policy::expression {
namespace {

enum class State { kPresent, kMissing, kDoesNotApply };

// The value of one operand: borrowed from the claims, or made here.
struct Found {
  State state = State::kMissing;
  const Value* borrowed = nullptr;
  std::optional<Value> own;

  const Value& value() const { return borrowed != nullptr ? *borrowed : *own; }
};

Found Borrow(const Value* value) {
  if (value == nullptr) return {};
  return {State::kPresent, value, std::nullopt};
}

Found Own(Value value) { return {State::kPresent, nullptr, std::move(value)}; }

Found InMap(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? Found{} : Own(found->second);
}

Found ClaimValue(const ClaimDefinition& claim, const Facts& facts) {
  if (facts.claims == nullptr) return {};
  if (const Value* value = facts.claims->Find(claim)) return Borrow(value);
  return {facts.claims->Applies(claim) ? State::kMissing : State::kDoesNotApply, nullptr,
          std::nullopt};
}

Found TokenValue(const Operand& operand, const Facts& facts) {
  const Value* value = facts.claims == nullptr ? nullptr : facts.claims->FindRawToken(operand.key);
  // has() asks for no type; an accessor finds only values of its own.
  if (value == nullptr || (operand.type != Type::kSet && value->type() != operand.type)) return {};
  return Borrow(value);
}

Found Find(const Operand& operand, const Facts& facts) {
  switch (operand.kind) {
    case OperandKind::kLiteral:
      return Borrow(&operand.literal);
    case OperandKind::kClaim:
      return ClaimValue(*operand.claim, facts);
    case OperandKind::kContext:
      return InMap(facts.request.context, operand.key);
    case OperandKind::kKeyName:
      return Own(facts.request.key_name);
    case OperandKind::kKeyLabel:
      return InMap(facts.request.key_labels, operand.key);
    case OperandKind::kCallerId:
      return facts.request.caller.empty() ? Found{} : Own(facts.request.caller);
    case OperandKind::kNow:
      return Own(facts.now);
    case OperandKind::kToken:
      return TokenValue(operand, facts);
    case OperandKind::kAge: {
      Found found = ClaimValue(*operand.claim, facts);
      if (found.state != State::kPresent) return found;
      return Own(facts.now - *found.value().Get<absl::Time>());
    }
  }
  return {};
}

// -1, 0, 1 for the ordered types; the checker made both of one type.
template <typename T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int OrderOf(const Value& a, const Value& b) {
  if (const auto* number = a.Get<int64_t>()) return Order(*number, *b.Get<int64_t>());
  if (const auto* time = a.Get<absl::Time>()) return Order(*time, *b.Get<absl::Time>());
  return Order(*a.Get<absl::Duration>(), *b.Get<absl::Duration>());
}

bool IsMember(const Atom& atom, const Value& value) {
  if (const auto* number = value.Get<int64_t>()) {
    return std::binary_search(atom.numbers.begin(), atom.numbers.end(), *number);
  }
  const auto* text = value.Get<std::string>();
  const std::string& wanted = text != nullptr ? *text : value.Get<BytesValue>()->bytes;
  return std::binary_search(atom.texts.begin(), atom.texts.end(), wanted);
}

bool Holds(const Atom& atom, const Value& left, const Value& right) {
  switch (atom.op) {
    case AtomOp::kHolds:
      return *left.Get<bool>();
    case AtomOp::kEq:
      return left == right;
    case AtomOp::kNe:
      return !(left == right);
    case AtomOp::kLt:
      return OrderOf(left, right) < 0;
    case AtomOp::kLe:
      return OrderOf(left, right) <= 0;
    case AtomOp::kGt:
      return OrderOf(left, right) > 0;
    case AtomOp::kGe:
      return OrderOf(left, right) >= 0;
    case AtomOp::kIn:
      return IsMember(atom, left);
    case AtomOp::kStartsWith:
      return left.Get<std::string>()->starts_with(*right.Get<std::string>());
    case AtomOp::kHas:
      return true;
  }
  return false;
}

Tri ToTri(bool value) { return value ? Tri::kTrue : Tri::kFalse; }

Tri EvaluateAtom(const Atom& atom, const Facts& facts) {
  const Found left = Find(atom.left, facts);
  const Found right = Find(atom.right, facts);
  if (left.state == State::kDoesNotApply || right.state == State::kDoesNotApply) {
    if (facts.effect == Effect::kForbid) return Tri::kFalse;
    return atom.op == AtomOp::kHas ? Tri::kFalse : Tri::kMissing;
  }
  if (atom.op == AtomOp::kHas) return ToTri((left.state == State::kPresent) != atom.negated);
  if (left.state == State::kMissing || right.state == State::kMissing) return Tri::kMissing;
  return ToTri(Holds(atom, left.value(), right.value()) != atom.negated);
}

void AppendSeen(const Operand& operand, const Facts& facts, ValuesSeen& seen) {
  if (operand.kind == OperandKind::kLiteral) return;
  for (const auto& [name, value] : seen) {
    if (name == operand.name) return;
  }
  const Found found = Find(operand, facts);
  switch (found.state) {
    case State::kPresent:
      seen.emplace_back(operand.name, ToDisplay(found.value()));
      return;
    case State::kMissing:
      seen.emplace_back(operand.name, "missing");
      return;
    case State::kDoesNotApply:
      seen.emplace_back(operand.name, "does not apply");
      return;
  }
}

void AppendSeen(const Formula& formula, const Facts& facts, ValuesSeen& seen) {
  if (formula.kind == FormulaKind::kAtom) {
    AppendSeen(formula.atom.left, facts, seen);
    AppendSeen(formula.atom.right, facts, seen);
  }
  for (const Formula& part : formula.parts) AppendSeen(part, facts, seen);
}

}  // namespace

Tri EvaluateFormula(const Formula& formula, const Facts& facts) {
  if (formula.kind == FormulaKind::kAtom) return EvaluateAtom(formula.atom, facts);
  // Strong Kleene: `and` is the least of its parts, `or` the greatest, in the order false < missing
  // < true.
  const bool conjunction = formula.kind == FormulaKind::kAnd;
  Tri result = conjunction ? Tri::kTrue : Tri::kFalse;
  for (const Formula& part : formula.parts) {
    const Tri value = EvaluateFormula(part, facts);
    result = conjunction ? std::min(result, value) : std::max(result, value);
  }
  return result;
}

ValuesSeen SeenBy(const Formula& formula, const Facts& facts) {
  ValuesSeen seen;
  AppendSeen(formula, facts, seen);
  return seen;
}

}  // namespace latchkey::policy::expression
