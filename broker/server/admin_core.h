#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "broker/audit/audit_log.h"
#include "broker/custody/keyring.h"
#include "broker/front/core.h"
#include "broker/release/policy_book.h"
#include "broker/server/metrics.h"
#include "broker/store/store.h"

namespace latchkey::server {

// What the services of the admin port work with. All references must outlive them.
struct AdminParts {
  std::string deployment_id;
  std::set<std::string, std::less<>> tenants;
  store::Store& store;
  custody::Keyring& keyring;
  release::PolicyBook& policies;
  audit::AuditLog& audit_log;
  Clock& clock;
  Failpoints& failpoints;
  Metrics& metrics;
};

// `Caller` is an authenticated administrator.
struct Caller {
  std::string identity;  // "<common name> sha256:<fingerprint of the certificate>"
};

// One method: a serialized request in, a serialized response out.
using AdminMethod = std::function<absl::StatusOr<Bytes>(ByteView request, const Caller& caller)>;
using AdminMethods = std::map<std::string, AdminMethod, std::less<>>;

// `AdminCore` is the core of the admin port: KeyAdmin, KeyWrap, PolicyAdmin and Audit. Callers are
// the holders of client certificates that the front verified; every one of them is a full
// administrator of every tenant.
class AdminCore final : public front::Core {
 public:
  explicit AdminCore(AdminParts parts);

  front::CoreReply Handle(std::string_view method, ByteView request, const front::PeerHint& peer,
                          absl::Time deadline) override;

 private:
  absl::StatusOr<Bytes> Dispatch(std::string_view method, ByteView request, const Caller& caller);

  const AdminParts parts_;
  AdminMethods methods_;
};

// The methods of one service each, by full gRPC path. `parts` must outlive them.
void AddKeyAdmin(const AdminParts& parts, AdminMethods& methods);
void AddKeyWrap(const AdminParts& parts, AdminMethods& methods);
void AddPolicyAdmin(const AdminParts& parts, AdminMethods& methods);
void AddAudit(const AdminParts& parts, AdminMethods& methods);

}  // namespace latchkey::server
