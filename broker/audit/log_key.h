#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "broker/custody/root.h"
#include "broker/store/store.h"
#include "crypto/signature.h"
#include "latchkey/v1/statement.pb.h"

namespace latchkey::audit {

// A tenant's log key is an Ed25519 seed under the root, in the record `log_key/{tenant}`; leaf 0
// names its public half.

// AlreadyExists when there is one.
absl::Status WriteLogKey(store::Transaction& transaction, custody::Root& root,
                         std::string_view deployment_id, std::string_view tenant,
                         const SecretBytes& seed);

// `TenantLog` is what of a log never changes.
struct TenantLog {
  crypto::PrivateKey key;
  std::string origin;
  Bytes genesis_digest;
};

// NotFound when the tenant has no log; DataLoss when leaf 0 is not the genesis of this deployment,
// tenant and key.
absl::StatusOr<TenantLog> ReadTenantLog(store::ReadTransaction& transaction, custody::Root& root,
                                        std::string_view deployment_id, std::string_view tenant);

}  // namespace latchkey::audit
