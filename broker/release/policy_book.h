#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "broker/custody/root.h"
#include "broker/store/store.h"
#include "policy/parse.h"

namespace latchkey::release {

// `Revision` is one immutable policy revision that was authenticated and compiled.
struct Revision {
  std::string tenant;
  std::string name;
  uint32_t number = 0;
  Bytes digest;  // SHA-256 of the document
  absl::Time create_time;
  std::string actor;
  std::shared_ptr<const policy::Policy> policy;  // its text() is the document

  std::string FullName() const;  // tenants/{t}/policies/{p}/revisions/{r}
};

// `PolicyBook` keeps policy revisions: numbered, content-addressed, under a MAC of the root, so
// that an edited row is refused. Compiled once per revision. Thread-safe.
class PolicyBook {
 public:
  static absl::StatusOr<std::unique_ptr<PolicyBook>> Create(custody::Root& root);

  // Adds a revision of the policy that `document` names. InvalidArgument with FormatIssues' text
  // when it does not check, Aborted when `expected_revision` is no longer the newest.
  absl::StatusOr<Revision> Put(store::Transaction& transaction, std::string_view tenant,
                               std::string_view document, std::optional<uint32_t> expected_revision,
                               std::string_view actor, absl::Time now);

  // The newest revision; NotFound. DataLoss when the row does not authenticate.
  absl::StatusOr<std::shared_ptr<const Revision>> Newest(store::ReadTransaction& transaction,
                                                         std::string_view tenant,
                                                         std::string_view name);
  absl::StatusOr<std::shared_ptr<const Revision>> Get(store::ReadTransaction& transaction,
                                                      std::string_view tenant,
                                                      std::string_view name, uint32_t number);
  // The newest revision of each policy, by name.
  absl::StatusOr<std::vector<std::shared_ptr<const Revision>>> List(
      store::ReadTransaction& transaction, std::string_view tenant);

 private:
  explicit PolicyBook(SecretBytes mac_key) : mac_key_(std::move(mac_key)) {}

  absl::StatusOr<std::shared_ptr<const Revision>> Load(store::ReadTransaction& transaction,
                                                       const std::string& key);
  absl::StatusOr<std::shared_ptr<const Revision>> Compile(const std::string& key, const Bytes& row);

  const SecretBytes mac_key_;
  Mutex mutex_;
  // By store key: the row's bytes and what they compiled to.
  std::map<std::string, std::pair<Bytes, std::shared_ptr<const Revision>>> compiled_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace latchkey::release
