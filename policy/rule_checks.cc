#include "policy/rule_checks.h"

#include <algorithm>

#include "policy/expression/formula.h"
#include "policy/str_cat.h"

namespace latchkey::policy {
namespace {

using expression::Atom;
using expression::AtomOp;
using expression::Formula;
using expression::FormulaKind;
using expression::Operand;
using expression::OperandKind;

// The atoms that must all hold for `formula` to hold: nothing under || is among them.
void CollectConjuncts(const Formula& formula, std::vector<const Atom*>& out) {
  if (formula.kind == FormulaKind::kAtom) out.push_back(&formula.atom);
  if (formula.kind != FormulaKind::kAnd) return;
  for (const Formula& part : formula.parts) CollectConjuncts(part, out);
}

std::vector<const Atom*> ConjunctsOf(const Rule& rule) {
  std::vector<const Atom*> conjuncts;
  for (const Condition& condition : rule.conditions) {
    CollectConjuncts(*condition.formula, conjuncts);
  }
  return conjuncts;
}

bool IsLiteral(const Operand& operand, const Value& value) {
  return operand.kind == OperandKind::kLiteral && operand.literal == value;
}

// Values set by the people who own the key, unlike request.context, which the asking side chooses.
bool IsOwnersValue(const Operand& operand) {
  return operand.kind == OperandKind::kLiteral || operand.kind == OperandKind::kKeyName ||
         operand.kind == OperandKind::kKeyLabel;
}

// All zero or all ones is what a field holds when nobody set it: such a value names no owner.
bool IsUnsetBytes(const Bytes& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; }) ||
         std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\xff'; });
}

bool ComparesWithUnset(const Atom& atom) {
  if (atom.left.type != Type::kBytes) return false;
  if (atom.op == AtomOp::kIn) {
    return std::any_of(atom.texts.begin(), atom.texts.end(), IsUnsetBytes);
  }
  const auto* bytes = atom.right.literal.Get<BytesValue>();
  return bytes != nullptr && IsUnsetBytes(bytes->bytes);
}

// Behind a paravisor (rules that speak of Azure or a vTPM) the launch measurement is the
// provider's.
bool IsOwnPlatform(const Rule& rule, const std::vector<const Atom*>& conjuncts) {
  if (rule.source != kHardwareSourceName) return false;
  const auto is_behind_paravisor = [](const Operand& operand) {
    return operand.name.starts_with("azure.") || operand.name.starts_with("vtpm.");
  };
  return std::none_of(conjuncts.begin(), conjuncts.end(), [&](const Atom* atom) {
    return is_behind_paravisor(atom->left) || is_behind_paravisor(atom->right);
  });
}

bool NamesOwner(const Operand& operand, bool own_platform) {
  if (operand.kind == OperandKind::kCallerId) return true;
  if (operand.kind != OperandKind::kClaim) return false;
  return operand.claim->owner_tie == OwnerTie::kAlways ||
         (own_platform && operand.claim->owner_tie == OwnerTie::kOnOwnPlatform);
}

bool TiesToOwner(const Atom& atom, bool own_platform) {
  if (atom.negated || ComparesWithUnset(atom)) return false;
  switch (atom.op) {
    case AtomOp::kEq:
      return (NamesOwner(atom.left, own_platform) && IsOwnersValue(atom.right)) ||
             (NamesOwner(atom.right, own_platform) && IsOwnersValue(atom.left));
    case AtomOp::kIn:
      return NamesOwner(atom.left, own_platform);
    case AtomOp::kStartsWith:
      return atom.left.kind == OperandKind::kCallerId;
    default:
      return false;
  }
}

bool IsPositiveHardware(const Atom& atom) {
  if (atom.negated || atom.op == AtomOp::kNe || atom.op == AtomOp::kHas) return false;
  if (IsLiteral(atom.right, false) && atom.op == AtomOp::kEq) return false;
  return atom.left.name.starts_with("tee.") || atom.left.name.starts_with("snp.") ||
         atom.left.name.starts_with("vtpm.");
}

bool SaysDebug(const Atom& atom, bool value) {
  if (atom.left.name != "tee.debug") return false;
  if (atom.op == AtomOp::kHolds) return atom.negated != value;
  return atom.op == AtomOp::kEq && !atom.negated && IsLiteral(atom.right, value);
}

bool ExcludesDebug(const Rule& permit, const std::vector<const Atom*>& conjuncts,
                   const std::vector<Rule>& rules) {
  if (std::any_of(conjuncts.begin(), conjuncts.end(),
                  [](const Atom* atom) { return SaysDebug(*atom, false); })) {
    return true;
  }
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return rule.effect == Effect::kForbid && rule.conditions.size() == 1 &&
           (rule.source.empty() || rule.source == permit.source) &&
           rule.conditions[0].formula->kind == FormulaKind::kAtom &&
           SaysDebug(rule.conditions[0].formula->atom, true);
  });
}

RuleFinding StrangersFinding(const Rule& permit) {
  if (permit.admits_strangers) {
    return {Severity::kWarning, StrCat("rule ", permit.name, " admits strangers, as it says"), ""};
  }
  std::string mend =
      "tie it to its owner with == or in on azure.vm_id, azure.user_data, snp.host_data, "
      "a PCR of your own image (4, 8 to 15) or caller.id";
  if (permit.source == kHardwareSourceName) {
    StrAppend(&mend, ", or on snp.measurement where no provider's paravisor is measured");
  }
  StrAppend(&mend, "; or say admitsStrangers: true");
  return {Severity::kError,
          StrCat("rule ", permit.name, " admits strangers: anyone can rent hardware that meets it"),
          std::move(mend)};
}

}  // namespace

std::vector<RuleFinding> CheckPermit(const Rule& permit, const std::vector<Rule>& rules) {
  std::vector<RuleFinding> findings;
  const auto conjuncts = ConjunctsOf(permit);
  const auto any = [&](auto predicate) {
    return std::any_of(conjuncts.begin(), conjuncts.end(),
                       [&](const Atom* atom) { return predicate(*atom); });
  };
  if (!any(IsPositiveHardware)) {
    findings.push_back({Severity::kError,
                        StrCat("rule ", permit.name, " never says what hardware it wants"),
                        "add a condition such as tee.type == \"snp\""});
  }
  const bool own_platform = IsOwnPlatform(permit, conjuncts);
  if (!any([&](const Atom& atom) { return TiesToOwner(atom, own_platform); })) {
    findings.push_back(StrangersFinding(permit));
  }
  if (!ExcludesDebug(permit, conjuncts, rules)) {
    findings.push_back({Severity::kWarning, StrCat("rule ", permit.name, " lets debug guests in"),
                        "add the condition !tee.debug"});
  }
  return findings;
}

}  // namespace latchkey::policy
