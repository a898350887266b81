#include "policy/expression/operands.h"

#include <utility>

#include "absl/strings/str_join.h"
#include "policy/literals.h"
#include "policy/nearest.h"
#include "policy/str_cat.h"

namespace latchkey::policy::expression {
namespace {

constexpr std::string_view kContextPath = "request.context";
constexpr std::string_view kLabelsPath = "key.labels";
constexpr std::string_view kTokenPath = "token";

std::string DidYouMean(std::string_view name) {
  return name.empty() ? "" : StrCat("did you mean ", name, "?");
}

std::string NearestNameOf(std::string_view name) {
  std::vector<std::string_view> names = {"now", "key.name", "caller.id"};
  for (const ClaimDefinition& claim : AllClaims()) names.push_back(claim.name);
  return std::string(NearestName(name, names));
}

// Whether `name` reads like "authority.claim".
bool NamesForeignSource(std::string_view name) {
  const size_t dot = name.find('.');
  return dot != std::string_view::npos && FindClaim(name.substr(dot + 1)) != nullptr;
}

Operand Make(OperandKind kind, Type type, std::string name, std::string key = "") {
  Operand operand;
  operand.kind = kind;
  operand.type = type;
  operand.name = std::move(name);
  operand.key = std::move(key);
  return operand;
}

Operand MakeLiteral(Value value) {
  Operand operand = Make(OperandKind::kLiteral, value.type(), ToDisplay(value));
  operand.literal = std::move(value);
  return operand;
}

Operand MakeAge(const ClaimDefinition& timestamp, std::string name) {
  Operand operand = Make(OperandKind::kAge, Type::kDuration, std::move(name));
  operand.claim = &timestamp;
  return operand;
}

class Resolver {
 public:
  Resolver(const Scope& scope, Findings& findings) : scope_(scope), findings_(findings) {}

  std::optional<Operand> Resolve(const Ast& node) {
    switch (node.kind) {
      case AstKind::kBool:
        return MakeLiteral(node.number == 1);
      case AstKind::kInt:
        return MakeLiteral(node.number);
      case AstKind::kString:
        return MakeLiteral(node.text);
      case AstKind::kName:
        return Name(node);
      case AstKind::kIndex:
        return Indexed(node, /*presence=*/false);
      case AstKind::kCall:
        return TimeLiteral(node);
      case AstKind::kMethod:
        return Accessor(node);
      case AstKind::kSubtract:
        return Age(node);
      case AstKind::kList:
        return Fail(node, "a list stands only to the right of \"in\"");
      default:
        return Fail(node, "compare values, not conditions", "join conditions with && and ||");
    }
  }

  std::optional<Operand> Presence(const Ast& node) {
    if (node.kind == AstKind::kIndex) return Indexed(node, /*presence=*/true);
    if (node.kind == AstKind::kName && FindClaim(node.text) != nullptr) return Name(node);
    if (node.kind == AstKind::kName && node.text == "caller.id") return Name(node);
    if (node.kind == AstKind::kName && node.text != "now" && node.text != "key.name") {
      return Unknown(node);
    }
    return Fail(node, "has() asks after a claim, a context key, a label or a token value",
                "for instance has(snp.chip_id)");
  }

 private:
  std::optional<Operand> Name(const Ast& node) {
    if (node.text == "now") return Make(OperandKind::kNow, Type::kTimestamp, node.text);
    if (node.text == "key.name") return Make(OperandKind::kKeyName, Type::kString, node.text);
    if (node.text == "caller.id") return Make(OperandKind::kCallerId, Type::kString, node.text);
    const ClaimDefinition* claim = FindClaim(node.text);
    if (claim == nullptr) return Unknown(node);
    if (!EnsureSourceStates(node, *claim)) return std::nullopt;
    if (claim->name == "attestation.age") {
      return MakeAge(*FindClaim("attestation.evidence_time"), node.text);
    }
    Operand operand = Make(OperandKind::kClaim, claim->type, node.text);
    operand.claim = claim;
    return operand;
  }

  std::optional<Operand> Unknown(const Ast& node) {
    const std::string& name = node.text;
    for (const std::string_view map : {kContextPath, kLabelsPath, kTokenPath}) {
      if (name == map) return Fail(node, StrCat(map, " needs a key"), Example(map, "name"));
      if (name.starts_with(StrCat(map, "."))) {
        return Fail(node, StrCat("keys of ", map, " are written in brackets"),
                    StrCat("write ", Example(map, name.substr(map.size() + 1))));
      }
    }
    if (name.starts_with("sets.")) {
      return Fail(node, "a set stands only to the right of \"in\"",
                  StrCat("write azure.vm_id in ", name));
    }
    if (NamesForeignSource(name)) {
      return Fail(node, StrCat(name, ": a rule speaks of one source only"),
                  StrCat("write a rule with source: ", name.substr(0, name.find('.'))));
    }
    return Fail(node, StrCat("unknown claim ", name), DidYouMean(NearestNameOf(name)));
  }

  bool EnsureSourceStates(const Ast& node, const ClaimDefinition& claim) {
    if (scope_.source.empty()) return true;
    const bool hardware = scope_.source == kHardwareSourceName;
    if ((claim.sources & (hardware ? kHardwareSources : kTokenSources)) != 0) return true;
    Fail(
        node,
        StrCat(claim.name, hardware ? " is stated by tokens only, never by hardware evidence"
                                    : " is stated by hardware evidence only, never by a token"),
        hardware ? "name the authority as the rule's source" : "set the rule's source to hardware");
    return false;
  }

  // request.context["k"], key.labels["k"], token["a"]["b"].
  std::optional<Operand> Indexed(const Ast& node, bool presence) {
    std::vector<std::string> keys;
    const Ast* base = &node;
    for (; base->kind == AstKind::kIndex; base = base->children[0].get()) {
      keys.insert(keys.begin(), base->text);
    }
    const std::string map = base->kind == AstKind::kName ? base->text : "";
    const std::string key = absl::StrJoin(keys, ".");
    if (key.empty()) return Fail(node, "an empty key is never present");
    if (map == kTokenPath) {
      if (scope_.source == kHardwareSourceName) {
        return Fail(node, "hardware evidence has no token", "name the authority as the source");
      }
      if (!presence) {
        return Fail(node, "a raw token value has no type until an accessor names one",
                    "append .asString(), .asInt() or .asBool()");
      }
      return Make(OperandKind::kToken, Type::kSet, TokenName(keys), key);
    }
    if (map == kContextPath || map == kLabelsPath) {
      if (keys.size() > 1) return Fail(node, StrCat(map, " is flat"), "use one key");
      const auto kind = map == kContextPath ? OperandKind::kContext : OperandKind::kKeyLabel;
      return Make(kind, Type::kString, Example(map, key), key);
    }
    return Fail(*base, "only request.context, key.labels and token have keys");
  }

  std::optional<Operand> TimeLiteral(const Ast& node) {
    if (node.text != "timestamp" && node.text != "duration") {
      static constexpr std::string_view kFunctions[] = {"has", "timestamp", "duration"};
      if (node.text == "matches") return NoRegex(node);
      if (node.text == "startsWith") {
        return Fail(node, "startsWith is a method", "write name.startsWith(\"prefix\")");
      }
      if (node.text == "has") return Fail(node, "has() is a condition, not a value");
      return Fail(node, StrCat("unknown function ", node.text),
                  DidYouMean(NearestName(node.text, kFunctions)));
    }
    if (node.children.size() != 1 || node.children[0]->kind != AstKind::kString) {
      return Fail(node, StrCat(node.text, "() takes one text in quotes"));
    }
    const std::string& text = node.children[0]->text;
    if (node.text == "timestamp") {
      if (const auto time = ParseTimestamp(text)) return MakeLiteral(*time);
      return Fail(*node.children[0], StrCat("\"", text, "\" is not a time"), kTimestampHelp);
    }
    if (const auto duration = ParseDuration(text)) return MakeLiteral(*duration);
    return Fail(*node.children[0], StrCat("\"", text, "\" is not a duration"), kDurationHelp);
  }

  std::optional<Operand> Accessor(const Ast& node) {
    if (node.text == "matches") return NoRegex(node);
    static constexpr std::pair<std::string_view, Type> kAccessors[] = {
        {"asString", Type::kString}, {"asInt", Type::kInt}, {"asBool", Type::kBool}};
    for (const auto& [name, type] : kAccessors) {
      if (node.text != name) continue;
      if (node.children.size() != 1) return Fail(node, StrCat(name, "() takes no argument"));
      auto operand = Presence(*node.children[0]);
      if (!operand) return std::nullopt;
      if (operand->kind != OperandKind::kToken) {
        return Fail(node, StrCat(operand->name, " has a type already"),
                    StrCat("drop .", name, "()"));
      }
      findings_.Warn(node,
                     StrCat(operand->name, " is raw token content, without a checked name or type"),
                     "prefer a registered claim where there is one (docs/claims.md)");
      operand->type = type;
      StrAppend(&operand->name, ".", name, "()");
      return operand;
    }
    static constexpr std::string_view kMethods[] = {"startsWith", "asString", "asInt", "asBool"};
    if (node.text == "startsWith") return Fail(node, "startsWith() is a condition, not a value");
    return Fail(node, StrCat("unknown method ", node.text),
                DidYouMean(NearestName(node.text, kMethods)));
  }

  std::optional<Operand> Age(const Ast& node) {
    const Ast& left = *node.children[0];
    const Ast& right = *node.children[1];
    // "maa-weu.tee.debug" reads as maa minus weu.tee.debug.
    if (left.kind == AstKind::kName && right.kind == AstKind::kName &&
        FindClaim(left.text) == nullptr && NamesForeignSource(right.text)) {
      const std::string source = StrCat(left.text, "-", right.text.substr(0, right.text.find('.')));
      return Fail(node, "a rule speaks of one source only",
                  StrCat("write a rule with source: ", source));
    }
    if (left.kind != AstKind::kName || left.text != "now") {
      return Fail(node, "arithmetic is not part of the language",
                  "only now - timestamp is; write other values out");
    }
    const auto operand = Resolve(right);
    if (!operand) return std::nullopt;
    if (operand->kind != OperandKind::kClaim || operand->type != Type::kTimestamp) {
      return Fail(right, "now - takes a claim of type timestamp",
                  "for instance now - attestation.evidence_time");
    }
    return MakeAge(*operand->claim, StrCat("now - ", operand->name));
  }

  std::optional<Operand> NoRegex(const Ast& node) {
    return Fail(node, "regular expressions are not part of the language",
                "use ==, in, or startsWith on text");
  }

  static std::string Example(std::string_view map, std::string_view key) {
    return StrCat(map, "[\"", key, "\"]");
  }
  static std::string TokenName(const std::vector<std::string>& keys) {
    return StrCat("token[\"", absl::StrJoin(keys, "\"][\""), "\"]");
  }

  std::optional<Operand> Fail(const Ast& at, std::string message, std::string suggestion = "") {
    findings_.Fail(at, std::move(message), std::move(suggestion));
    return std::nullopt;
  }
  std::optional<Operand> Fail(const Ast& at, std::string message, std::string_view suggestion) {
    return Fail(at, std::move(message), std::string(suggestion));
  }
  std::optional<Operand> Fail(const Ast& at, std::string message, const char* suggestion) {
    return Fail(at, std::move(message), std::string(suggestion));
  }

  const Scope& scope_;
  Findings& findings_;
};

}  // namespace

std::optional<Operand> ResolveOperand(const Ast& node, const Scope& scope, Findings& findings) {
  return Resolver(scope, findings).Resolve(node);
}

std::optional<Operand> ResolvePresence(const Ast& node, const Scope& scope, Findings& findings) {
  return Resolver(scope, findings).Presence(node);
}

std::string Describe(const Operand& operand) {
  if (operand.kind == OperandKind::kLiteral) {
    return StrCat(TypeName(operand.type), " ", operand.name);
  }
  return StrCat(operand.name, " (", TypeName(operand.type), ")");
}

}  // namespace latchkey::policy::expression
