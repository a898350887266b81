#include "broker/audit/log_key.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "protocol/checkpoint.h"
#include "protocol/statement.h"

namespace latchkey::audit {
namespace {

std::string LogKeyPath(std::string_view tenant) { return absl::StrCat("log_key/", ToAbsl(tenant)); }

// Ties the seed to its place: a key moved to another tenant's record does not open.
Bytes AssociatedData(std::string_view deployment_id, std::string_view tenant) {
  Bytes out("latchkey/v1/log-key");
  AppendLp(out, deployment_id);
  AppendLp(out, tenant);
  return out;
}

absl::StatusOr<crypto::PrivateKey> ReadLogKey(store::ReadTransaction& transaction,
                                              custody::Root& root, std::string_view deployment_id,
                                              std::string_view tenant) {
  ASSIGN_OR_RETURN(const std::optional<Bytes> record, transaction.Get(LogKeyPath(tenant)));
  if (!record) {
    return absl::NotFoundError(
        absl::StrCat("tenant ", ToAbsl(tenant), " has no log; create the tenant first"));
  }
  const Bytes associated_data = AssociatedData(deployment_id, tenant);
  auto seed = root.Unwrap(AsBytes(associated_data), AsBytes(*record));
  if (!seed.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("the log key of tenant ", ToAbsl(tenant),
                                                      " does not open: ", seed.status().message()));
  }
  return crypto::PrivateKey::FromEd25519Seed(seed->view());
}

absl::Status CheckGenesis(ByteView leaf, std::string_view deployment_id, std::string_view tenant,
                          const crypto::PublicKey& key) {
  v1::Leaf parsed;
  if (parsed.ParseFromArray(leaf.data(), static_cast<int>(leaf.size())) && parsed.has_genesis() &&
      parsed.genesis().deployment_id() == deployment_id && parsed.genesis().tenant() == tenant &&
      parsed.genesis().log_public_key() == key.Ed25519Raw()) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat("log ", ToAbsl(tenant),
                                          ": leaf 0 is not the genesis of this deployment, tenant "
                                          "and log key; restore the database"));
}

}  // namespace

absl::Status WriteLogKey(store::Transaction& transaction, custody::Root& root,
                         std::string_view deployment_id, std::string_view tenant,
                         const SecretBytes& seed) {
  const std::string path = LogKeyPath(tenant);
  ASSIGN_OR_RETURN(const std::optional<Bytes> record, transaction.Get(path));
  ASSIGN_OR_RETURN(const uint64_t size, transaction.LogSize(tenant));
  if (record || size != 0) {
    return absl::AlreadyExistsError(absl::StrCat("tenant ", ToAbsl(tenant), " has a log"));
  }
  const Bytes associated_data = AssociatedData(deployment_id, tenant);
  ASSIGN_OR_RETURN(const Bytes wrapped, root.Wrap(AsBytes(associated_data), seed));
  return transaction.Put(path, AsBytes(wrapped));
}

absl::StatusOr<TenantLog> ReadTenantLog(store::ReadTransaction& transaction, custody::Root& root,
                                        std::string_view deployment_id, std::string_view tenant) {
  ASSIGN_OR_RETURN(crypto::PrivateKey key, ReadLogKey(transaction, root, deployment_id, tenant));
  ASSIGN_OR_RETURN(const std::vector<Bytes> leaves, transaction.ReadLog(tenant, 0, 1));
  const Bytes genesis = leaves.empty() ? Bytes() : leaves[0];
  RETURN_IF_ERROR(CheckGenesis(AsBytes(genesis), deployment_id, tenant, key.public_key()));
  return TenantLog{std::move(key), protocol::LogOrigin(deployment_id, tenant),
                   ToBytes(protocol::GenesisDigest(AsBytes(genesis)))};
}

}  // namespace latchkey::audit
