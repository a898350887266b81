#include "base/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace latchkey {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel's own limit

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

absl::Status Broken(const std::string& path, const std::string& rule, const std::string& mend) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", rule, "; ", mend));
}

absl::Status SystemError(const std::string& path, const std::string& doing) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot ", doing));
}

bool OwnedByRootOrUs(const struct stat& info) {
  return info.st_uid == 0 || info.st_uid == geteuid();
}

bool InOurGroups(gid_t group) {
  if (group == getegid()) return true;
  const int count = getgroups(0, nullptr);
  if (count <= 0) return false;
  std::vector<gid_t> groups(count);
  const int got = getgroups(count, groups.data());
  return got > 0 && std::find(groups.begin(), groups.begin() + got, group) != groups.begin() + got;
}

absl::Status EnsureOwner(const std::string& path, const struct stat& info) {
  if (OwnedByRootOrUs(info)) return absl::OkStatus();
  return Broken(path, absl::StrCat("owned by user ", info.st_uid, ", not by root or us"),
                absl::StrCat("run: chown ", geteuid(), " ", path));
}

// Whoever writes to a directory may put another file in place of ours; the sticky bit forbids that
// to all but the owners.
absl::Status EnsureSafeDirectory(const std::string& path, int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError(path, "examine it");
  RETURN_IF_ERROR(EnsureOwner(path, info));
  if ((info.st_mode & 022) != 0 && (info.st_mode & S_ISVTX) == 0) {
    return Broken(
        path, absl::StrFormat("directory of mode %04o is writable by others", info.st_mode & 07777),
        absl::StrCat("run: chmod go-w ", path));
  }
  return absl::OkStatus();
}

absl::Status EnsureSafeFile(const std::string& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return Broken(path, "not a regular file", "name a regular file");
  RETURN_IF_ERROR(EnsureOwner(path, info));
  const std::string mode = absl::StrFormat("file of mode %04o ", info.st_mode & 07777);
  if ((info.st_mode & 07) != 0) {
    return Broken(path, mode + "is open to others", absl::StrCat("run: chmod go= ", path));
  }
  if ((info.st_mode & 030) != 0) {
    return Broken(path, mode + "is writable or executable by its group",
                  absl::StrCat("run: chmod g-wx ", path));
  }
  if ((info.st_mode & 040) != 0 && !InOurGroups(info.st_gid)) {
    return Broken(path,
                  absl::StrCat(mode, "is readable by group ", info.st_gid, ", which we are not in"),
                  absl::StrCat("run: chmod g= ", path));
  }
  return absl::OkStatus();
}

// What is left of a path, component by component; links put theirs in front.
class Components {
 public:
  explicit Components(const std::string& path) { PushFront(path); }
  void PushFront(const std::string& path) {
    const std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
    left_.insert(left_.begin(), parts.begin(), parts.end());
  }
  bool empty() const { return left_.empty(); }
  std::string PopFront() {
    std::string part = std::move(left_.front());
    left_.pop_front();
    return part;
  }

 private:
  std::deque<std::string> left_;
};

absl::StatusOr<std::string> ReadLink(const std::string& path, int directory,
                                     const std::string& name) {
  std::string target(4096, '\0');
  const ssize_t size = readlinkat(directory, name.c_str(), target.data(), target.size());
  if (size < 0 || size == static_cast<ssize_t>(target.size())) {
    return SystemError(path, "read the link");
  }
  target.resize(size);
  return target;
}

// Walks to the file of `path` through open directories only, so that what was checked is what is
// opened.
absl::StatusOr<Fd> OpenChecked(const std::string& path) {
  constexpr int kDirectory = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  // Non-blocking: a FIFO put here between the check and the open must not hang us.
  constexpr int kFile = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
  std::string at = path.starts_with('/') ? "/" : ".";
  Fd directory(open(at.c_str(), kDirectory));
  Components components(path);
  for (int links = 0; !components.empty();) {
    if (!directory.ok()) return SystemError(at, "open the directory");
    RETURN_IF_ERROR(EnsureSafeDirectory(at, directory.get()));
    const std::string name = components.PopFront();
    const std::string here = absl::StrCat(at, at.ends_with('/') ? "" : "/", name);
    struct stat info;
    if (fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return SystemError(here, "examine it");
    }
    if (S_ISLNK(info.st_mode)) {
      RETURN_IF_ERROR(EnsureOwner(here, info));
      if (++links > kMaxLinks) return Broken(path, "too many links", "name the file itself");
      ASSIGN_OR_RETURN(const std::string target, ReadLink(here, directory.get(), name));
      components.PushFront(target);
      if (target.starts_with('/')) {
        at = std::string(1, '/');
        directory = Fd(open("/", kDirectory));
      }
      continue;
    }
    if (components.empty()) {
      RETURN_IF_ERROR(EnsureSafeFile(here, info));
      Fd file(openat(directory.get(), name.c_str(), kFile));
      if (!file.ok()) return SystemError(here, "open it");
      return file;
    }
    directory = Fd(openat(directory.get(), name.c_str(), kDirectory));
    at = here;
  }
  return Broken(path, "not a file", "name a regular file");
}

absl::Status WriteAll(int fd, const std::string& path, ByteView content) {
  while (!content.empty()) {
    const ssize_t size = write(fd, content.data(), content.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return SystemError(path, "write it");
    content = content.subspan(size);
  }
  if (fsync(fd) != 0) return SystemError(path, "sync it");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SecretBytes> ReadSecretFile(const std::string& path, size_t max_size_bytes) {
  ASSIGN_OR_RETURN(const Fd file, OpenChecked(path));
  struct stat info;
  if (fstat(file.get(), &info) != 0) return SystemError(path, "examine it");
  RETURN_IF_ERROR(EnsureSafeFile(path, info));
  if (info.st_size == 0) return Broken(path, "empty", "restore it from your backup");
  if (static_cast<size_t>(info.st_size) > max_size_bytes) {
    return Broken(
        path,
        absl::StrCat(info.st_size, " bytes are more than the ", max_size_bytes, " of such a file"),
        "name the right file");
  }
  SecretBytes content(info.st_size);
  for (size_t done = 0; done < content.size();) {
    const ssize_t size =
        read(file.get(), content.mutable_view().data() + done, content.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return SystemError(path, "read it");
    if (size == 0) return Broken(path, "changed while it was read", "try again");
    done += size;
  }
  return content;
}

absl::Status WriteSecretFile(const std::string& path, ByteView content) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!file.ok()) return SystemError(path, "create it");
  absl::Status status = WriteAll(file.get(), path, content);
  // The name is durable once its directory is.
  const Fd directory(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (status.ok() && (!directory.ok() || fsync(directory.get()) != 0)) {
    status = SystemError(parent, "sync the directory");
  }
  if (!status.ok()) unlink(path.c_str());
  return status;
}

}  // namespace latchkey
