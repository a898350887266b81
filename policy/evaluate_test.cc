#include "policy/evaluate.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "policy/literals.h"
#include "policy/parse.h"

namespace latchkey::policy {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kVectors[] = "policy/testdata/vectors/";

std::string ReadFile(const std::string& name) {
  std::ifstream in(kVectors + name, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

unsigned KindOf(const std::string& name) {
  if (name == "snp") return kSourceSnp;
  if (name == "tdx") return kSourceTdx;
  if (name == "vtpm") return kSourceVtpm;
  if (name == "maa") return kSourceMaa;
  return kSourceOtherToken;
}

Value ToValue(Type type, const json& value) {
  switch (type) {
    case Type::kBool:
      return value.get<bool>();
    case Type::kInt:
      return value.get<int64_t>();
    case Type::kBytes:
      return BytesValue{*HexDecode(value.get<std::string>())};
    case Type::kTimestamp:
      return *ParseTimestamp(value.get<std::string>());
    default:
      return value.get<std::string>();
  }
}

std::vector<Claims> ReadSources(const json& sources) {
  std::vector<Claims> all;
  for (const auto& [name, source] : sources.items()) {
    unsigned kinds = 0;
    for (const json& kind : source.at("kinds")) kinds |= KindOf(kind);
    Claims claims(name, kinds);
    for (const auto& [claim, value] : source.at("claims").items()) {
      claims.Set(claim, ToValue(FindClaim(claim)->type, value));
    }
    std::map<std::string, Value, std::less<>> token;
    const json raw = source.value("token", json::object());
    for (const auto& [path, value] : raw.items()) {
      token.emplace(path, ToValue(value.is_string() ? Type::kString : Type::kInt, value));
    }
    claims.SetRawToken(std::move(token));
    all.push_back(std::move(claims));
  }
  return all;
}

Request ReadRequest(const json& request) {
  using Map = std::map<std::string, std::string>;
  return {request.value("context", Map()), request.value("key", ""), request.value("labels", Map()),
          request.value("caller", "")};
}

class VectorTest : public testing::TestWithParam<const char*> {};

// Each case is a JSON merge patch (RFC 7396) of the file's base.
TEST_P(VectorTest, DecidesAsWritten) {
  const json file = json::parse(ReadFile(GetParam()));
  const std::string policy_name = file.at("policy");
  const ParseResult parsed = ParsePolicy(policy_name, ReadFile(policy_name));
  ASSERT_NE(parsed.policy, nullptr)
      << FormatIssues(policy_name, ReadFile(policy_name), parsed.issues);
  for (const json& test : file.at("cases")) {
    SCOPED_TRACE(test.at("name").get<std::string>());
    json facts = file.at("base");
    if (test.contains("patch")) facts.merge_patch(test.at("patch"));
    const auto sources = ReadSources(facts.at("sources"));
    const Decision decision = Evaluate(*parsed.policy, sources, ReadRequest(facts.at("request")),
                                       *ParseTimestamp(facts.at("now").get<std::string>()));
    const json& expect = test.at("expect");
    EXPECT_EQ(decision.audit_reason(), expect.at("audit_reason")) << decision.reason();
    EXPECT_EQ(decision.permitted(), expect.at("audit_reason") == "POLICY_PERMITTED");
    EXPECT_EQ(decision.rule(), expect.value("rule", ""));
    EXPECT_THAT(decision.reason(), HasSubstr(expect.value("reason", "")));
    EXPECT_EQ(decision.attestation(), decision.permitted() ? expect.value("attestation", 0) : -1);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, VectorTest,
                         testing::Values("azure.json", "forbid.json", "expressions.json"));

class EvaluateTest : public testing::Test {
 protected:
  std::shared_ptr<const Policy> policy_ = ParsePolicy("azure.yaml", ReadFile("azure.yaml")).policy;
  Request request_{{{"environment", "prod"}}, "payments", {}, ""};
  absl::Time now_ = *ParseTimestamp("2026-11-01T12:00:00Z");

  Claims Workload() {
    Claims claims("maa-weu", kSourceMaa);
    claims.Set("tee.type", "snp");
    claims.Set("tee.debug", false);
    claims.Set("azure.vm_id", "2f0b7c1e-1b0c-4b7e-9d53-6a6e6c9f2b11");
    claims.Set("snp.reported_tcb.snp", 22);
    claims.Set("attestation.evidence_time", now_);
    return claims;
  }
};

TEST_F(EvaluateTest, AccountNamesEveryClauseWithTheValuesSeen) {
  Claims claims = Workload();
  claims.Set("tee.debug", true);
  const std::vector<Claims> sources = {claims};
  const Decision decision = Evaluate(*policy_, sources, request_, now_);
  ASSERT_EQ(decision.rules().size(), 1);
  const RuleResult& rule = decision.rules()[0];
  EXPECT_FALSE(rule.applies);
  ASSERT_EQ(rule.clauses.size(), 4);
  EXPECT_EQ(rule.clauses[0].value, Tri::kFalse);
  EXPECT_EQ(rule.clauses[0].line, 14);
  EXPECT_THAT(rule.clauses[0].values_seen,
              testing::ElementsAre(testing::Pair("tee.type", "\"snp\""),
                                   testing::Pair("tee.debug", "true")));
  EXPECT_EQ(rule.clauses[2].value, Tri::kTrue);
  EXPECT_THAT(rule.clauses[2].values_seen,
              testing::ElementsAre(testing::Pair("snp.reported_tcb.snp", "22")));
}

TEST_F(EvaluateTest, OneOfTwoAttestationsOfASourceSuffices) {
  Claims stranger = Workload();
  stranger.Set("azure.vm_id", "another");
  const std::vector<Claims> sources = {stranger, Workload()};
  const Decision decision = Evaluate(*policy_, sources, request_, now_);
  EXPECT_TRUE(decision.permitted()) << decision.reason();
  EXPECT_EQ(decision.attestation(), 1);
}

TEST_F(EvaluateTest, TwoAttestationsOfASourceAreNeverMixed) {
  Claims stranger = Workload();
  stranger.Set("azure.vm_id", "another");
  Claims debugged = Workload();
  debugged.Set("tee.debug", true);
  const std::vector<Claims> sources = {stranger, debugged};
  EXPECT_FALSE(Evaluate(*policy_, sources, request_, now_).permitted());
}

TEST_F(EvaluateTest, TheOrderOfRulesChangesNothing) {
  constexpr char kHead[] =
      "apiVersion: latchkey.dev/v1\nkind: ReleasePolicy\nmetadata: {name: p}\nspec:\n"
      "  guards: [payments]\n  maxEvidenceAge: 5m\n  rules:\n";
  constexpr char kPermit[] =
      "  - {name: yes-rule, effect: permit, source: maa-weu, admitsStrangers: true,\n"
      "     conditions: [{expression: tee.type == 'snp'}]}\n";
  constexpr char kForbid[] =
      "  - {name: no-rule, effect: forbid, conditions: [{expression: snp.reported_tcb.snp < "
      "23}]}\n";
  const std::vector<Claims> sources = {Workload()};
  for (const std::string& rules :
       {std::string(kPermit) + kForbid, std::string(kForbid) + kPermit}) {
    const auto parsed = ParsePolicy("p.yaml", kHead + rules);
    ASSERT_NE(parsed.policy, nullptr) << FormatIssues("p.yaml", kHead + rules, parsed.issues);
    const Decision decision = Evaluate(*parsed.policy, sources, request_, now_);
    EXPECT_EQ(decision.audit_reason(), "POLICY_FORBIDDEN");
    EXPECT_EQ(decision.rule(), "no-rule");
  }
}

TEST_F(EvaluateTest, DecisionsTakeMicroseconds) {
  const std::vector<Claims> sources = {Workload()};
  const absl::Time start = absl::Now();
  constexpr int kRounds = 2000;
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(Evaluate(*policy_, sources, request_, now_).permitted());
  }
  // Generous, for sanitizers and busy machines: it is to find a compile or a copy of the policy on
  // this path.
  EXPECT_LT((absl::Now() - start) / kRounds, absl::Microseconds(200));
  RecordProperty("nanoseconds", absl::ToInt64Nanoseconds((absl::Now() - start) / kRounds));
}

}  // namespace
}  // namespace latchkey::policy
