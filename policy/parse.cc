#include "policy/parse.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "policy/claims.h"
#include "policy/expression/checker.h"
#include "policy/literals.h"
#include "policy/nearest.h"
#include "policy/rule_checks.h"
#include "policy/str_cat.h"
#include "policy/yaml_tree.h"

namespace latchkey::policy {
namespace {

constexpr int kMaxClauses = 200;
constexpr size_t kMaxNameLength = 63;

// Names of resources: lower-case letters, digits, '-'.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

// Names of sets stand in expressions, where '-' is an operator.
bool IsSetName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameLength && absl::ascii_islower(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

}  // namespace

// `PolicyReader` walks the YAML tree once and fills a Policy, going on after a fault to report the
// next.
class PolicyReader {
 public:
  PolicyReader(std::string_view file_name, std::string_view text) : text_(text) {
    policy_.file_name_ = file_name;
    policy_.text_ = text;
  }

  ParseResult Run() {
    YamlNode root;
    if (ReadYaml(text_, root, issues_)) ReadDocument(root);
    std::stable_sort(issues_.begin(), issues_.end(), [](const Issue& a, const Issue& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    ParseResult result;
    if (!HasError()) result.policy = std::make_shared<const Policy>(std::move(policy_));
    result.issues = std::move(issues_);
    return result;
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  void ReadDocument(const YamlNode& root) {
    if (!EnsureMap(root, "a policy", {"apiVersion", "kind", "metadata", "spec"})) return;
    EnsureConstant(root, "apiVersion", "latchkey.dev/v1");
    EnsureConstant(root, "kind", "ReleasePolicy");
    const YamlNode* metadata = Required(root, "a policy", "metadata");
    if (metadata != nullptr && EnsureMap(*metadata, "metadata", {"name"})) {
      if (const YamlNode* name = Required(*metadata, "metadata", "name")) {
        policy_.name_ = NameOf(*name);
      }
    }
    if (const YamlNode* spec = Required(root, "a policy", "spec")) ReadSpec(*spec);
  }

  void ReadSpec(const YamlNode& spec) {
    if (!EnsureMap(spec, "spec",
                   {"description", "guards", "sets", "rules", "maxEvidenceAge", "notBefore",
                    "notAfter", "disclose"})) {
      return;
    }
    if (const YamlNode* node = Field(spec, "description")) policy_.description_ = TextOf(*node);
    if (const YamlNode* node = Required(spec, "spec", "guards")) ReadGuards(*node);
    if (const YamlNode* node = Field(spec, "sets")) ReadSets(*node);
    if (const YamlNode* node = Field(spec, "maxEvidenceAge")) {
      policy_.max_evidence_age_ = ParseDuration(TextOf(*node));
      if (!policy_.max_evidence_age_) Error(*node, "not a duration", kDurationHelp);
    }
    ReadValidity(spec);
    if (const YamlNode* node = Field(spec, "disclose")) {
      policy_.disclose_clauses_ = TextOf(*node) == "clauses";
      if (!policy_.disclose_clauses_) Error(*node, "disclose takes the word clauses only", "");
    }
    if (const YamlNode* node = Required(spec, "spec", "rules")) ReadRules(*node);
  }

  void ReadValidity(const YamlNode& spec) {
    const auto read = [&](std::string_view name) -> std::optional<absl::Time> {
      const YamlNode* node = Field(spec, name);
      if (node == nullptr) return std::nullopt;
      const auto time = ParseTimestamp(TextOf(*node));
      if (!time) Error(*node, "not a time", kTimestampHelp);
      return time;
    };
    policy_.not_before_ = read("notBefore");
    policy_.not_after_ = read("notAfter");
    if (policy_.not_before_ && policy_.not_after_ && *policy_.not_after_ <= *policy_.not_before_) {
      Error(*Field(spec, "notAfter"), "notAfter is not later than notBefore", "");
    }
  }

  void ReadGuards(const YamlNode& node) {
    if (!EnsureList(node, "guards", "name the keys that may be bound to this policy")) return;
    for (const YamlNode& item : node.items) {
      const std::string name = NameOf(item);
      if (policy_.Guards(name)) Error(item, StrCat(name, " is guarded twice"), "");
      policy_.guards_.push_back(name);
    }
  }

  void ReadSets(const YamlNode& node) {
    if (node.kind != YamlKind::kMap) return Error(node, "sets maps names to lists", "");
    for (const auto& [key, list] : node.members) {
      if (!IsSetName(key.text)) {
        Error(key, StrCat("\"", key.text, "\" is not the name of a set"),
              "use lower-case letters, digits and _, a letter first");
      }
      std::vector<std::string>& members = sets_[key.text];
      if (!EnsureList(list, "a set", "an empty set holds nothing")) continue;
      for (const YamlNode& item : list.items) {
        std::string member = TextOf(item);
        if (std::find(members.begin(), members.end(), member) != members.end()) {
          Error(item, StrCat("\"", member, "\" occurs twice"), "");
        }
        members.push_back(std::move(member));
      }
    }
  }

  void ReadRules(const YamlNode& node) {
    if (!EnsureList(node, "rules", "a policy without rules releases nothing")) return;
    std::set<std::string> names;
    std::vector<const YamlNode*> sound;  // the nodes of policy_.rules_
    for (const YamlNode& item : node.items) {
      std::optional<Rule> rule = ReadRule(item);
      if (!rule) continue;
      if (!names.insert(rule->name).second) {
        Error(item, StrCat("two rules are named ", rule->name), "");
      }
      policy_.rules_.push_back(std::move(*rule));
      sound.push_back(&item);
    }
    if (clauses_ > kMaxClauses) {
      Error(node, StrCat("the policy has ", clauses_, " clauses, more than ", kMaxClauses),
            "use sets");
    }
    for (size_t i = 0; i < sound.size(); ++i) CheckRule(policy_.rules_[i], *sound[i]);
  }

  // Returns nothing when the rule as a whole cannot be judged, after an issue.
  std::optional<Rule> ReadRule(const YamlNode& node) {
    const size_t before = CountErrors();
    if (!EnsureMap(node, "a rule", {"name", "effect", "source", "conditions", "admitsStrangers"})) {
      return std::nullopt;
    }
    Rule rule;
    rule.line = node.line;
    if (const YamlNode* name = Required(node, "a rule", "name")) rule.name = NameOf(*name);
    ReadEffect(node, rule);
    if (const YamlNode* source = Field(node, "source")) {
      rule.source = NameOf(*source);
    } else if (rule.effect == Effect::kPermit) {
      Error(node, "a permit rule needs \"source\"",
            "name an authority, or hardware for evidence verified here");
    }
    if (const YamlNode* admits = Field(node, "admitsStrangers")) {
      rule.admits_strangers = BoolOf(*admits);
      if (rule.effect == Effect::kForbid)
        Error(*admits, "a forbid rule admits nobody", "remove it");
    }
    if (const YamlNode* conditions = Required(node, "a rule", "conditions")) {
      ReadConditions(*conditions, rule);
    }
    if (CountErrors() != before) return std::nullopt;
    return rule;
  }

  void ReadEffect(const YamlNode& node, Rule& rule) {
    const YamlNode* effect = Required(node, "a rule", "effect");
    if (effect == nullptr) return;
    const std::string text = TextOf(*effect);
    if (text == "forbid") {
      rule.effect = Effect::kForbid;
    } else if (text != "permit") {
      Error(*effect, StrCat("\"", text, "\" is not an effect"), "write permit or forbid");
    }
  }

  void ReadConditions(const YamlNode& node, Rule& rule) {
    if (!EnsureList(node, "conditions", "a rule without conditions would always hold")) return;
    for (const YamlNode& item : node.items) {
      if (!EnsureMap(item, "a condition", {"expression", "message"})) continue;
      Condition condition;
      if (const YamlNode* message = Field(item, "message")) condition.message = TextOf(*message);
      const YamlNode* expression = Required(item, "a condition", "expression");
      if (expression == nullptr) continue;
      condition.expression = TextOf(*expression);
      condition.line = expression->line;
      Compile(*expression, rule, condition);
      rule.conditions.push_back(std::move(condition));
    }
  }

  void Compile(const YamlNode& node, const Rule& rule, Condition& condition) {
    if (node.kind != YamlKind::kScalar) return;
    const auto checked =
        expression::CheckExpression(condition.expression, {rule.effect, rule.source, &sets_});
    for (const auto& fault : checked.faults) Report(node, fault, Severity::kError);
    for (const auto& warning : checked.warnings) Report(node, warning, Severity::kWarning);
    clauses_ += checked.atoms;
    condition.formula = checked.formula;
  }

  void Report(const YamlNode& node, const expression::Fault& fault, Severity severity) {
    const auto [line, column] = PositionIn(node, text_, fault.begin);
    issues_.push_back({line, column, severity, fault.message, fault.suggestion});
  }

  void CheckRule(const Rule& rule, const YamlNode& node) {
    if (rule.effect != Effect::kPermit) return;
    for (RuleFinding& finding : CheckPermit(rule, policy_.rules_)) {
      issues_.push_back({node.line, node.column, finding.severity, std::move(finding.message),
                         std::move(finding.suggestion)});
    }
  }

  // Readers of single values: they report, and return something harmless.

  std::string TextOf(const YamlNode& node) {
    if (node.kind != YamlKind::kScalar || node.text.empty()) {
      Error(node, "expected a text here", "");
      return "";
    }
    return node.text;
  }

  std::string NameOf(const YamlNode& node) {
    std::string text = TextOf(node);
    if (!text.empty() && !IsName(text)) {
      Error(node, StrCat("\"", text, "\" is not a name"),
            "use 1 to 63 lower-case letters, digits and -");
    }
    return text;
  }

  bool BoolOf(const YamlNode& node) {
    const bool sound = node.kind == YamlKind::kScalar && !node.quoted;
    if (!sound || (node.text != "true" && node.text != "false")) {
      Error(node, "expected true or false", node.quoted ? "drop the quotes" : "");
      return false;
    }
    return node.text == "true";
  }

  void EnsureConstant(const YamlNode& map, std::string_view name, std::string_view expected) {
    const YamlNode* node = Required(map, "a policy", name);
    if (node == nullptr || (node->kind == YamlKind::kScalar && node->text == expected)) return;
    Error(*node, StrCat(name, " is not ", expected), StrCat("write ", expected));
  }

  bool EnsureMap(const YamlNode& node, std::string_view what, Names fields) {
    if (node.kind != YamlKind::kMap) {
      Error(node, StrCat(what, " is a map"), StrCat("its first field is ", *fields.begin()));
      return false;
    }
    const std::vector<std::string_view> names(fields);
    for (const auto& [key, value] : node.members) {
      if (std::find(names.begin(), names.end(), key.text) != names.end()) continue;
      const std::string_view nearest = NearestName(key.text, names);
      Error(key, StrCat("unknown field \"", key.text, "\" in ", what),
            nearest.empty() ? "" : StrCat("did you mean ", nearest, "?"));
    }
    return true;
  }

  bool EnsureList(const YamlNode& node, std::string_view what, std::string_view if_empty) {
    if (node.kind != YamlKind::kSequence) {
      Error(node, StrCat(what, " must be a list"), "");
      return false;
    }
    if (node.items.empty()) Error(node, StrCat(what, " must not be empty"), if_empty);
    return !node.items.empty();
  }

  static const YamlNode* Field(const YamlNode& map, std::string_view name) {
    for (const auto& [key, value] : map.members) {
      if (key.text == name) return &value;
    }
    return nullptr;
  }

  const YamlNode* Required(const YamlNode& map, std::string_view what, std::string_view name) {
    const YamlNode* node = Field(map, name);
    if (node == nullptr) Error(map, StrCat(what, " needs \"", name, "\""), "");
    return node;
  }

  void Error(const YamlNode& at, std::string message, std::string_view suggestion) {
    issues_.push_back(
        {at.line, at.column, Severity::kError, std::move(message), std::string(suggestion)});
  }

  size_t CountErrors() const {
    return std::count_if(issues_.begin(), issues_.end(),
                         [](const Issue& issue) { return issue.severity == Severity::kError; });
  }
  bool HasError() const { return CountErrors() > 0; }

  std::string_view text_;
  Policy policy_;
  expression::Sets sets_;
  std::vector<Issue> issues_;
  int clauses_ = 0;
};

ParseResult ParsePolicy(std::string_view file_name, std::string_view text) {
  return PolicyReader(file_name, text).Run();
}

}  // namespace latchkey::policy
