#include "broker/release/reasons.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace latchkey::release {
namespace {

TEST(ReasonsTest, TableIsSortedWithoutDoublesAndEveryRowIsFound) {
  const auto rows = AllReasons();
  for (size_t i = 0; i + 1 < rows.size(); ++i) {
    EXPECT_LT(rows[i].audit_reason, rows[i + 1].audit_reason);
  }
  for (const ReasonDefinition& row : rows) {
    EXPECT_EQ(&FindReason(row.audit_reason), &row);
    EXPECT_NE(row.wire_reason, v1::WIRE_REASON_UNSPECIFIED) << row.audit_reason;
  }
}

TEST(ReasonsTest, AnUnlistedReasonTellsTheCallerNothing) {
  EXPECT_EQ(FindReason("NOT_IN_THE_TABLE").wire_reason, v1::WIRE_REASON_UNAVAILABLE);
  EXPECT_EQ(FindReason("POLICY_FORBIDDEN").wire_reason, v1::WIRE_REASON_POLICY_REFUSED);
}

TEST(ReasonsTest, PageEqualsTheTable) {
  const char path[] = "docs/reasons.md";
  if (std::getenv("UPDATE_GOLDENS") != nullptr) std::ofstream(path) << ReasonsMarkdown();
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  EXPECT_EQ(page.str(), ReasonsMarkdown()) << "run this test with UPDATE_GOLDENS=1";
}

}  // namespace
}  // namespace latchkey::release
