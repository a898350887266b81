#include "broker/custody/key_record.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "latchkey/storage/v1/records.pb.h"

namespace latchkey::custody {
namespace {

using storage::v1::CharterRecord;
using storage::v1::KeyRecord;
using storage::v1::KeyVersionRecord;

// All of the record but the material, one way to write it (a protobuf has several).
crypto::Sha256Digest RecordDigest(const KeyRecord& record) {
  Bytes out("latchkey/v1/key-record");
  AppendLp(out, record.tenant());
  AppendLp(out, record.name());
  AppendLp(out, record.root());
  AppendLp(out, record.charter());
  AppendU64(out, static_cast<uint64_t>(record.create_time_us()));
  AppendU32(out, record.primary_version());
  const std::map<std::string, std::string> labels(record.labels().begin(), record.labels().end());
  AppendU32(out, labels.size());
  for (const auto& [name, value] : labels) {
    AppendLp(out, name);
    AppendLp(out, value);
  }
  AppendU32(out, record.versions_size());
  for (const KeyVersionRecord& version : record.versions()) {
    AppendU32(out, version.number());
    AppendU32(out, version.state());
    AppendU64(out, static_cast<uint64_t>(version.create_time_us()));
  }
  return crypto::Sha256(AsBytes(out));
}

Bytes AssociatedData(const crypto::Sha256Digest& record_digest, uint32_t version) {
  Bytes out("latchkey/v1/key-version");
  AppendU32(out, version);
  out += AsText(record_digest);
  return out;
}

Bytes EncodeCharter(const Charter& charter) {
  CharterRecord record;
  record.set_policy(charter.policy);
  record.set_min_policy_revision(charter.min_policy_revision);
  for (const std::string& name : charter.required_context) record.add_required_context(name);
  return record.SerializeAsString();
}

absl::StatusOr<Charter> ParseCharter(const Bytes& bytes) {
  CharterRecord record;
  if (!record.ParseFromString(bytes)) return absl::DataLossError("its charter does not parse");
  return Charter{record.policy(),
                 record.min_policy_revision(),
                 {record.required_context().begin(), record.required_context().end()}};
}

absl::StatusOr<KeyInfo> ReadInfo(const KeyRecord& record) {
  KeyInfo info;
  info.name = {record.tenant(), record.name()};
  ASSIGN_OR_RETURN(info.charter, ParseCharter(record.charter()));
  info.labels = {record.labels().begin(), record.labels().end()};
  info.primary_version = record.primary_version();
  info.create_time = absl::FromUnixMicros(record.create_time_us());
  info.root = record.root();
  for (const KeyVersionRecord& version : record.versions()) {
    info.versions.push_back({version.number(), static_cast<VersionState>(version.state()),
                             absl::FromUnixMicros(version.create_time_us())});
  }
  return info;
}

// A destroyed version keeps a wrap of nothing, so that a key whose versions are all destroyed still
// authenticates its charter before a rotation gives it a version again.
size_t MaterialSize(uint32_t state) {
  return state == static_cast<uint32_t>(VersionState::kDestroyed) ? 0 : kCmkSize;
}

absl::StatusOr<OpenedKey> Authenticate(Root& root, const protocol::KeyName& name, ByteView bytes) {
  KeyRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("does not parse");
  }
  if (record.tenant() != name.tenant || record.name() != name.key) {
    return absl::DataLossError("belongs to another key");
  }
  if (record.root() != root.name()) {
    return absl::DataLossError(absl::StrCat("is under root ", record.root(), ", ours is ",
                                            root.name(), "; configure that root"));
  }
  if (record.versions().empty()) return absl::DataLossError("has no versions");
  const crypto::Sha256Digest digest = RecordDigest(record);
  OpenedKey key;
  for (const KeyVersionRecord& version : record.versions()) {
    const Bytes associated_data = AssociatedData(digest, version.number());
    auto material = root.Unwrap(AsBytes(associated_data), AsBytes(version.wrapped_material()));
    if (!material.ok() || material->size() != MaterialSize(version.state())) {
      return absl::DataLossError(absl::StrCat("version ", version.number(),
                                              " does not authenticate with the record as it is"));
    }
    key.material.emplace(version.number(), *std::move(material));
  }
  ASSIGN_OR_RETURN(key.info, ReadInfo(record));
  return key;
}

}  // namespace

std::string KeyPathPrefix(std::string_view tenant) {
  return absl::StrCat("key/", ToAbsl(tenant), "/");
}

std::string KeyPath(const protocol::KeyName& name) {
  return absl::StrCat(KeyPathPrefix(name.tenant), name.key);
}

absl::StatusOr<Bytes> SealKeyRecord(Root& root, const OpenedKey& key) {
  KeyRecord record;
  record.set_tenant(key.info.name.tenant);
  record.set_name(key.info.name.key);
  record.set_charter(EncodeCharter(key.info.charter));
  record.set_primary_version(key.info.primary_version);
  record.mutable_labels()->insert(key.info.labels.begin(), key.info.labels.end());
  record.set_create_time_us(absl::ToUnixMicros(key.info.create_time));
  record.set_root(root.name());
  for (const VersionInfo& version : key.info.versions) {
    KeyVersionRecord& stored = *record.add_versions();
    stored.set_number(version.number);
    stored.set_state(static_cast<uint32_t>(version.state));
    stored.set_create_time_us(absl::ToUnixMicros(version.create_time));
  }
  const crypto::Sha256Digest digest = RecordDigest(record);
  for (KeyVersionRecord& stored : *record.mutable_versions()) {
    const Bytes associated_data = AssociatedData(digest, stored.number());
    ASSIGN_OR_RETURN(*stored.mutable_wrapped_material(),
                     root.Wrap(AsBytes(associated_data), key.material.at(stored.number())));
  }
  return record.SerializeAsString();
}

absl::StatusOr<OpenedKey> OpenKeyRecord(Root& root, const protocol::KeyName& name,
                                        ByteView record) {
  auto key = Authenticate(root, name, record);
  if (!key.ok()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "KEY_FROZEN",
                  absl::StrCat("key ", name.Full(), ": its stored record ", key.status().message(),
                               "; the key stays frozen until the record is restored"));
  }
  key->info.state_digest = StateDigest(record);
  return key;
}

Bytes StateDigest(ByteView record) { return ToBytes(crypto::Sha256(record)); }

}  // namespace latchkey::custody
