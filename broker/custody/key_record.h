#pragma once

// The stored form of a key: latchkey.storage.v1.KeyRecord under `key/{tenant}/{key}`, in which
// every version's material is wrapped with the digest of the whole record, so that nobody edits one
// field and keeps a key that opens.

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "base/secret_bytes.h"
#include "broker/custody/keyring.h"
#include "broker/custody/root.h"

namespace latchkey::custody {

inline constexpr size_t kCmkSize = 32;

// `key/{tenant}/{key}`, and what all keys of a tenant start with.
std::string KeyPath(const protocol::KeyName& name);
std::string KeyPathPrefix(std::string_view tenant);

// `OpenedKey` is an authenticated record with the material of its versions, destroyed ones empty.
struct OpenedKey {
  KeyInfo info;
  std::map<uint32_t, SecretBytes> material;
};

// `SealKeyRecord` writes the record of `key`; each version's material is wrapped anew.
absl::StatusOr<Bytes> SealKeyRecord(Root& root, const OpenedKey& key);

// `OpenKeyRecord` authenticates `record`, found under `name`, and opens every version. KEY_FROZEN
// names the key when one field of it is not as we wrote it.
absl::StatusOr<OpenedKey> OpenKeyRecord(Root& root, const protocol::KeyName& name, ByteView record);

// SHA-256 of a stored record.
Bytes StateDigest(ByteView record);

}  // namespace latchkey::custody
