#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "client/attesters/configfs_tsm.h"

namespace latchkey::client {
namespace {

// A report is 1184 bytes and a certificate table some 5 KiB; the kernel allows up to 16 KiB.
constexpr size_t kMaxAttributeBytes = 32 << 10;

absl::Status FileError(const char* doing, const std::string& path) {
  const int error = errno;
  return absl::ErrnoToStatus(error, absl::StrCat("configfs-tsm: cannot ", doing, " ", path));
}

class KernelReports final : public TsmReports {
 public:
  explicit KernelReports(std::string root) : root_(std::move(root)) {}

  absl::StatusOr<std::string> MakeEntry() override {
    // Names of entries are shared by the whole machine, so a taken one is skipped.
    for (int i = 0; i < 1000; ++i) {
      const std::string name = absl::StrCat("latchkey-", getpid(), "-", i);
      if (mkdir(Path(name).c_str(), 0700) == 0) return name;
      if (errno != EEXIST) break;
    }
    if (errno == ENOENT) {
      return absl::FailedPreconditionError(
          absl::StrCat("configfs-tsm: ", root_,
                       " is missing; this takes an SEV-SNP guest with Linux 6.7 or newer, the ",
                       "module sev-guest and configfs mounted"));
    }
    return FileError("make an entry in", root_);
  }

  absl::Status Write(const std::string& entry, const std::string& attribute,
                     ByteView bytes) override {
    const std::string path = Path(absl::StrCat(entry, "/", attribute));
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return FileError("open", path);
    const auto close_file = absl::MakeCleanup([&] { close(file); });
    // A binary attribute takes effect as one write.
    if (write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      return FileError("write", path);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Bytes> Read(const std::string& entry, const std::string& attribute) override {
    const std::string path = Path(absl::StrCat(entry, "/", attribute));
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return FileError("open", path);
    const auto close_file = absl::MakeCleanup([&] { close(file); });
    Bytes content;
    std::array<char, 4096> buffer;
    while (content.size() <= kMaxAttributeBytes) {
      const ssize_t count = read(file, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return FileError("read", path);
      if (count == 0) return content;
      content.append(buffer.data(), count);
    }
    return absl::OutOfRangeError(
        absl::StrCat("configfs-tsm: ", path, " is larger than ", kMaxAttributeBytes, " bytes"));
  }

  void RemoveEntry(const std::string& entry) override { rmdir(Path(entry).c_str()); }

 private:
  std::string Path(const std::string& name) const { return absl::StrCat(root_, "/", name); }

  const std::string root_;
};

}  // namespace

std::unique_ptr<TsmReports> KernelTsmReports(std::string root) {
  return std::make_unique<KernelReports>(std::move(root));
}

}  // namespace latchkey::client
