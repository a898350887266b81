#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/secret_bytes.h"

namespace latchkey {

// `ReadSecretFile` reads a key, PIN or private key under the rules of secret files: links are
// resolved; the file is regular, it and every parent are owned by root or us and not writable by
// others (a sticky parent is allowed); nothing for others on the file; group read only for a group
// we are in. FailedPrecondition names the file, the rule and the command that mends it; at most
// `max_size_bytes`.
absl::StatusOr<SecretBytes> ReadSecretFile(const std::string& path,
                                           size_t max_size_bytes = 64 << 10);

// `WriteSecretFile` creates `path` with mode 0400 and writes `content` durably; AlreadyExists when
// it is there.
absl::Status WriteSecretFile(const std::string& path, ByteView content);

}  // namespace latchkey
