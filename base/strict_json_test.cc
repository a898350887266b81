#include "base/strict_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace latchkey {
namespace {

using ::testing::HasSubstr;

void ExpectAccepted(std::string_view text) {
  EXPECT_TRUE(ParseStrictJson(text).ok()) << text << ": " << ParseStrictJson(text).status();
}

void ExpectRefused(std::string_view text, const std::string& fault) {
  const absl::Status status = ParseStrictJson(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_THAT(std::string(status.message()), HasSubstr(fault)) << text;
}

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(StrictJson, KeepsEveryKindOfValue) {
  const auto value = ParseStrictJson(
      R"( {"s":"\u00e9\ud83d\ude00","i":-3,"u":3,"f":1.5,"t":true,"n":null,"a":[1,[],{}]} )");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(value->dump(),
            "{\"a\":[1,[],{}],\"f\":1.5,\"i\":-3,\"n\":null,\"s\":\"\xc3\xa9\xf0\x9f\x98\x80\","
            "\"t\":true,\"u\":3}");
}

TEST(StrictJson, DuplicateNamesAreRefusedAfterUnescapingAtEveryLevel) {
  ExpectAccepted(R"({"alg":1,"algo":2,"in":{"alg":3}})");
  ExpectRefused(R"({"alg":"none","alg":"RS256"})", "offset 19: duplicate member name");
  ExpectRefused(R"({"alg":"RS256","\u0061lg":"none"})", "duplicate member name");
  ExpectRefused(R"([{"x":{"iss":1,"iss":1}}])", "duplicate member name");
}

TEST(StrictJson, ByteOrderMarkIsRefused) {
  ExpectAccepted("{}");
  ExpectRefused("\xef\xbb\xbf{}", "byte order mark");
}

TEST(StrictJson, NulBytesAndTrailingTextAreRefused) {
  ExpectAccepted("{} \n");
  ExpectRefused(std::string_view("{}\0", 3), "offset 2: NUL byte");
  ExpectRefused(std::string_view("{}\0x", 4), "NUL byte");
  ExpectRefused("{}{}", "offset 3");
  ExpectRefused("{} x", "invalid literal");
  ExpectRefused("", "offset 0");
}

TEST(StrictJson, NamesWithNulAreRefusedAndValuesWithNulKept) {
  ExpectAccepted(R"({"a":"\u0000"})");
  ExpectRefused(R"({"a\u0000":1})", "NUL character");
}

TEST(StrictJson, OnlyUtf8WithoutLoneSurrogatesOrRawControlsPasses) {
  ExpectAccepted("\"\xc3\xa9\"");
  ExpectRefused("\"\xc3\"", "UTF-8");
  ExpectRefused("\"\xed\xa0\x80\"", "UTF-8");
  ExpectRefused("\"\xc0\x80\"", "UTF-8");
  ExpectAccepted(R"("\ud83d\ude00")");
  ExpectRefused(R"("\ud83d")", "surrogate");
  ExpectRefused(R"("\ude00")", "surrogate");
  ExpectAccepted(R"("\t")");
  ExpectRefused("\"\t\"", "control character");
}

TEST(StrictJson, NothingBeyondRfc8259Passes) {
  ExpectAccepted("[1,2]");
  ExpectRefused("[1,2,]", "offset");
  ExpectRefused("[1,2] // comment", "invalid");
  ExpectRefused("/**/[1]", "invalid");
  ExpectRefused("[NaN]", "invalid");
  ExpectRefused("[Infinity]", "invalid");
  ExpectRefused("[01]", "offset");
  ExpectRefused("[+1]", "invalid");
  ExpectRefused("[.5]", "invalid");
  ExpectRefused("{'a':1}", "invalid");
  ExpectRefused("{a:1}", "invalid");
}

TEST(StrictJson, IntegersAreExactOrRefused) {
  EXPECT_EQ(ParseStrictJson("9223372036854775807")->get<int64_t>(), INT64_MAX);
  EXPECT_EQ(ParseStrictJson("-9223372036854775808")->get<int64_t>(), INT64_MIN);
  EXPECT_EQ(ParseStrictJson("18446744073709551615")->get<uint64_t>(), UINT64_MAX);
  ExpectRefused("18446744073709551616", "integer beyond 64 bits");
  ExpectRefused("-9223372036854775809", "integer beyond 64 bits");
}

TEST(StrictJson, WhatLooksLikeAFractionIsADoubleAndNothingElseIs) {
  EXPECT_TRUE(ParseStrictJson("1.0")->is_number_float());
  EXPECT_TRUE(ParseStrictJson("1e3")->is_number_float());
  EXPECT_TRUE(ParseStrictJson("-0")->is_number_integer());
  ExpectRefused("1e999", "offset");
}

TEST(StrictJson, DepthOfTheLimitPassesAndOneMoreIsRefused) {
  ExpectAccepted(Nested(32));
  ExpectRefused(Nested(33), "deeper than 32 levels");
  ExpectRefused(Nested(500000), "deeper than 32 levels");
}

TEST(StrictJson, MembersOfTheWholeTextAreCounted) {
  const JsonLimits limits = {.max_members = 5};
  EXPECT_TRUE(ParseStrictJson(R"([1,2,{"a":3,"b":4}])", limits).ok());
  EXPECT_FALSE(ParseStrictJson(R"([1,2,{"a":3,"b":4,"c":5}])", limits).ok());
}

TEST(StrictJson, SizeOfTheLimitPassesAndOneMoreIsRefused) {
  const JsonLimits limits = {.max_size_bytes = 10};
  EXPECT_TRUE(ParseStrictJson("[1,2,3,44]", limits).ok());
  EXPECT_THAT(std::string(ParseStrictJson("[1,2,33,44]", limits).status().message()),
              HasSubstr("11 bytes; at most 10"));
  ExpectAccepted(absl::StrCat("\"", std::string((1 << 20) - 2, 'a'), "\""));
  ExpectRefused(absl::StrCat("\"", std::string((1 << 20) - 1, 'a'), "\""), "at most 1048576");
}

TEST(StrictJson, AFaultNamesTheOffsetButNotTheText) {
  const absl::Status status = ParseStrictJson(R"({"password": hunter2})").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("offset 14"));
  EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("hunter2")));
}

TEST(JsonMembers, AreReadWithoutConversion) {
  const nlohmann::json object =
      ParseStrictJson(R"({"s":"x","i":7,"b":true,"f":7.0,"big":9223372036854775808})").value();
  EXPECT_EQ(JsonString(object, "s").value(), "x");
  EXPECT_EQ(JsonInt(object, "i").value(), 7);
  EXPECT_TRUE(JsonBool(object, "b").value());
  EXPECT_EQ(JsonString(object, "i").status().message(), "i: not a string");
  EXPECT_EQ(JsonInt(object, "s").status().message(), "s: not an int");
  EXPECT_EQ(JsonInt(object, "f").status().message(), "f: not an int");
  EXPECT_EQ(JsonInt(object, "big").status().message(), "big: not an int");
  EXPECT_EQ(JsonBool(object, "i").status().message(), "i: not a bool");
  EXPECT_EQ(JsonString(object, "z").status().message(), "z: missing");
  EXPECT_FALSE(JsonString(nlohmann::json::array(), "z").ok());
}

}  // namespace
}  // namespace latchkey
