#include "policy/claims.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::policy {
namespace {

constexpr char kPage[] = "docs/claims.md";

TEST(ClaimRegistryTest, IsSortedAndEveryClaimIsFoundByName) {
  const auto all = AllClaims();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const ClaimDefinition& claim : all) {
    EXPECT_EQ(FindClaim(claim.name), &claim);
    EXPECT_FALSE(claim.meaning.empty()) << claim.name;
    EXPECT_NE(claim.sources, 0u) << claim.name;
    EXPECT_TRUE(claim.values.empty() || claim.type == Type::kString) << claim.name;
    EXPECT_TRUE(claim.bytes_length == 0 || claim.type == Type::kBytes) << claim.name;
  }
  EXPECT_EQ(FindClaim("tee.debu"), nullptr);
  EXPECT_EQ(FindClaim(""), nullptr);
}

// UPDATE_GOLDENS=1 writes the page anew.
TEST(ClaimRegistryTest, PageOfTheDocumentationIsTheRegistry) {
  if (std::getenv("UPDATE_GOLDENS") != nullptr) std::ofstream(kPage) << ClaimsMarkdown();
  std::ifstream in(kPage);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), ClaimsMarkdown());
}

TEST(ClaimRegistryTest, NearestNameIsOfferedAndFarOnesAreNot) {
  EXPECT_EQ(NearestClaim("tee.debugg"), "tee.debug");
  EXPECT_EQ(NearestClaim("Tee.Debug"), "tee.debug");
  EXPECT_EQ(NearestClaim("measurement"), "snp.measurement");
  EXPECT_EQ(NearestClaim("qqqqqqqqqqqq"), "");
  EXPECT_EQ(NearestClaim(std::string(10000, 'a')), "");
}

TEST(ClaimRegistryTest, ResettablePcrsTieNobodyAndImagePcrsDo) {
  EXPECT_FALSE(FindClaim("vtpm.pcr.23")->owner_tied());
  EXPECT_FALSE(FindClaim("vtpm.pcr.16")->owner_tied());
  EXPECT_FALSE(FindClaim("vtpm.pcr.7")->owner_tied());
  EXPECT_TRUE(FindClaim("vtpm.pcr.11")->owner_tied());
}

TEST(ClaimsTest, IterateSortedByNameAndTheLastValueStands) {
  Claims claims("hardware", kSourceSnp);
  claims.Set("tee.type", "snp");
  claims.Set("snp.guest_svn", 3);
  claims.Set("tee.debug", true);
  claims.Set("tee.debug", false);
  ASSERT_EQ(claims.entries().size(), 3);
  EXPECT_EQ(claims.entries()[0].first->name, "snp.guest_svn");
  EXPECT_EQ(claims.entries()[2].first->name, "tee.type");
  EXPECT_EQ(*claims.Find("tee.debug"), Value(false));
  EXPECT_EQ(claims.Find("snp.vmpl"), nullptr);
}

TEST(ClaimsTest, ClaimOfAnotherTeeOrSourceDoesNotApply) {
  Claims tdx("hardware", kSourceTdx);
  tdx.Set("tee.type", "tdx");
  EXPECT_FALSE(tdx.Applies(*FindClaim("snp.measurement")));
  EXPECT_TRUE(tdx.Applies(*FindClaim("tee.debug")));
  Claims maa("maa", kSourceMaa);
  EXPECT_TRUE(maa.Applies(*FindClaim("snp.measurement")));
  EXPECT_FALSE(maa.Applies(*FindClaim("snp.chip_id")));
  maa.Set("tee.type", "tdx");
  EXPECT_FALSE(maa.Applies(*FindClaim("snp.measurement")));
}

TEST(ClaimsDeathTest, UnregisteredNamesAndWrongTypesAreOurOwnBugs) {
  Claims claims("hardware", kSourceSnp);
  EXPECT_DEATH(claims.Set("snp.nosuch", 3), "broken invariant");
  EXPECT_DEATH(claims.Set("snp.guest_svn", "3"), "broken invariant");
  EXPECT_DEATH(Claims("hardware", 0), "broken invariant");
}

TEST(ValueTest, DisplayIsBoundedAndCannotForgeLines) {
  EXPECT_EQ(ToDisplay(true), "true");
  EXPECT_EQ(ToDisplay(BytesValue{Bytes("\xab\x00", 2)}), "ab00");
  EXPECT_EQ(ToDisplay("a\nb\x1b[1m\"c"), "\"a?b?[1m\\\"c\"");
  EXPECT_EQ(ToDisplay(absl::UnixEpoch()), "1970-01-01T00:00:00Z");
  EXPECT_EQ(ToDisplay(absl::Minutes(90)), "1h30m");
  EXPECT_EQ(ToDisplay(StringList{"a", "b"}), "[a, b]");
  EXPECT_EQ(ToDisplay(std::string(1000, 'x')).size(), 80);
  EXPECT_EQ(ToDisplay(BytesValue{Bytes(64, 'x')}).size(), 80);
}

TEST(ValueTest, TypesNeverConvert) {
  EXPECT_FALSE(Value("3") == Value(3));
  EXPECT_FALSE(Value("ab") == Value(BytesValue{"ab"}));
  EXPECT_FALSE(Value(true) == Value(1));
  EXPECT_TRUE(Value("ab") == Value(std::string("ab")));
}

}  // namespace
}  // namespace latchkey::policy
