#include "broker/release/policy_book.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "latchkey/storage/v1/records.pb.h"

namespace latchkey::release {
namespace {

using PolicyRecord = storage::v1::PolicyRecord;

constexpr size_t kMaxCompiled = 4096;
constexpr size_t kMaxPolicies = 10000;

std::string HeadPrefix(std::string_view tenant) {
  return absl::StrCat("policy_head/", ToAbsl(tenant), "/");
}

// The newest revision is kept a second time under this key, so that finding it is one read.
std::string HeadKey(std::string_view tenant, std::string_view name) {
  return absl::StrCat(HeadPrefix(tenant), ToAbsl(name));
}

std::string RevisionKey(std::string_view tenant, std::string_view name, uint32_t number) {
  return absl::StrFormat("policy/%s/%s/%010u", ToAbsl(tenant), ToAbsl(name), number);
}

Bytes Mac(const SecretBytes& key, const PolicyRecord& record) {
  Bytes bound = "latchkey/v1/policy-record";
  AppendLp(bound, record.tenant());
  AppendLp(bound, record.name());
  AppendU32(bound, record.number());
  AppendLp(bound, record.document());
  AppendLp(bound, record.digest());
  AppendLp(bound, record.previous_digest());
  AppendU64(bound, static_cast<uint64_t>(record.create_time_us()));
  AppendLp(bound, record.actor());
  return ToBytes(crypto::HmacSha256(key.view(), {AsBytes(bound)}));
}

absl::Status Frozen(std::string_view key, std::string_view fault) {
  return Refuse(absl::StatusCode::kDataLoss, "KEY_WITHOUT_POLICY",
                absl::StrCat("policy record ", ToAbsl(key), ": ", ToAbsl(fault),
                             "; put the policy again and look for who wrote to the database"));
}

absl::StatusOr<std::shared_ptr<const policy::Policy>> Check(std::string_view document) {
  policy::ParseResult parsed = policy::ParsePolicy("policy", document);
  if (parsed.policy == nullptr) {
    return absl::InvalidArgumentError(policy::FormatIssues("policy", document, parsed.issues));
  }
  return std::move(parsed.policy);
}

}  // namespace

std::string Revision::FullName() const {
  return absl::StrCat("tenants/", tenant, "/policies/", name, "/revisions/", number);
}

absl::StatusOr<std::unique_ptr<PolicyBook>> PolicyBook::Create(custody::Root& root) {
  ASSIGN_OR_RETURN(SecretBytes mac_key, root.Derive("latchkey/v1/policy-mac"));
  return std::unique_ptr<PolicyBook>(new PolicyBook(std::move(mac_key)));
}

absl::StatusOr<Revision> PolicyBook::Put(store::Transaction& transaction, std::string_view tenant,
                                         std::string_view document,
                                         std::optional<uint32_t> expected_revision,
                                         std::string_view actor, absl::Time now) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const policy::Policy> checked, Check(document));
  const std::string& name = checked->name();
  const auto newest = Newest(transaction, tenant, name);
  if (!newest.ok() && !absl::IsNotFound(newest.status())) return newest.status();
  const uint32_t current = newest.ok() ? (*newest)->number : 0;
  if (expected_revision.has_value() && *expected_revision != current) {
    return absl::AbortedError(absl::StrCat("policy ", name, ": revision ", *expected_revision,
                                           " is not the newest; it is ", current,
                                           ". Read it, merge, and put again"));
  }
  PolicyRecord record;
  record.set_tenant(std::string(tenant));
  record.set_name(name);
  record.set_number(current + 1);
  record.set_document(std::string(document));
  record.set_digest(ToBytes(crypto::Sha256(AsBytes(document))));
  if (newest.ok()) record.set_previous_digest((*newest)->digest);
  record.set_create_time_us(absl::ToUnixMicros(now));
  record.set_actor(std::string(actor));
  record.set_mac(Mac(mac_key_, record));
  const Bytes row = record.SerializeAsString();
  RETURN_IF_ERROR(transaction.Put(RevisionKey(tenant, name, record.number()), AsBytes(row)));
  RETURN_IF_ERROR(transaction.Put(HeadKey(tenant, name), AsBytes(row)));
  return Revision{record.tenant(), name,   record.number(), record.digest(), now,
                  record.actor(),  checked};
}

absl::StatusOr<std::shared_ptr<const Revision>> PolicyBook::Newest(
    store::ReadTransaction& transaction, std::string_view tenant, std::string_view name) {
  ASSIGN_OR_RETURN(auto revision, Load(transaction, HeadKey(tenant, name)));
  if (revision->tenant != tenant || revision->name != name) {
    return Frozen(HeadKey(tenant, name), "is a copy of another policy's row");
  }
  return revision;
}

absl::StatusOr<std::shared_ptr<const Revision>> PolicyBook::Get(store::ReadTransaction& transaction,
                                                                std::string_view tenant,
                                                                std::string_view name,
                                                                uint32_t number) {
  const std::string key = RevisionKey(tenant, name, number);
  ASSIGN_OR_RETURN(auto revision, Load(transaction, key));
  if (revision->tenant != tenant || revision->name != name || revision->number != number) {
    return Frozen(key, "is a copy of another revision's row");
  }
  return revision;
}

absl::StatusOr<std::vector<std::shared_ptr<const Revision>>> PolicyBook::List(
    store::ReadTransaction& transaction, std::string_view tenant) {
  ASSIGN_OR_RETURN(const std::vector<store::Entry> heads,
                   transaction.Scan(HeadPrefix(tenant), "", kMaxPolicies));
  std::vector<std::shared_ptr<const Revision>> revisions;
  for (const store::Entry& head : heads) {
    ASSIGN_OR_RETURN(auto revision, Compile(head.key, head.value));
    revisions.push_back(std::move(revision));
  }
  return revisions;
}

absl::StatusOr<std::shared_ptr<const Revision>> PolicyBook::Load(
    store::ReadTransaction& transaction, const std::string& key) {
  ASSIGN_OR_RETURN(const std::optional<Bytes> row, transaction.Get(key));
  if (!row.has_value()) {
    return absl::NotFoundError(
        absl::StrCat("no policy record ", key, "; see `latchkey policy list`"));
  }
  return Compile(key, *row);
}

absl::StatusOr<std::shared_ptr<const Revision>> PolicyBook::Compile(const std::string& key,
                                                                    const Bytes& row) {
  {
    MutexLock lock(mutex_);
    const auto found = compiled_.find(key);
    if (found != compiled_.end() && found->second.first == row) return found->second.second;
  }
  PolicyRecord record;
  if (!record.ParseFromString(row)) return Frozen(key, "does not parse");
  if (!ConstantTimeEquals(AsBytes(record.mac()), AsBytes(Mac(mac_key_, record)))) {
    return Frozen(key, "was edited: its MAC does not match");
  }
  ASSIGN_OR_RETURN(auto checked, Check(record.document()));
  auto revision = std::make_shared<const Revision>(
      Revision{record.tenant(), record.name(), record.number(), record.digest(),
               absl::FromUnixMicros(record.create_time_us()), record.actor(), std::move(checked)});
  MutexLock lock(mutex_);
  if (compiled_.size() >= kMaxCompiled) compiled_.clear();
  compiled_[key] = {row, revision};
  return revision;
}

}  // namespace latchkey::release
