#include "broker/custody/wrapped_dek.h"

#include <fstream>
#include <sstream>

#include "gtest/gtest.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::custody {
namespace {

using ::testing::HasSubstr;

// Fills 32 bytes with aa and 12 with bb, as the example of the format page has them.
class ExampleRandom final : public Random {
 public:
  void Fill(std::span<uint8_t> out) override {
    std::fill(out.begin(), out.end(), out.size() == 32 ? 0xaa : 0xbb);
  }
};

SecretBytes Repeat(size_t size, uint8_t byte) {
  SecretBytes out(size);
  std::fill(out.mutable_view().begin(), out.mutable_view().end(), byte);
  return out;
}

SecretBytes ExampleCmk() {
  SecretBytes cmk(32);
  for (size_t i = 0; i < cmk.size(); ++i) cmk.mutable_view()[i] = static_cast<uint8_t>(i);
  return cmk;
}

WrappedDekHeader ExampleHeader() {
  return {{"default", "db"}, 1, DekOrigin::kBroker, protocol::EncodeContext({{"app", "pay"}})};
}

Bytes ExampleBlob() {
  ExampleRandom random;
  return WrapDek(ExampleHeader(), ExampleCmk(), Repeat(16, 0xcc), random).value();
}

absl::StatusOr<SecretBytes> Open(const Bytes& blob, const SecretBytes& cmk = ExampleCmk()) {
  const auto parsed = ParseWrappedDekUnverified(AsBytes(blob));
  if (!parsed.ok()) return parsed.status();
  return OpenWrappedDek(*parsed, cmk);
}

// The hex text of the last code block of docs/formats/wrapped_dek.md.
std::string ExampleOfThePage() {
  std::ifstream file("docs/formats/wrapped_dek.md");
  std::stringstream page;
  page << file.rdbuf();
  std::string text = page.str();
  const size_t end = text.rfind("```");
  const size_t begin = text.rfind("```", end - 1);
  text = text.substr(begin + 3, end - begin - 3);
  std::erase(text, '\n');
  return text;
}

TEST(WrappedDekTest, ExampleOfTheFormatPageIsWhatWeWriteAndDecodes) {
  ASSERT_EQ(ExampleOfThePage(), HexEncode(AsBytes(ExampleBlob())));
  const Bytes blob = HexDecode(ExampleOfThePage()).value();
  const auto parsed = ParseWrappedDekUnverified(AsBytes(blob));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->header.key.Full(), "tenants/default/keys/db");
  EXPECT_EQ(parsed->header.version, 1);
  EXPECT_EQ(parsed->header.origin, DekOrigin::kBroker);
  EXPECT_EQ(parsed->header.context, protocol::EncodeContext({{"app", "pay"}}));
  EXPECT_EQ(AsText(Open(blob).value().view()), std::string(16, '\xcc'));
}

TEST(WrappedDekTest, EveryFlippedBitIsRefusedBesideTheUntouchedBlob) {
  const Bytes blob = ExampleBlob();
  EXPECT_THAT(Open(blob), IsOk());
  for (size_t bit = 0; bit < 8 * blob.size(); ++bit) {
    Bytes wounded = blob;
    wounded[bit / 8] ^= static_cast<char>(1 << bit % 8);
    const absl::Status status = Open(wounded).status();
    EXPECT_TRUE(ReasonOf(status) == "WRAPPED_DEK_MALFORMED" ||
                ReasonOf(status) == "WRAPPED_DEK_DENIED")
        << "bit " << bit << ": " << status;
  }
}

TEST(WrappedDekTest, EveryPrefixAndEveryAddedByteIsRefused) {
  const Bytes blob = ExampleBlob();
  for (size_t size = 0; size < blob.size(); ++size) {
    EXPECT_THAT(Open(blob.substr(0, size)), HasReason("WRAPPED_DEK_MALFORMED")) << size;
  }
  EXPECT_THAT(Open(blob + '\0'), HasReason("WRAPPED_DEK_MALFORMED"));
  EXPECT_THAT(Open(blob + Bytes(8, '\0')), HasReason("WRAPPED_DEK_DENIED"))
      << "the size of a 24-byte DEK";
  EXPECT_THAT(Open(blob + Bytes(1 << 20, '\0')), HasReason("WRAPPED_DEK_MALFORMED"));
}

TEST(WrappedDekTest, AnotherCmkIsRefused) {
  EXPECT_THAT(Open(ExampleBlob(), ExampleCmk()), IsOk());
  EXPECT_THAT(Open(ExampleBlob(), Repeat(32, 1)), HasReason("WRAPPED_DEK_DENIED"));
}

TEST(WrappedDekTest, DeksOfTheFourSizesAreWrappedAndNoOthers) {
  SeededRandom random;
  for (const size_t size : {16, 24, 32, 64}) {
    const auto blob = WrapDek(ExampleHeader(), ExampleCmk(), Repeat(size, 7), random);
    ASSERT_THAT(blob, IsOk());
    EXPECT_EQ(AsText(Open(*blob).value().view()), std::string(size, 7));
  }
  for (const size_t size : {1, 15, 17, 31, 33, 48, 65}) {
    EXPECT_THAT(WrapDek(ExampleHeader(), ExampleCmk(), Repeat(size, 7), random),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("16, 24, 32 or 64")));
  }
}

TEST(WrappedDekTest, TwoWrapsOfOneDekHaveNothingInCommon) {
  SeededRandom random;
  const Bytes one = WrapDek(ExampleHeader(), ExampleCmk(), Repeat(32, 7), random).value();
  const Bytes two = WrapDek(ExampleHeader(), ExampleCmk(), Repeat(32, 7), random).value();
  const auto a = ParseWrappedDekUnverified(AsBytes(one)).value();
  const auto b = ParseWrappedDekUnverified(AsBytes(two)).value();
  EXPECT_NE(ToBytes(a.salt), ToBytes(b.salt));
  EXPECT_NE(ToBytes(a.nonce), ToBytes(b.nonce));
  EXPECT_NE(ToBytes(a.commitment), ToBytes(b.commitment));
  EXPECT_NE(ToBytes(a.sealed), ToBytes(b.sealed));
}

TEST(WrappedDekTest, ContextThatMakesTheBlobTooLargeIsRefusedAndTheLargestIsNot) {
  SeededRandom random;
  WrappedDekHeader header = ExampleHeader();
  header.context.clear();
  const size_t rest = WrapDek(header, ExampleCmk(), Repeat(16, 7), random).value().size();
  header.context.assign(kMaxWrappedDekSize - rest, 'c');
  EXPECT_THAT(Open(WrapDek(header, ExampleCmk(), Repeat(16, 7), random).value()), IsOk());
  header.context += 'c';
  EXPECT_THAT(WrapDek(header, ExampleCmk(), Repeat(16, 7), random),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 8192")));
}

}  // namespace
}  // namespace latchkey::custody
