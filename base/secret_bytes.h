#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace latchkey {

// `SecretBytes` owns a secret from birth to its wipe. The memory comes from a locked arena with
// guard pages, excluded from core dumps and forks; it is wiped when freed. It moves, never
// copies, and cannot be printed: there is no operator<<, no AbslStringify, and gtest shows only the
// size.
class SecretBytes {
 public:
  SecretBytes() = default;
  // Zero-filled; fill it through `mutable_view`. Aborts when no locked memory can be had.
  explicit SecretBytes(size_t size);
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  // `CopyOf` is the named way to duplicate a secret.
  static SecretBytes CopyOf(ByteView bytes);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return {data_, size_}; }
  std::span<uint8_t> mutable_view() { return {data_, size_}; }

  // `Truncate` wipes everything past `size`, which must not be larger than now.
  void Truncate(size_t size);

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// `HardenProcess` makes the process undumpable and its core limit 0 (prctl, setrlimit). Programs
// that hold secrets call it first thing in main.
void HardenProcess();

}  // namespace latchkey
