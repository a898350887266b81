#include "broker/server/admin_act.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/server/log.h"
#include "broker/server/release_conversion.h"

namespace latchkey::server {
namespace {

// Runs `body` in a transaction that is undone whatever it says.
absl::StatusOr<Bytes> Rehearse(const AdminParts& parts, const ActBody& body) {
  absl::StatusOr<Act> act = absl::InternalError("the transaction did not run");
  const absl::Status undone =
      parts.store.Transact(parts.clock.Now(), [&](store::Transaction& transaction) {
        act = body(transaction);
        return absl::CancelledError("rehearsal");
      });
  if (!absl::IsCancelled(undone)) return undone;
  if (!act.ok()) return act.status();
  return std::move(act->reply);
}

}  // namespace

v1::Leaf MakeActLeaf(std::string_view deployment_id, std::string_view tenant, absl::Time now,
                     const Act& act, std::string_view actor, uint64_t epoch) {
  v1::Leaf leaf;
  v1::AdminAct& record = *leaf.mutable_admin_act();
  record.set_format(1);
  record.set_deployment_id(std::string(deployment_id));
  record.set_tenant(std::string(tenant));
  record.set_time_unix_us(absl::ToUnixMicros(now));
  record.set_action(act.action);
  record.set_resource(act.resource);
  record.set_actor(std::string(actor));
  record.set_state_digest(act.state_digest);
  record.set_epoch(epoch);
  return leaf;
}

absl::StatusOr<Bytes> RecordAct(const AdminParts& parts, const Caller& caller,
                                const ActOptions& options, const ActBody& body) {
  if (options.validate_only) return Rehearse(parts, body);
  RETURN_IF_ERROR(parts.failpoints.Reach("admin.before_record"));
  std::string action;
  std::string resource;
  const absl::Time now = parts.clock.Now();
  auto answer = parts.audit_log.Append(
      options.tenant,
      [&](store::Transaction& transaction, uint64_t) -> absl::StatusOr<audit::Entry> {
        ASSIGN_OR_RETURN(Act act, body(transaction));
        ASSIGN_OR_RETURN(const uint64_t epoch,
                         options.epoch == Epoch::kAdvance
                             ? audit::AdvanceEpoch(transaction, options.tenant)
                             : audit::ReadEpoch(transaction, options.tenant));
        action = act.action;
        resource = act.resource;
        const v1::Leaf leaf =
            MakeActLeaf(parts.deployment_id, options.tenant, now, act, caller.identity, epoch);
        return audit::Entry{leaf.SerializeAsString(), std::move(act.reply)};
      });
  if (!answer.ok()) return answer.status();
  parts.metrics.log_size.Raise(static_cast<int64_t>(answer->leaf_index()) + 1);
  Log(LogLevel::kInfo, "administrative act",
      {{"action", action},
       {"resource", resource},
       {"actor", caller.identity},
       {"leaf", absl::StrCat(answer->leaf_index())}});
  RETURN_IF_ERROR(parts.failpoints.Reach("admin.before_answer"));
  return answer->payload();
}

absl::StatusOr<std::string> RequireTenant(const AdminParts& parts, std::string_view tenant) {
  ASSIGN_OR_RETURN(std::string name, ParseTenant(tenant));
  if (!parts.tenants.contains(name)) {
    return absl::NotFoundError(absl::StrCat(
        "tenant ", name, ": not one of this deployment; see `tenants` in its configuration"));
  }
  return name;
}

absl::StatusOr<protocol::KeyName> RequireKeyName(const AdminParts& parts, std::string_view name) {
  ASSIGN_OR_RETURN(protocol::KeyName key, protocol::ParseKeyName(name, "default"));
  ASSIGN_OR_RETURN(key.tenant, RequireTenant(parts, key.tenant));
  return key;
}

}  // namespace latchkey::server
