#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/evaluate.h"
#include "policy/expression/checker.h"
#include "policy/expression/evaluator.h"
#include "policy/parse.h"

// What docs/policy_language.md promises, read from the page itself.

namespace latchkey::policy {
namespace {

using Row = std::vector<std::string>;

std::string ReadPage() {
  std::ifstream in("docs/policy_language.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

Row SplitRow(const std::string& line) {
  Row cells;
  std::string cell;
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '\\') {
      cell += line[++i];
    } else if (line[i] != '|') {
      cell += line[i];
    } else {
      const size_t begin = cell.find_first_not_of(' ');
      cells.push_back(begin == std::string::npos
                          ? ""
                          : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
      cell.clear();
    }
  }
  return cells;
}

// The rows of the table whose header line is `header`.
std::vector<Row> Table(const std::string& header) {
  std::istringstream page(ReadPage());
  std::vector<Row> rows;
  std::string line;
  while (std::getline(page, line) && line != header) {
  }
  std::getline(page, line);  // the rule below the header
  while (std::getline(page, line) && line.starts_with('|')) rows.push_back(SplitRow(line));
  return rows;
}

std::string Word(Tri value) {
  return value == Tri::kTrue ? "true" : (value == Tri::kFalse ? "false" : "missing");
}

// `expression` over A and B, given as words; "missing" leaves the claim out.
std::string Truth(std::string expression, const std::string& a, const std::string& b,
                  Effect effect = Effect::kPermit) {
  for (const auto& [letter, claim] : {std::pair('A', "tee.debug"), {'B', "tee.migratable"}}) {
    const size_t at = expression.find(letter);
    if (at != std::string::npos) expression.replace(at, 1, claim);
  }
  const expression::Sets sets;
  const auto checked = expression::CheckExpression(expression, {effect, "hardware", &sets});
  if (checked.formula == nullptr) return "refused";
  Claims claims("hardware", kSourceSnp);
  if (a != "missing") claims.Set("tee.debug", a == "true");
  if (b != "missing") claims.Set("tee.migratable", b == "true");
  const Request request;
  return Word(
      expression::EvaluateFormula(*checked.formula, {effect, &claims, request, absl::UnixEpoch()}));
}

TEST(TruthTableTest, AndAndOrAreAsThePageSays) {
  const auto rows = Table("| a | b | a && b | a \\|\\| b |");
  ASSERT_EQ(rows.size(), 9);
  for (const Row& row : rows) {
    EXPECT_EQ(Truth("A && B", row[0], row[1]), row[2]) << row[0] << " " << row[1];
    EXPECT_EQ(Truth("A || B", row[0], row[1]), row[3]) << row[0] << " " << row[1];
    // De Morgan, on which the compiler relies.
    EXPECT_EQ(Truth("!(!(A) || !(B))", row[0], row[1]), row[2]);
    EXPECT_EQ(Truth("!(!(A) && !(B))", row[0], row[1]), row[3]);
  }
}

TEST(TruthTableTest, NotIsAsThePageSays) {
  const auto rows = Table("| a | !a |");
  ASSERT_EQ(rows.size(), 3);
  for (const Row& row : rows) EXPECT_EQ(Truth("!(A)", row[0], "true"), row[1]);
}

TEST(TruthTableTest, EveryComparisonWithAMissingValueIsMissing) {
  const expression::Sets sets;
  const Claims claims("hardware", kSourceSnp);
  const Request request;
  for (const char* text :
       {"snp.guest_svn == 1", "snp.guest_svn != 1", "snp.guest_svn < 1", "snp.guest_svn <= 1",
        "snp.guest_svn > 1", "snp.guest_svn >= 1", "snp.guest_svn in [1]", "tee.type != \"snp\"",
        "!(snp.guest_svn == 1)", "snp.product.startsWith(\"m\")", "snp.guest_svn == snp.vmpl",
        "caller.id == \"x\"", "request.context[\"x\"] != \"y\"", "!tee.debug"}) {
    const auto checked = expression::CheckExpression(text, {Effect::kPermit, "hardware", &sets});
    ASSERT_NE(checked.formula, nullptr) << text;
    EXPECT_EQ(expression::EvaluateFormula(*checked.formula,
                                          {Effect::kPermit, &claims, request, absl::UnixEpoch()}),
              Tri::kMissing)
        << text;
  }
}

TEST(TruthTableTest, AtomsThatCannotApplyAreFalseInAForbidNegatedOrNot) {
  const expression::Sets sets;
  Claims tdx("hardware", kSourceTdx);
  tdx.Set("tee.type", "tdx");
  tdx.Set("tee.debug", true);
  const Request request;
  const auto truth = [&](const char* text, Effect effect) {
    const auto checked = expression::CheckExpression(text, {effect, "hardware", &sets});
    return expression::EvaluateFormula(*checked.formula, {effect, &tdx, request, absl::Now()});
  };
  EXPECT_EQ(truth("snp.guest_svn < 3", Effect::kForbid), Tri::kFalse);
  EXPECT_EQ(truth("!(snp.guest_svn < 3)", Effect::kForbid), Tri::kFalse);
  EXPECT_EQ(truth("!has(snp.chip_id)", Effect::kForbid), Tri::kFalse);
  EXPECT_EQ(truth("snp.guest_svn < 3 || tee.debug", Effect::kForbid), Tri::kTrue);
  EXPECT_EQ(truth("snp.guest_svn < 3", Effect::kPermit), Tri::kMissing);
  EXPECT_EQ(truth("!(snp.guest_svn < 3)", Effect::kPermit), Tri::kMissing);
  EXPECT_EQ(truth("has(snp.chip_id)", Effect::kPermit), Tri::kFalse);
}

TEST(CollapseTest, PermitsAndForbidsAreAsThePageSays) {
  const auto rows = Table("| condition | permit | forbid |");
  ASSERT_EQ(rows.size(), 3);
  const std::string head =
      "apiVersion: latchkey.dev/v1\nkind: ReleasePolicy\nmetadata: {name: p}\nspec:\n"
      "  guards: [k]\n  rules:\n";
  const std::string yes =
      "  - {name: yes-rule, effect: permit, source: hardware, admitsStrangers: true,\n"
      "     conditions: [{expression: tee.type == 'snp'}";
  const std::string condition = "{expression: tee.smt_allowed}";
  const auto permit = ParsePolicy("p.yaml", head + yes + ", " + condition + "]}\n").policy;
  const auto forbid =
      ParsePolicy("f.yaml", head + yes + "]}\n  - {name: no-rule, effect: forbid, conditions: [" +
                                condition + "]}\n")
          .policy;
  ASSERT_NE(permit, nullptr);
  ASSERT_NE(forbid, nullptr);
  for (const Row& row : rows) {
    Claims claims("hardware", kSourceSnp);
    claims.Set("tee.type", "snp");
    claims.Set("attestation.freshness", "challenge_in_evidence");
    if (row[0] != "missing") claims.Set("tee.smt_allowed", row[0] == "true");
    const std::vector<Claims> sources = {claims};
    const Request request{{}, "k", {}, ""};
    EXPECT_EQ(Evaluate(*permit, sources, request, absl::UnixEpoch()).permitted(),
              row[1] == "holds");
    EXPECT_EQ(Evaluate(*forbid, sources, request, absl::UnixEpoch()).audit_reason(),
              row[2] == "applies" ? "POLICY_FORBIDDEN" : "POLICY_PERMITTED");
  }
}

TEST(PageTest, ItsExampleIsAPolicyWithoutWarnings) {
  const std::string page = ReadPage();
  const size_t begin = page.find("```yaml\n") + 8;
  const std::string text = page.substr(begin, page.find("```", begin) - begin);
  const ParseResult result = ParsePolicy("page.yaml", text);
  EXPECT_EQ(FormatIssues("page.yaml", text, result.issues), "");
  EXPECT_NE(result.policy, nullptr);
}

}  // namespace
}  // namespace latchkey::policy
