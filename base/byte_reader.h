#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace latchkey {

// `ByteReader` is the bounds-checked cursor for binary input. Each read either returns what it
// names or InvalidArgument ("<what>: needs N bytes at offset O, M left"), and moves only on
// success. `what` names the format.
class ByteReader {
 public:
  ByteReader(ByteView bytes, const char* what) : bytes_(bytes), what_(what) {}

  absl::StatusOr<ByteView> Read(size_t size);
  absl::Status Skip(size_t size);
  absl::StatusOr<uint8_t> ReadU8();
  // Big endian.
  absl::StatusOr<uint16_t> ReadU16();
  absl::StatusOr<uint32_t> ReadU32();
  absl::StatusOr<uint64_t> ReadU64();
  // Little endian.
  absl::StatusOr<uint16_t> ReadU16Le();
  absl::StatusOr<uint32_t> ReadU32Le();
  absl::StatusOr<uint64_t> ReadU64Le();
  // A 4-byte big-endian length of at most `max_size`, then that many bytes.
  absl::StatusOr<ByteView> ReadLp(size_t max_size);
  // InvalidArgument unless everything was read.
  absl::Status ExpectEnd() const;

  size_t offset() const { return offset_; }
  size_t left() const { return bytes_.size() - offset_; }

 private:
  ByteView bytes_;
  const char* what_;
  size_t offset_ = 0;
};

}  // namespace latchkey
