#include "base/byte_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace latchkey {
namespace {

using ::testing::HasSubstr;

TEST(ByteReader, ReadsIntegersInBothOrders) {
  const Bytes bytes("\x01\x02\x03\x04\x05\x06\x07\x08", 8);
  EXPECT_EQ(ByteReader(AsBytes(bytes), "t").ReadU8().value(), 0x01);
  EXPECT_EQ(ByteReader(AsBytes(bytes), "t").ReadU16().value(), 0x0102);
  EXPECT_EQ(ByteReader(AsBytes(bytes), "t").ReadU32().value(), 0x01020304u);
  EXPECT_EQ(ByteReader(AsBytes(bytes), "t").ReadU64().value(), 0x0102030405060708u);
  EXPECT_EQ(ByteReader(AsBytes(bytes), "t").ReadU16Le().value(), 0x0201);
  EXPECT_EQ(ByteReader(AsBytes(bytes), "t").ReadU32Le().value(), 0x04030201u);
  EXPECT_EQ(ByteReader(AsBytes(bytes), "t").ReadU64Le().value(), 0x0807060504030201u);
}

TEST(ByteReader, RefusedReadNamesFormatAndOffsetAndDoesNotMove) {
  ByteReader reader(AsBytes("abcde"), "snp report");
  ASSERT_TRUE(reader.Skip(2).ok());
  const absl::Status status = reader.Read(4).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "snp report: needs 4 bytes at offset 2, 3 left");
  EXPECT_EQ(AsText(reader.Read(3).value()), "cde");
}

TEST(ByteReader, LengthPrefixedFieldOfMaximalSizeIsReadAndALongerOneRefused) {
  Bytes bytes;
  AppendLp(bytes, "abcd");
  ByteReader reader(AsBytes(bytes), "t");
  EXPECT_THAT(reader.ReadLp(3).status().message(), HasSubstr("length 4 at offset 0; at most 3"));
  EXPECT_EQ(reader.offset(), 0u);
  EXPECT_EQ(AsText(reader.ReadLp(4).value()), "abcd");
}

TEST(ByteReader, TruncatedLengthPrefixedFieldDoesNotMove) {
  Bytes bytes;
  AppendLp(bytes, "abcd");
  bytes.pop_back();
  ByteReader reader(AsBytes(bytes), "t");
  EXPECT_FALSE(reader.ReadLp(100).ok());
  EXPECT_EQ(reader.offset(), 0u);
}

TEST(ByteReader, HugeSizeIsRefusedWithoutOverflow) {
  ByteReader reader(AsBytes("abc"), "t");
  ASSERT_TRUE(reader.Skip(1).ok());
  EXPECT_FALSE(reader.Read(SIZE_MAX).ok());
  EXPECT_TRUE(reader.Read(2).ok());
}

TEST(ByteReader, ExpectEndRefusesWhatIsLeft) {
  ByteReader reader(AsBytes("ab"), "t");
  ASSERT_TRUE(reader.Skip(1).ok());
  EXPECT_EQ(reader.ExpectEnd().message(), "t: 1 bytes left over at offset 1");
  ASSERT_TRUE(reader.Skip(1).ok());
  EXPECT_TRUE(reader.ExpectEnd().ok());
}

}  // namespace
}  // namespace latchkey
