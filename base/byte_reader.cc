#include "base/byte_reader.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace latchkey {
namespace {

template <typename T>
T BigEndian(ByteView bytes) {
  T value = 0;
  for (const uint8_t byte : bytes) value = static_cast<T>((value << 8) | byte);
  return value;
}

template <typename T>
T LittleEndian(ByteView bytes) {
  T value = 0;
  for (size_t i = bytes.size(); i > 0; --i) value = static_cast<T>((value << 8) | bytes[i - 1]);
  return value;
}

}  // namespace

absl::StatusOr<ByteView> ByteReader::Read(size_t size) {
  if (size > left()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what_, ": needs ", size, " bytes at offset ", offset_, ", ", left(), " left"));
  }
  const ByteView out = bytes_.subspan(offset_, size);
  offset_ += size;
  return out;
}

absl::Status ByteReader::Skip(size_t size) { return Read(size).status(); }

absl::StatusOr<uint8_t> ByteReader::ReadU8() {
  ASSIGN_OR_RETURN(const ByteView bytes, Read(1));
  return bytes[0];
}

absl::StatusOr<uint16_t> ByteReader::ReadU16() {
  ASSIGN_OR_RETURN(const ByteView bytes, Read(2));
  return BigEndian<uint16_t>(bytes);
}

absl::StatusOr<uint32_t> ByteReader::ReadU32() {
  ASSIGN_OR_RETURN(const ByteView bytes, Read(4));
  return BigEndian<uint32_t>(bytes);
}

absl::StatusOr<uint64_t> ByteReader::ReadU64() {
  ASSIGN_OR_RETURN(const ByteView bytes, Read(8));
  return BigEndian<uint64_t>(bytes);
}

absl::StatusOr<uint16_t> ByteReader::ReadU16Le() {
  ASSIGN_OR_RETURN(const ByteView bytes, Read(2));
  return LittleEndian<uint16_t>(bytes);
}

absl::StatusOr<uint32_t> ByteReader::ReadU32Le() {
  ASSIGN_OR_RETURN(const ByteView bytes, Read(4));
  return LittleEndian<uint32_t>(bytes);
}

absl::StatusOr<uint64_t> ByteReader::ReadU64Le() {
  ASSIGN_OR_RETURN(const ByteView bytes, Read(8));
  return LittleEndian<uint64_t>(bytes);
}

absl::StatusOr<ByteView> ByteReader::ReadLp(size_t max_size) {
  const size_t start = offset_;
  ASSIGN_OR_RETURN(const uint32_t size, ReadU32());
  if (size > max_size) {
    offset_ = start;
    return absl::InvalidArgumentError(absl::StrCat(what_, ": length ", size, " at offset ", start,
                                                   "; at most ", max_size, " is allowed"));
  }
  absl::StatusOr<ByteView> out = Read(size);
  if (!out.ok()) offset_ = start;
  return out;
}

absl::Status ByteReader::ExpectEnd() const {
  if (left() == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what_, ": ", left(), " bytes left over at offset ", offset_));
}

}  // namespace latchkey
