#include "protocol/names.h"

#include "gtest/gtest.h"
#include "tests/support/matchers.h"

namespace latchkey::protocol {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const auto kMalformed = StatusCode::kInvalidArgument;

TEST(NamesTest, NameHasOneTo63LowerCaseLettersDigitsAndHyphens) {
  EXPECT_THAT(CheckName("key", "a"), IsOk());
  EXPECT_THAT(CheckName("key", "payments-2026"), IsOk());
  EXPECT_THAT(CheckName("key", std::string(63, 'k')), IsOk());
  EXPECT_THAT(CheckName("key", std::string(64, 'k')),
              StatusIs(kMalformed, HasSubstr("64 characters")));
  EXPECT_THAT(CheckName("key", ""), StatusIs(kMalformed, HasSubstr("is empty")));
  for (const char* bad :
       {"Payments", "pay_ments", "pay.ments", "pay ments", "pay/ments", "zahl\xc3\xbcng", "a\n"}) {
    EXPECT_THAT(CheckName("key", bad), StatusIs(kMalformed, HasSubstr("lower-case letters")))
        << bad;
  }
  EXPECT_THAT(CheckName("key", std::string_view("a\0b", 3)), StatusIs(kMalformed));
}

TEST(NamesTest, BadNameIsShownEscapedAndShort) {
  const auto status = CheckName("tenant", "a\n\x1b[31m" + std::string(5000, 'x'));
  EXPECT_THAT(status,
              StatusIs(kMalformed, AllOf(HasSubstr("tenant name"), HasSubstr("\\n\\x1b["))));
  EXPECT_LT(status.message().size(), 400u);
}

TEST(NamesTest, FullAndShortKeyNamesMeanTheSame) {
  const KeyName expected{"default", "db"};
  EXPECT_THAT(ParseKeyName("tenants/default/keys/db", "other"), IsOkAndHolds(expected));
  EXPECT_THAT(ParseKeyName("db", "default"), IsOkAndHolds(expected));
  EXPECT_EQ(expected.Full(), "tenants/default/keys/db");
  EXPECT_EQ(expected.Version(7), "tenants/default/keys/db/versions/7");
}

TEST(NamesTest, KeyNameOfAnotherShapeIsRefused) {
  for (const char* bad :
       {"", "tenants/default/keys/", "tenants//keys/db", "tenants/default/keys/db/versions/1",
        "keys/db", "tenants/default", "/db", "tenants/default/policies/db", "tenants/keys/db",
        "tenants/keys/keys/", "Tenants/default/keys/db", "tenants/a/keys/b/keys/c",
        "tenants/default/keys/db ", "../db"}) {
    EXPECT_THAT(ParseKeyName(bad, "default"), StatusIs(kMalformed)) << bad;
  }
  EXPECT_THAT(ParseKeyName("tenants/keys/keys/keys", "default"),
              IsOkAndHolds(KeyName{"keys", "keys"}));
}

TEST(NamesTest, ContextLimitsAreExact) {
  Context context;
  for (int i = 0; i < 32; ++i) context["name-" + std::to_string(i)] = "value";
  EXPECT_THAT(CheckContext(context), IsOk());
  context["one-more"] = "value";
  EXPECT_THAT(CheckContext(context), StatusIs(kMalformed, HasSubstr("33 pairs")));

  EXPECT_THAT(CheckContext({}), IsOk());
  EXPECT_THAT(CheckContext({{std::string(128, 'n'), ""}}), IsOk());
  EXPECT_THAT(CheckContext({{std::string(129, 'n'), ""}}),
              StatusIs(kMalformed, HasSubstr("129 bytes")));
  EXPECT_THAT(CheckContext({{"", "v"}}), StatusIs(kMalformed, HasSubstr("0 bytes")));
  EXPECT_THAT(CheckContext({{"n", std::string(1024, 'v')}}), IsOk());
  EXPECT_THAT(CheckContext({{"n", std::string(1025, 'v')}}),
              StatusIs(kMalformed, HasSubstr("1025 bytes")));
}

TEST(NamesTest, ContextIsUtf8WithoutControlCharacters) {
  // The neighbours of each edge: last of one byte, first and last of two, three and four bytes.
  for (const char* good :
       {" ", "~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "z\xc3\xbcrich"}) {
    EXPECT_THAT(CheckContext({{"n", good}}), IsOk()) << testing::PrintToString(good);
    EXPECT_THAT(CheckContext({{good, "v"}}), IsOk()) << testing::PrintToString(good);
  }
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf",
                          "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "ok\xfe"}) {
    EXPECT_THAT(CheckContext({{"n", bad}}), StatusIs(kMalformed, HasSubstr("not UTF-8")))
        << testing::PrintToString(bad);
    EXPECT_THAT(CheckContext({{bad, "v"}}), StatusIs(kMalformed)) << testing::PrintToString(bad);
  }
  for (const char* bad : {"\n", "\x1f", "\x7f", "\xc2\x80", "\xc2\x9f", "a\tb"}) {
    EXPECT_THAT(CheckContext({{"n", bad}}), StatusIs(kMalformed, HasSubstr("control character")))
        << testing::PrintToString(bad);
  }
  EXPECT_THAT(CheckContext({{"n", std::string(1, '\0')}}), StatusIs(kMalformed));
}

TEST(NamesTest, ContextMessageNeverShowsTheValue) {
  EXPECT_THAT(CheckContext({{"n", "hidden\n"}}), StatusIs(kMalformed, Not(HasSubstr("hidden"))));
}

TEST(NamesTest, EncodedContextIsSortedByUnsignedBytes) {
  EXPECT_EQ(HexEncode(AsBytes(EncodeContext({}))), "00000000");
  // 'z' (0x7a) stands before U+00FC (0xc3 0xbc).
  EXPECT_EQ(HexEncode(AsBytes(EncodeContext({{"\xc3\xbc", "2"}, {"z", "1"}}))),
            "00000002"
            "000000017a"
            "0000000131"
            "00000002c3bc"
            "0000000132");
}

TEST(NamesTest, EncodedContextTellsNameFromValue) {
  EXPECT_NE(EncodeContext({{"ab", "c"}}), EncodeContext({{"a", "bc"}}));
  EXPECT_NE(EncodeContext({{"a", ""}}), EncodeContext({}));
}

}  // namespace
}  // namespace latchkey::protocol
