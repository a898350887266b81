#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "policy/decision.h"

namespace latchkey::policy {

namespace expression {
struct Formula;
}

// One checked condition: its text as written, the author's message (may be empty) and its compiled
// form.
struct Condition {
  std::string expression;
  std::string message;
  int line = 0;
  std::shared_ptr<const expression::Formula> formula;
};

// One rule. An empty `source` occurs only in a forbid and means every attestation.
struct Rule {
  std::string name;
  Effect effect = Effect::kPermit;
  std::string source;
  bool admits_strangers = false;
  std::vector<Condition> conditions;
  int line = 0;
};

// `Policy` is an immutable, compiled policy document. Only ParsePolicy makes one, so a Policy has
// passed every check.
class Policy {
 public:
  const std::string& name() const { return name_; }
  // Where the text came from, for messages.
  const std::string& file_name() const { return file_name_; }
  const std::string& description() const { return description_; }
  // The exact text that was parsed; a digest of the policy is a digest of this.
  const std::string& text() const { return text_; }
  const std::vector<std::string>& guards() const { return guards_; }
  bool Guards(std::string_view key_name) const;
  const std::vector<Rule>& rules() const { return rules_; }
  std::optional<absl::Duration> max_evidence_age() const { return max_evidence_age_; }
  std::optional<absl::Time> not_before() const { return not_before_; }
  std::optional<absl::Time> not_after() const { return not_after_; }
  // Whether a refused caller may see the clause-by-clause account.
  bool disclose_clauses() const { return disclose_clauses_; }

 private:
  friend class PolicyReader;
  Policy() = default;

  std::string name_;
  std::string file_name_;
  std::string description_;
  std::string text_;
  std::vector<std::string> guards_;
  std::vector<Rule> rules_;
  std::optional<absl::Duration> max_evidence_age_;
  std::optional<absl::Time> not_before_;
  std::optional<absl::Time> not_after_;
  bool disclose_clauses_ = false;
};

}  // namespace latchkey::policy
