#include "cli/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "cli/output.h"

namespace latchkey::cli {
namespace {

constexpr size_t kMaxTextBytes = 16 << 20;
constexpr size_t kMaxDekBytes = 64;

absl::StatusOr<std::string> ReadStream(std::istream& in, const std::string& name) {
  std::string text;
  std::array<char, 8192> buffer;
  while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
    text.append(buffer.data(), in.gcount());
    if (text.size() > kMaxTextBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": larger than ", kMaxTextBytes, " bytes"));
    }
  }
  if (in.bad()) return absl::DataLossError(absl::StrCat(name, ": cannot be read"));
  return text;
}

absl::StatusOr<SecretBytes> ReadSecretFromStdin() {
  SecretBytes dek(kMaxDekBytes + 1);
  size_t size = 0;
  while (size < dek.size()) {
    const ssize_t count = read(STDIN_FILENO, dek.mutable_view().data() + size, dek.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, "standard input: cannot be read");
    if (count == 0) break;
    size += count;
  }
  dek.Truncate(size);
  return dek;
}

}  // namespace

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  if (path == "-") return ReadStream(std::cin, "standard input");
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be opened"));
  return ReadStream(file, path);
}

absl::Status WriteTextFile(const std::string& path, const std::string& content) {
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".new");
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat(temporary, ": cannot be made"));
  absl::Status written = WriteAll(file, AsBytes(content));
  if (written.ok() && fsync(file) != 0) {
    written = absl::ErrnoToStatus(errno, absl::StrCat(temporary, ": cannot be synced"));
  }
  close(file);
  if (written.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    written = absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be replaced"));
  }
  if (!written.ok()) unlink(temporary.c_str());
  return written;
}

absl::StatusOr<SecretBytes> ReadDek(const std::string& path) {
  ASSIGN_OR_RETURN(SecretBytes dek,
                   path == "-" ? ReadSecretFromStdin() : ReadSecretFile(path, kMaxDekBytes));
  for (const size_t size : {16, 24, 32, 64}) {
    if (dek.size() == size) return dek;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": a DEK has 16, 24, 32 or 64 raw bytes; this has ",
                   dek.size() > kMaxDekBytes ? std::string("more") : absl::StrCat(dek.size())));
}

absl::Status WriteAll(int descriptor, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot write to descriptor ", descriptor));
    }
    bytes = bytes.subspan(count);
  }
  return absl::OkStatus();
}

absl::StatusOr<protocol::Context> ParsePairs(const std::string& option,
                                             const std::vector<std::string>& pairs) {
  protocol::Context context;
  for (const std::string& pair : pairs) {
    const size_t at = pair.find('=');
    if (at == std::string::npos || at == 0) {
      return UsageError(absl::StrCat(option, " `", pair, "`: write name=value"));
    }
    if (!context.emplace(pair.substr(0, at), pair.substr(at + 1)).second) {
      return UsageError(absl::StrCat(option, " `", pair.substr(0, at), "` is given twice"));
    }
  }
  return context;
}

absl::StatusOr<absl::Time> ParseTime(const std::string& text) {
  if (text.empty()) return absl::Now();
  absl::Time time;
  std::string fault;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &fault) ||
      absl::ParseTime("%Y-%m-%d", text, &time, &fault)) {
    return time;
  }
  return UsageError(absl::StrCat("--at `", text, "`: write 2025-06-30T12:00:00Z or 2025-06-30"));
}

}  // namespace latchkey::cli
