#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/secret_bytes.h"
#include "protocol/names.h"

namespace latchkey::cli {

// `ReadTextFile` reads a file that is no secret, at most 16 MiB; `-` is standard input.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

// `WriteTextFile` writes a file that is no secret; an existing one is replaced whole or not at all.
absl::Status WriteTextFile(const std::string& path, const std::string& content);

// `ReadDek` reads a DEK of 16, 24, 32 or 64 bytes from a secret file, or from standard input for
// `-`.
absl::StatusOr<SecretBytes> ReadDek(const std::string& path);

// `WriteAll` writes every byte to a descriptor.
absl::Status WriteAll(int descriptor, ByteView bytes);

// `ParsePairs` reads `k=v` options. A usage error names the option and the text without `=`, or the
// name that occurs twice.
absl::StatusOr<protocol::Context> ParsePairs(const std::string& option,
                                             const std::vector<std::string>& pairs);

// `ParseTime` reads RFC 3339 or YYYY-MM-DD; empty is now.
absl::StatusOr<absl::Time> ParseTime(const std::string& text);

}  // namespace latchkey::cli
