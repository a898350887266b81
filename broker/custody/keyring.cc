#include "broker/custody/keyring.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/custody/key_record.h"
#include "broker/custody/wrapped_dek.h"

namespace latchkey::custody {

// Makes HeldDeks for the keyring below; nothing outside this file can.
class KeyringAccess {
 public:
  static HeldDek Hold(SecretBytes dek) { return HeldDek(std::move(dek)); }
};

namespace {

constexpr size_t kMaxLabels = 64;
constexpr size_t kMaxLabelSize = 256;
constexpr size_t kMaxRequiredContext = 32;
constexpr size_t kMaxContextNameSize = 128;

class KeyImpl final : public Key {
 public:
  KeyImpl(OpenedKey key, Bytes record) : key_(std::move(key)), record_(std::move(record)) {
    // What is not enabled was opened to authenticate the record only.
    for (const VersionInfo& version : key_.info.versions) {
      if (version.state != VersionState::kEnabled) key_.material.erase(version.number);
    }
  }

  const KeyInfo& info() const override { return key_.info; }
  const Bytes& record() const { return record_; }

  // The material of an enabled version. KEY_VERSION_DISABLED, or WRAPPED_DEK_WRONG_KEY for none of
  // ours.
  absl::StatusOr<const SecretBytes*> Material(uint32_t version) const {
    const auto found = key_.material.find(version);
    if (found != key_.material.end()) return &found->second;
    const auto known = std::any_of(key_.info.versions.begin(), key_.info.versions.end(),
                                   [&](const VersionInfo& info) { return info.number == version; });
    const std::string name = key_.info.name.Version(version);
    if (!known) {
      return Refuse(absl::StatusCode::kInvalidArgument, "WRAPPED_DEK_WRONG_KEY",
                    absl::StrCat(name, ": the key has no such version"));
    }
    return Refuse(absl::StatusCode::kFailedPrecondition, "KEY_VERSION_DISABLED",
                  absl::StrCat(name, ": the version is not enabled; enable it, or use another"));
  }

 private:
  OpenedKey key_;
  Bytes record_;
};

const KeyImpl& Ours(const Key& key) {
  const auto* ours = dynamic_cast<const KeyImpl*>(&key);
  LATCHKEY_CHECK(ours != nullptr);
  return *ours;
}

// `KeyCache` keeps the keys used lately: two generations, the older dropped whole when the newer is
// full. Not thread-safe.
class KeyCache {
 public:
  std::shared_ptr<const KeyImpl> Find(const std::string& path) {
    if (const auto found = newer_.find(path); found != newer_.end()) return found->second;
    const auto found = older_.find(path);
    if (found == older_.end()) return nullptr;
    std::shared_ptr<const KeyImpl> key = std::move(found->second);
    older_.erase(found);
    Insert(path, key);
    return key;
  }
  void Insert(const std::string& path, std::shared_ptr<const KeyImpl> key) {
    if (newer_.size() >= kGenerationSize) older_ = std::exchange(newer_, {});
    newer_[path] = std::move(key);
  }

 private:
  static constexpr size_t kGenerationSize = 1024;
  std::unordered_map<std::string, std::shared_ptr<const KeyImpl>> newer_, older_;
};

absl::Status CheckRequiredContextNames(const std::vector<std::string>& names) {
  if (names.size() > kMaxRequiredContext) {
    return absl::InvalidArgumentError(absl::StrCat(
        "charter: ", names.size(), " required context names; at most ", kMaxRequiredContext));
  }
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > kMaxContextNameSize) {
      return absl::InvalidArgumentError(absl::StrCat(
          "charter: required context name of ", name.size(), " bytes; 1 to ", kMaxContextNameSize));
    }
    if (!seen.insert(name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("charter: required context name \"", name, "\" stands twice; drop one"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNewKey(const protocol::KeyName& name, const Charter& charter,
                         const std::map<std::string, std::string>& labels) {
  RETURN_IF_ERROR(protocol::CheckName("tenant", name.tenant));
  RETURN_IF_ERROR(protocol::CheckName("key", name.key));
  if (!charter.policy.empty()) RETURN_IF_ERROR(protocol::CheckName("policy", charter.policy));
  RETURN_IF_ERROR(CheckRequiredContextNames(charter.required_context));
  if (labels.size() > kMaxLabels) {
    return absl::InvalidArgumentError(absl::StrCat(labels.size(), " labels; at most ", kMaxLabels));
  }
  for (const auto& [label, value] : labels) {
    RETURN_IF_ERROR(protocol::CheckName("label", label));
    if (value.size() > kMaxLabelSize) {
      return absl::InvalidArgumentError(absl::StrCat("label ", label, ": value of ", value.size(),
                                                     " bytes; at most ", kMaxLabelSize));
    }
  }
  return absl::OkStatus();
}

absl::Status UnknownKey(const protocol::KeyName& name) {
  return Refuse(
      absl::StatusCode::kNotFound, "KEY_UNKNOWN_TO_US",
      absl::StrCat("key ", name.Full(), " does not exist; create it, or correct the name"));
}

// Times as the record keeps them.
absl::Time WholeMicroseconds(absl::Time time) {
  return absl::FromUnixMicros(absl::ToUnixMicros(time));
}

absl::Status EnsureTransition(const std::string& name, VersionState from, VersionState to) {
  if (from == VersionState::kDestroyed) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "KEY_VERSION_DISABLED",
                  absl::StrCat(name, ": destroyed; nothing brings it back"));
  }
  if (to == VersionState::kDestroyed && from != VersionState::kScheduledForDestruction) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": not scheduled for destruction; schedule it first"));
  }
  return absl::OkStatus();
}

absl::Status EnsureRequiredContext(const KeyInfo& key, const protocol::Context& context) {
  for (const std::string& name : key.charter.required_context) {
    if (!context.contains(name)) {
      return Refuse(absl::StatusCode::kInvalidArgument, "CONTEXT_MISSING",
                    absl::StrCat("key ", key.name.Full(), ": the context lacks \"", name,
                                 "\", which its charter requires; add it"));
    }
  }
  return absl::OkStatus();
}

absl::Status EnsureContextMatches(const ParsedWrappedDek& parsed,
                                  const protocol::Context& context) {
  if (parsed.header.context == protocol::EncodeContext(context)) return absl::OkStatus();
  return Refuse(absl::StatusCode::kInvalidArgument, "CONTEXT_MISMATCH",
                absl::StrCat("wrapped DEK of ", parsed.header.key.Full(),
                             ": wrapped with another context; send the one it was wrapped with"));
}

absl::Status EnsureGrantFor(const ReleaseGrant& grant, const Key& key) {
  if (grant.key() == key.info().name) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the grant is for ", grant.key().Full(), ", not for ", key.info().name.Full()));
}

// Parses `blob` and finds it to be one of `key`, of a version that is enabled.
absl::StatusOr<ParsedWrappedDek> ParseBlobOf(const KeyImpl& key, ByteView blob) {
  ASSIGN_OR_RETURN(ParsedWrappedDek parsed, ParseWrappedDekUnverified(blob));
  if (parsed.header.key != key.info().name) {
    return Refuse(absl::StatusCode::kInvalidArgument, "WRAPPED_DEK_WRONG_KEY",
                  absl::StrCat("wrapped DEK of ", parsed.header.key.Full(), ", asked for under ",
                               key.info().name.Full(), "; name the key it was wrapped under"));
  }
  RETURN_IF_ERROR(key.Material(parsed.header.version).status());
  return parsed;
}

class KeyringImpl final : public Keyring {
 public:
  KeyringImpl(Root& root, Random& random, crypto::HpkePrivateKey wrapping_key)
      : root_(root), random_(random), wrapping_key_(std::move(wrapping_key)) {}

  absl::StatusOr<KeyInfo> CreateKey(store::Transaction& transaction, const protocol::KeyName& name,
                                    const Charter& charter,
                                    const std::map<std::string, std::string>& labels,
                                    absl::Time now) override {
    RETURN_IF_ERROR(CheckNewKey(name, charter, labels));
    ASSIGN_OR_RETURN(const std::optional<Bytes> record, transaction.Get(KeyPath(name)));
    if (record) {
      return absl::AlreadyExistsError(
          absl::StrCat("key ", name.Full(), " exists; choose another name"));
    }
    now = WholeMicroseconds(now);
    OpenedKey key;
    key.info.name = name;
    key.info.charter = charter;
    key.info.labels = labels;
    key.info.create_time = now;
    key.info.root = root_.name();
    AddVersion(key, 1, now);
    return Write(transaction, std::move(key));
  }

  absl::StatusOr<KeyInfo> RotateKey(store::Transaction& transaction, const protocol::KeyName& name,
                                    absl::Time now) override {
    ASSIGN_OR_RETURN(OpenedKey key, Load(transaction, name));
    AddVersion(key, key.info.versions.back().number + 1, WholeMicroseconds(now));
    return Write(transaction, std::move(key));
  }

  absl::StatusOr<KeyInfo> SetVersionState(store::Transaction& transaction,
                                          const protocol::KeyName& name, uint32_t version,
                                          VersionState state) override {
    ASSIGN_OR_RETURN(OpenedKey key, Load(transaction, name));
    const auto found = std::find_if(key.info.versions.begin(), key.info.versions.end(),
                                    [&](const VersionInfo& v) { return v.number == version; });
    if (found == key.info.versions.end()) {
      return absl::NotFoundError(absl::StrCat(name.Version(version), " does not exist"));
    }
    if (found->state == state) return std::move(key.info);
    RETURN_IF_ERROR(EnsureTransition(name.Version(version), found->state, state));
    found->state = state;
    if (state == VersionState::kDestroyed) key.material[version] = SecretBytes();
    return Write(transaction, std::move(key));
  }

  // A frozen key is listed by its name and digest alone: nothing else of it can be believed.
  absl::StatusOr<std::vector<KeyInfo>> ListKeys(store::ReadTransaction& transaction,
                                                std::string_view tenant, std::string_view after,
                                                size_t limit) override {
    const std::string prefix = KeyPathPrefix(tenant);
    const std::string after_path = after.empty() ? "" : absl::StrCat(prefix, ToAbsl(after));
    ASSIGN_OR_RETURN(const std::vector<store::Entry> entries,
                     transaction.Scan(prefix, after_path, limit));
    std::vector<KeyInfo> keys;
    for (const store::Entry& entry : entries) {
      const protocol::KeyName name{std::string(tenant), entry.key.substr(prefix.size())};
      auto key = OpenKeyRecord(root_, name, AsBytes(entry.value));
      if (key.ok()) {
        keys.push_back(std::move(key->info));
      } else {
        keys.emplace_back().name = name;
        keys.back().state_digest = StateDigest(AsBytes(entry.value));
      }
    }
    return keys;
  }

  absl::StatusOr<std::shared_ptr<const Key>> Open(store::ReadTransaction& transaction,
                                                  const protocol::KeyName& name) override {
    const std::string path = KeyPath(name);
    ASSIGN_OR_RETURN(std::optional<Bytes> record, transaction.Get(path));
    if (!record) return UnknownKey(name);
    {
      MutexLock lock(mutex_);
      auto cached = cache_.Find(path);
      if (cached != nullptr && cached->record() == *record) return cached;
    }
    ASSIGN_OR_RETURN(OpenedKey opened, OpenKeyRecord(root_, name, AsBytes(*record)));
    auto key = std::make_shared<const KeyImpl>(std::move(opened), *std::move(record));
    MutexLock lock(mutex_);
    cache_.Insert(path, key);
    return key;
  }

  absl::StatusOr<UnwrappedDek> Unwrap(ReleaseGrant grant, const Key& key, ByteView wrapped_dek,
                                      const protocol::Context& context) override {
    RETURN_IF_ERROR(EnsureGrantFor(grant, key));
    const KeyImpl& ours = Ours(key);
    ASSIGN_OR_RETURN(const ParsedWrappedDek parsed, ParseBlobOf(ours, wrapped_dek));
    RETURN_IF_ERROR(EnsureContextMatches(parsed, context));
    RETURN_IF_ERROR(EnsureRequiredContext(key.info(), context));
    ASSIGN_OR_RETURN(SecretBytes dek, OpenBlob(ours, parsed));
    return UnwrappedDek{KeyringAccess::Hold(std::move(dek)), parsed.header.version};
  }

  absl::StatusOr<GeneratedDek> Generate(ReleaseGrant grant, const Key& key,
                                        const protocol::Context& context,
                                        size_t size_bytes) override {
    RETURN_IF_ERROR(EnsureGrantFor(grant, key));
    ASSIGN_OR_RETURN(SecretBytes dek, NewDek(size_bytes));
    ASSIGN_OR_RETURN(WrappedDek wrapped, WrapWithContext(key, context, DekOrigin::kBroker, dek));
    return GeneratedDek{KeyringAccess::Hold(std::move(dek)), std::move(wrapped.wrapped_dek),
                        wrapped.key_version};
  }

  absl::StatusOr<WrappedDek> GenerateWrapped(const Key& key, const protocol::Context& context,
                                             size_t size_bytes) override {
    ASSIGN_OR_RETURN(const SecretBytes dek, NewDek(size_bytes));
    return WrapWithContext(key, context, DekOrigin::kBroker, dek);
  }

  absl::StatusOr<WrappedDek> WrapEncrypted(const Key& key, const protocol::Context& context,
                                           ByteView encrypted_dek) override {
    ASSIGN_OR_RETURN(
        const SecretBytes dek,
        protocol::DecryptDekForWrap(wrapping_key_, key.info().name, context, encrypted_dek));
    return WrapWithContext(key, context, DekOrigin::kWrapper, dek);
  }

  // Origin and context stay; whoever rewraps learns nothing and says nothing about the DEK.
  absl::StatusOr<WrappedDek> Rewrap(const Key& key, ByteView wrapped_dek) override {
    const KeyImpl& ours = Ours(key);
    ASSIGN_OR_RETURN(const ParsedWrappedDek parsed, ParseBlobOf(ours, wrapped_dek));
    ASSIGN_OR_RETURN(const SecretBytes dek, OpenBlob(ours, parsed));
    return Wrap(ours, parsed.header.context, parsed.header.origin, dek);
  }

  const Bytes& wrapping_public_key() const override { return wrapping_key_.public_key(); }

 private:
  absl::StatusOr<OpenedKey> Load(store::ReadTransaction& transaction,
                                 const protocol::KeyName& name) {
    ASSIGN_OR_RETURN(const std::optional<Bytes> record, transaction.Get(KeyPath(name)));
    if (!record) return UnknownKey(name);
    return OpenKeyRecord(root_, name, AsBytes(*record));
  }

  absl::StatusOr<KeyInfo> Write(store::Transaction& transaction, OpenedKey key) {
    ASSIGN_OR_RETURN(const Bytes record, SealKeyRecord(root_, key));
    RETURN_IF_ERROR(transaction.Put(KeyPath(key.info.name), AsBytes(record)));
    key.info.state_digest = StateDigest(AsBytes(record));
    return std::move(key.info);
  }

  void AddVersion(OpenedKey& key, uint32_t number, absl::Time now) {
    SecretBytes material(kCmkSize);
    random_.Fill(material.mutable_view());
    key.material.emplace(number, std::move(material));
    key.info.versions.push_back({number, VersionState::kEnabled, now});
    key.info.primary_version = number;
  }

  absl::StatusOr<SecretBytes> NewDek(size_t size_bytes) {
    RETURN_IF_ERROR(CheckDekSize(size_bytes));
    SecretBytes dek(size_bytes);
    random_.Fill(dek.mutable_view());
    return dek;
  }

  absl::StatusOr<SecretBytes> OpenBlob(const KeyImpl& key, const ParsedWrappedDek& parsed) {
    ASSIGN_OR_RETURN(const SecretBytes* material, key.Material(parsed.header.version));
    return OpenWrappedDek(parsed, *material);
  }

  absl::StatusOr<WrappedDek> WrapWithContext(const Key& key, const protocol::Context& context,
                                             DekOrigin origin, const SecretBytes& dek) {
    RETURN_IF_ERROR(protocol::CheckContext(context));
    RETURN_IF_ERROR(EnsureRequiredContext(key.info(), context));
    return Wrap(Ours(key), protocol::EncodeContext(context), origin, dek);
  }

  absl::StatusOr<WrappedDek> Wrap(const KeyImpl& key, Bytes encoded_context, DekOrigin origin,
                                  const SecretBytes& dek) {
    const uint32_t version = key.info().primary_version;
    ASSIGN_OR_RETURN(const SecretBytes* material, key.Material(version));
    const WrappedDekHeader header{key.info().name, version, origin, std::move(encoded_context)};
    ASSIGN_OR_RETURN(Bytes blob, WrapDek(header, *material, dek, random_));
    return WrappedDek{std::move(blob), version};
  }

  Root& root_;
  Random& random_;
  const crypto::HpkePrivateKey wrapping_key_;
  Mutex mutex_;
  KeyCache cache_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

Bytes Keyring::Seal(HeldDek dek, protocol::ItemSealer& sealer, ByteView associated_data) {
  return sealer.Seal(associated_data, dek.dek_.view());
}

absl::StatusOr<std::unique_ptr<Keyring>> MakeKeyring(Root& root, Random& random) {
  ASSIGN_OR_RETURN(const SecretBytes seed, root.Derive("latchkey/v1/wrapping-key"));
  ASSIGN_OR_RETURN(crypto::HpkePrivateKey wrapping_key,
                   crypto::HpkePrivateKey::Parse(crypto::HpkeKem::kX25519, seed.view()));
  return std::make_unique<KeyringImpl>(root, random, std::move(wrapping_key));
}

}  // namespace latchkey::custody
