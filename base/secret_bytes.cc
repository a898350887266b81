#include "base/secret_bytes.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

namespace latchkey {
namespace {

// Sizes of the arena's blocks. A larger secret has a mapping of its own.
constexpr std::array<size_t, 6> kBlockSizes = {32, 64, 128, 512, 2048, 8192};
constexpr size_t kSlabSize = 64 * 1024;

[[noreturn]] void DieOfMemory(const char* call, size_t size) {
  std::fprintf(stderr,
               "latchkey: %s of %zu bytes for secrets failed: %m. Secrets are never kept in "
               "memory that can be swapped out; raise RLIMIT_MEMLOCK (ulimit -l, or LimitMEMLOCK= "
               "of the systemd unit)\n",
               call, size);
  std::abort();
}

size_t PageSize() {
  static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

size_t RoundToPages(size_t size) { return (size + PageSize() - 1) / PageSize() * PageSize(); }

// Maps `size` bytes (whole pages) with an inaccessible page on either side, locked, left out of
// core dumps. A forked child finds zeros there.
uint8_t* MapLocked(size_t size) {
  const size_t whole = size + 2 * PageSize();
  void* base = mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) DieOfMemory("mmap", whole);
  uint8_t* data = static_cast<uint8_t*>(base) + PageSize();
  if (mprotect(data, size, PROT_READ | PROT_WRITE) != 0) DieOfMemory("mprotect", size);
  if (mlock(data, size) != 0) DieOfMemory("mlock", size);
  if (madvise(data, size, MADV_DONTDUMP) != 0) DieOfMemory("madvise(MADV_DONTDUMP)", size);
  // Where the kernel cannot wipe in the child, the child loses the pages altogether.
  if (madvise(data, size, MADV_WIPEONFORK) != 0 && madvise(data, size, MADV_DONTFORK) != 0) {
    DieOfMemory("madvise(MADV_WIPEONFORK)", size);
  }
  return data;
}

void UnmapLocked(uint8_t* data, size_t size) { munmap(data - PageSize(), size + 2 * PageSize()); }

// `Arena` hands out blocks of locked slabs. A free block is all zeros. Slabs stay for the life of
// the process: locked memory is bounded by the most secrets ever alive at once.
class Arena {
 public:
  uint8_t* Allocate(size_t block_class) {
    MutexLock lock(mutex_);
    std::vector<uint8_t*>& free = free_[block_class];
    if (free.empty()) AddSlab(block_class);
    uint8_t* block = free.back();
    free.pop_back();
    return block;
  }

  void Free(uint8_t* block, size_t block_class) {
    MutexLock lock(mutex_);
    free_[block_class].push_back(block);
  }

 private:
  void AddSlab(size_t block_class) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    uint8_t* slab = MapLocked(kSlabSize);
    const size_t size = kBlockSizes[block_class];
    for (size_t end = kSlabSize; end >= size; end -= size) {
      free_[block_class].push_back(slab + end - size);
    }
  }

  Mutex mutex_;
  // The list is kept outside the blocks, so that a stray write to a freed secret cannot bend it.
  std::array<std::vector<uint8_t*>, kBlockSizes.size()> free_ ABSL_GUARDED_BY(mutex_);
};

Arena& TheArena() {
  static Arena& arena = *new Arena;  // never destroyed: secrets of static life may outlive it
  return arena;
}

// The class whose blocks hold `size` bytes; kBlockSizes.size() when only an own mapping does.
size_t BlockClass(size_t size) {
  size_t block_class = 0;
  while (block_class < kBlockSizes.size() && kBlockSizes[block_class] < size) ++block_class;
  return block_class;
}

void WipeAndFree(uint8_t* data, size_t capacity) {
  if (data == nullptr) return;
  explicit_bzero(data, capacity);
  const size_t block_class = BlockClass(capacity);
  if (block_class == kBlockSizes.size()) {
    UnmapLocked(data, capacity);
  } else {
    TheArena().Free(data, block_class);
  }
}

}  // namespace

SecretBytes::SecretBytes(size_t size) : size_(size) {
  if (size == 0) return;
  const size_t block_class = BlockClass(size);
  if (block_class == kBlockSizes.size()) {
    capacity_ = RoundToPages(size);
    data_ = MapLocked(capacity_);
  } else {
    capacity_ = kBlockSizes[block_class];
    data_ = TheArena().Allocate(block_class);
  }
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    WipeAndFree(data_, capacity_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() { WipeAndFree(data_, capacity_); }

SecretBytes SecretBytes::CopyOf(ByteView bytes) {
  SecretBytes out(bytes.size());
  if (!bytes.empty()) memcpy(out.data_, bytes.data(), bytes.size());
  return out;
}

void SecretBytes::Truncate(size_t size) {
  LATCHKEY_CHECK(size <= size_);
  if (size < size_) explicit_bzero(data_ + size, size_ - size);
  size_ = size;
}

void HardenProcess() {
  LATCHKEY_CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
  const rlimit none = {0, 0};
  LATCHKEY_CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
}

}  // namespace latchkey
