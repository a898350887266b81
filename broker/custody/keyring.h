#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/secret_bytes.h"
#include "broker/custody/release_grant.h"
#include "broker/custody/root.h"
#include "broker/store/store.h"
#include "crypto/hpke.h"
#include "protocol/names.h"
#include "protocol/sealed_item.h"

namespace latchkey::custody {

// States of a key version. NIST SP 800-57 part 1: active, suspended, (deactivated), destroyed.
enum class VersionState {
  kEnabled = 1,
  kDisabled = 2,
  kScheduledForDestruction = 3,
  kDestroyed = 4
};

struct Charter {
  std::string policy;  // empty: releases nothing
  uint32_t min_policy_revision = 0;
  std::vector<std::string> required_context;
};

struct VersionInfo {
  uint32_t number = 0;
  VersionState state = VersionState::kEnabled;
  absl::Time create_time;
};

struct KeyInfo {
  protocol::KeyName name;
  Charter charter;
  std::map<std::string, std::string> labels;
  std::vector<VersionInfo> versions;
  uint32_t primary_version = 0;
  absl::Time create_time;
  std::string root;
  Bytes state_digest;  // SHA-256 of the stored record: the etag and the log's state digest
};

// `Key` is a CMK whose stored record was authenticated and whose enabled versions are open in
// locked memory.
class Key {
 public:
  virtual ~Key() = default;
  virtual const KeyInfo& info() const = 0;
};

// `HeldDek` is an opened DEK on its way from one wrapping to a seal. There is no way to read it
// out.
class HeldDek {
 public:
  HeldDek(HeldDek&&) = default;
  HeldDek& operator=(HeldDek&&) = default;

 private:
  friend class Keyring;
  friend class KeyringAccess;  // keyring.cc
  explicit HeldDek(SecretBytes dek) : dek_(std::move(dek)) {}
  SecretBytes dek_;
};

struct UnwrappedDek {
  HeldDek dek;
  uint32_t key_version = 0;
};
struct GeneratedDek {
  HeldDek dek;
  Bytes wrapped_dek;
  uint32_t key_version = 0;
};
struct WrappedDek {
  Bytes wrapped_dek;
  uint32_t key_version = 0;
};

// `Keyring` is root -> CMK -> DEK. Thread-safe. Writes happen in the caller's transaction, so that
// they commit together with their log leaf. Refusals carry audit reasons: KEY_UNKNOWN_TO_US,
// KEY_FROZEN (an edited row), KEY_VERSION_DISABLED, WRAPPED_DEK_MALFORMED, WRAPPED_DEK_WRONG_KEY,
// WRAPPED_DEK_DENIED (does not authenticate), CONTEXT_MISMATCH, CONTEXT_MISSING.
class Keyring {
 public:
  virtual ~Keyring() = default;

  // Administration.
  virtual absl::StatusOr<KeyInfo> CreateKey(store::Transaction& transaction,
                                            const protocol::KeyName& name, const Charter& charter,
                                            const std::map<std::string, std::string>& labels,
                                            absl::Time now) = 0;
  virtual absl::StatusOr<KeyInfo> RotateKey(store::Transaction& transaction,
                                            const protocol::KeyName& name, absl::Time now) = 0;
  virtual absl::StatusOr<KeyInfo> SetVersionState(store::Transaction& transaction,
                                                  const protocol::KeyName& name, uint32_t version,
                                                  VersionState state) = 0;
  // Up to `limit` keys of `tenant` with names after `after`.
  virtual absl::StatusOr<std::vector<KeyInfo>> ListKeys(store::ReadTransaction& transaction,
                                                        std::string_view tenant,
                                                        std::string_view after, size_t limit) = 0;

  // Reads and authenticates a key's record and opens its enabled versions; cached by the record's
  // bytes.
  virtual absl::StatusOr<std::shared_ptr<const Key>> Open(store::ReadTransaction& transaction,
                                                          const protocol::KeyName& name) = 0;

  // For releases: the grant is consumed.
  virtual absl::StatusOr<UnwrappedDek> Unwrap(ReleaseGrant grant, const Key& key,
                                              ByteView wrapped_dek,
                                              const protocol::Context& context) = 0;
  virtual absl::StatusOr<GeneratedDek> Generate(ReleaseGrant grant, const Key& key,
                                                const protocol::Context& context,
                                                size_t size_bytes) = 0;
  // Seals a held DEK; it is wiped.
  static Bytes Seal(HeldDek dek, protocol::ItemSealer& sealer, ByteView associated_data);

  // For those who protect data; nothing leaves in the clear.
  virtual absl::StatusOr<WrappedDek> GenerateWrapped(const Key& key,
                                                     const protocol::Context& context,
                                                     size_t size_bytes) = 0;
  // `encrypted_dek` is HPKE ciphertext to `wrapping_public_key()`.
  virtual absl::StatusOr<WrappedDek> WrapEncrypted(const Key& key, const protocol::Context& context,
                                                   ByteView encrypted_dek) = 0;
  virtual absl::StatusOr<WrappedDek> Rewrap(const Key& key, ByteView wrapped_dek) = 0;
  virtual const Bytes& wrapping_public_key() const = 0;
};

absl::StatusOr<std::unique_ptr<Keyring>> MakeKeyring(Root& root, Random& random);

}  // namespace latchkey::custody
