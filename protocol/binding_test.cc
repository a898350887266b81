#include "protocol/binding.h"

#include <set>

#include "gtest/gtest.h"

namespace latchkey::protocol {
namespace {

const std::vector<RequestItem> kItems = {
    {{"default", "db"}, {{"environment", "prod"}}, "wrapped", 0},
    {{"default", "cache"}, {}, "", 32},
};

Bytes Transcript(std::string_view deployment = "prod", std::string_view challenge = "challenge",
                 Scheme scheme = Scheme::kHpkeX25519, std::string_view recipient = "recipient",
                 const std::vector<RequestItem>& items = kItems) {
  return BindingTranscript(deployment, AsBytes(challenge), scheme, AsBytes(recipient),
                           RequestDigest("default", items));
}

TEST(BindingTest, SchemesHaveTheNumbersOfTheWire) {
  EXPECT_EQ(SchemeFromNumber(1), Scheme::kHpkeX25519);
  EXPECT_EQ(SchemeFromNumber(2), Scheme::kHpkeP256);
  EXPECT_EQ(SchemeFromNumber(3), Scheme::kHpkeP384);
  EXPECT_EQ(SchemeFromNumber(4), Scheme::kRsaOaepSha256);
  for (const int number : {-1, 0, 5, 65537})
    EXPECT_EQ(SchemeFromNumber(number), std::nullopt) << number;
}

TEST(BindingTest, TranscriptIsAsThePageSays) {
  EXPECT_EQ(HexEncode(AsBytes(
                BindingTranscript("d", AsBytes("c"), Scheme::kRsaOaepSha256, AsBytes("k"), {}))),
            HexEncode(AsBytes("latchkey/v1/binding")) +
                "0000000164"
                "0000000163"
                "0004"
                "000000016b"
                "00000020" +
                std::string(64, '0'));
}

TEST(BindingTest, EveryPartOfTheReleaseChangesTheTranscript) {
  std::set<Bytes> transcripts = {
      Transcript(),
      Transcript("test"),
      Transcript("prod", "challengf"),
      Transcript("prod", "challenge", Scheme::kHpkeP256),
      Transcript("prod", "challenge", Scheme::kHpkeX25519, ""),
      Transcript("prodc", "hallenge"),
  };
  EXPECT_EQ(transcripts.size(), 6u);
}

TEST(BindingTest, EveryPartOfAnItemChangesTheRequestDigest) {
  std::set<crypto::Sha256Digest> digests = {RequestDigest("default", kItems),
                                            RequestDigest("other", kItems)};
  const auto with = [&](auto change) {
    std::vector<RequestItem> items = kItems;
    change(items);
    digests.insert(RequestDigest("default", items));
  };
  with([](auto& items) { items[0].key.tenant = "other"; });
  with([](auto& items) { items[0].key.key = "dc"; });
  with([](auto& items) { items[0].context["environment"] = "test"; });
  with([](auto& items) { items[0].context.clear(); });
  with([](auto& items) { items[0].wrapped_dek = "wrappee"; });
  with([](auto& items) { items[1].generate_size_bytes = 16; });
  with([](auto& items) { std::swap(items[0], items[1]); });
  with([](auto& items) { items.pop_back(); });
  with([](auto& items) { items.clear(); });
  EXPECT_EQ(digests.size(), 11u);
}

TEST(BindingTest, ReportDataAndBindingDigestAreHashesOfTheTranscript) {
  const Bytes transcript = Transcript();
  EXPECT_EQ(ReportData(AsBytes(transcript)), crypto::Sha512(AsBytes(transcript)));
  EXPECT_EQ(BindingDigest(AsBytes(transcript)), crypto::Sha256(AsBytes(transcript)));
}

TEST(BindingTest, SameKeyBytesUnderAnotherSchemeAreAnotherRecipient) {
  EXPECT_NE(RecipientDigest(Scheme::kHpkeX25519, AsBytes("key")),
            RecipientDigest(Scheme::kHpkeP256, AsBytes("key")));
}

TEST(BindingTest, ContextDigestNeedsTheSaltOfItsRelease) {
  const Context context = {{"environment", "prod"}};
  const auto salt = ContextSalt(AsBytes(Transcript()));
  const auto other_salt = ContextSalt(AsBytes(Transcript("test")));
  EXPECT_NE(salt, BindingDigest(AsBytes(Transcript())));  // which the log shows
  EXPECT_NE(ContextDigest(salt, context), ContextDigest(other_salt, context));
  EXPECT_NE(ContextDigest(salt, context), ContextDigest(salt, {{"environment", "test"}}));
  EXPECT_EQ(ContextDigest(salt, context), ContextDigest(salt, Context(context)));
}

}  // namespace
}  // namespace latchkey::protocol
