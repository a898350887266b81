#include "policy/parse.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::policy {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kDiagnostics[] = "policy/testdata/diagnostics";

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> DiagnosticNames() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kDiagnostics)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class DiagnosticsTest : public testing::TestWithParam<std::string> {};

// The golden file is what a person sees. UPDATE_GOLDENS=1 writes it anew.
TEST_P(DiagnosticsTest, ReadsAsItsGoldenFile) {
  const fs::path path = fs::path(kDiagnostics) / (GetParam() + ".yaml");
  const fs::path golden = fs::path(kDiagnostics) / (GetParam() + ".golden");
  const std::string text = ReadFile(path);
  const ParseResult result = ParsePolicy(path.filename().string(), text);
  std::string seen = FormatIssues(path.filename().string(), text, result.issues);
  seen += result.policy != nullptr ? "accepted\n" : "refused\n";
  if (std::getenv("UPDATE_GOLDENS") != nullptr) std::ofstream(golden, std::ios::binary) << seen;
  EXPECT_EQ(seen, ReadFile(golden));
}

INSTANTIATE_TEST_SUITE_P(Files, DiagnosticsTest, testing::ValuesIn(DiagnosticNames()),
                         [](const auto& info) { return info.param; });

std::string Minimal() { return ReadFile(fs::path(kDiagnostics) / "accepted_minimal.yaml"); }

TEST(ParsePolicyTest, KeepsTheExactTextAndEveryField) {
  const std::string text = ReadFile(fs::path(kDiagnostics) / "accepted_full.yaml");
  const ParseResult result = ParsePolicy("full.yaml", text);
  ASSERT_NE(result.policy, nullptr) << FormatIssues("full.yaml", text, result.issues);
  const Policy& policy = *result.policy;
  EXPECT_EQ(policy.text(), text);
  EXPECT_EQ(policy.name(), "payments-prod");
  EXPECT_EQ(policy.file_name(), "full.yaml");
  EXPECT_TRUE(policy.Guards("refunds"));
  EXPECT_FALSE(policy.Guards("refund"));
  EXPECT_TRUE(policy.disclose_clauses());
  EXPECT_EQ(policy.max_evidence_age(), absl::Minutes(5));
  EXPECT_EQ(policy.not_after(), absl::FromUnixSeconds(1814306400));
  ASSERT_EQ(policy.rules().size(), 3);
  EXPECT_EQ(policy.rules()[1].source, "hardware");
  EXPECT_EQ(policy.rules()[2].effect, Effect::kForbid);
  EXPECT_EQ(policy.rules()[0].conditions[0].message, "only production SEV-SNP guests");
}

TEST(ParsePolicyTest, TextOfExactlyTheLimitIsReadAndOneByteMoreIsRefused) {
  std::string text = Minimal() + "#";
  text.resize(kMaxPolicySizeBytes, 'x');
  EXPECT_NE(ParsePolicy("p.yaml", text).policy, nullptr);
  text += 'x';
  const ParseResult result = ParsePolicy("p.yaml", text);
  EXPECT_EQ(result.policy, nullptr);
  EXPECT_THAT(result.issues[0].message, HasSubstr("65537 bytes"));
}

TEST(ParsePolicyTest, EveryTruncationIsRefusedOrReadsAsAPolicy) {
  const std::string text = Minimal();
  for (size_t size = 0; size < text.size(); ++size) {
    const ParseResult result = ParsePolicy("p.yaml", text.substr(0, size));
    EXPECT_EQ(result.policy == nullptr,
              std::any_of(result.issues.begin(), result.issues.end(),
                          [](const Issue& i) { return i.severity == Severity::kError; }));
  }
}

TEST(ParsePolicyTest, HostileShapesEndQuickly) {
  for (const char* unit : {"[", "{", "- ", "? ", "a: ", "{a: [", "\"", "!(", "- - ? "}) {
    std::string text;
    while (text.size() + 8 < kMaxPolicySizeBytes) text += unit;
    EXPECT_EQ(ParsePolicy("p.yaml", text).policy, nullptr) << unit;
  }
}

}  // namespace
}  // namespace latchkey::policy
