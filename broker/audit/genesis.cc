// What makes a tenant's log, and the epoch that lies beside it.

#include "absl/strings/str_cat.h"
#include "base/byte_reader.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/audit/audit_log.h"
#include "broker/audit/log_key.h"
#include "protocol/names.h"
#include "protocol/statement.h"

namespace latchkey::audit {
namespace {

constexpr size_t kSeedSize = 32;

std::string EpochPath(std::string_view tenant) { return absl::StrCat("epoch/", ToAbsl(tenant)); }

}  // namespace

absl::StatusOr<GenesisResult> CreateTenantLog(store::Store& store, custody::Root& root,
                                              Random& random, std::string_view deployment_id,
                                              std::string_view tenant, absl::Time now) {
  RETURN_IF_ERROR(protocol::CheckName("tenant", tenant));
  RETURN_IF_ERROR(protocol::CheckName("deployment id", deployment_id));
  SecretBytes seed(kSeedSize);
  random.Fill(seed.mutable_view());
  ASSIGN_OR_RETURN(const crypto::PrivateKey key, crypto::PrivateKey::FromEd25519Seed(seed.view()));
  v1::Leaf leaf;
  v1::Genesis& genesis = *leaf.mutable_genesis();
  genesis.set_deployment_id(std::string(deployment_id));
  genesis.set_tenant(std::string(tenant));
  genesis.set_log_public_key(key.public_key().Ed25519Raw());
  genesis.set_time_unix_us(absl::ToUnixMicros(now));
  const Bytes bytes = leaf.SerializeAsString();
  RETURN_IF_ERROR(store.Transact(now, [&](store::Transaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(WriteLogKey(transaction, root, deployment_id, tenant, seed));
    return transaction.Append(tenant, AsBytes(bytes)).status();
  }));
  return GenesisResult{protocol::GenesisDigest(AsBytes(bytes)), genesis.log_public_key()};
}

absl::StatusOr<uint64_t> ReadEpoch(store::ReadTransaction& transaction, std::string_view tenant) {
  ASSIGN_OR_RETURN(const std::optional<Bytes> record, transaction.Get(EpochPath(tenant)));
  if (!record) return 0;
  ByteReader reader(AsBytes(*record), "epoch record");
  ASSIGN_OR_RETURN(const uint64_t epoch, reader.ReadU64());
  RETURN_IF_ERROR(reader.ExpectEnd());
  return epoch;
}

absl::StatusOr<uint64_t> AdvanceEpoch(store::Transaction& transaction, std::string_view tenant) {
  ASSIGN_OR_RETURN(const uint64_t epoch, ReadEpoch(transaction, tenant));
  Bytes record;
  AppendU64(record, epoch + 1);
  RETURN_IF_ERROR(transaction.Put(EpochPath(tenant), AsBytes(record)));
  return epoch + 1;
}

}  // namespace latchkey::audit
