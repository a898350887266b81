#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "broker/server/admin_core.h"
#include "broker/server/strict_parse.h"
#include "latchkey/v1/statement.pb.h"

namespace latchkey::server {

// `Act` is what an administrative change did, for its record, and the reply that may be sent once
// the record is durable.
struct Act {
  std::string action;    // KEY_CREATED, ...
  std::string resource;  // full name
  Bytes state_digest;    // SHA-256 of the new state as stored
  Bytes reply;           // serialized response
};
using ActBody = std::function<absl::StatusOr<Act>(store::Transaction&)>;

enum class Epoch {
  kAdvance,  // decisions taken before are taken again
  kKeep,     // the act changes no decision
};

struct ActOptions {
  std::string tenant;
  bool validate_only = false;  // run `body`, keep nothing
  Epoch epoch = Epoch::kAdvance;
};

// `RecordAct` runs `body` in the transaction that appends its AdminAct to the tenant's log: no act
// without its record, no record without its act. Returns the reply.
absl::StatusOr<Bytes> RecordAct(const AdminParts& parts, const Caller& caller,
                                const ActOptions& options, const ActBody& body);

// The leaf of an act.
v1::Leaf MakeActLeaf(std::string_view deployment_id, std::string_view tenant, absl::Time now,
                     const Act& act, std::string_view actor, uint64_t epoch);

// The tenant's name, `default` when empty. NotFound when it is none of this deployment.
absl::StatusOr<std::string> RequireTenant(const AdminParts& parts, std::string_view tenant);

// The key's name; its tenant must be one of this deployment.
absl::StatusOr<protocol::KeyName> RequireKeyName(const AdminParts& parts, std::string_view name);

// `Unary` makes a method of a function that takes the parsed request.
template <typename Request, typename Function>
AdminMethod Unary(Function function) {
  return [function = std::move(function)](ByteView bytes,
                                          const Caller& caller) -> absl::StatusOr<Bytes> {
    Request request;
    if (absl::Status parsed = ParseStrict(bytes, request); !parsed.ok()) return parsed;
    return function(request, caller);
  };
}

}  // namespace latchkey::server
