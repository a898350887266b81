#pragma once

#include <map>
#include <span>
#include <string>

#include "absl/time/time.h"
#include "policy/claims.h"
#include "policy/decision.h"
#include "policy/policy.h"

namespace latchkey::policy {

// What the workload asks, as expressions see it: request.context["k"], key.name, key.labels["k"],
// caller.id. An empty `caller` is a missing caller.id. `key_name` is the short name, as in
// `guards`.
struct Request {
  std::map<std::string, std::string> context;
  std::string key_name;
  std::map<std::string, std::string> key_labels;
  std::string caller;
};

// `Evaluate` decides. A forbid that applies refuses; else a permit that holds permits; else the
// answer is no. A permit holds when one attestation of its source makes every condition true, is
// fresh, and is no older than the policy's maxEvidenceAge. A forbid applies unless some condition
// is false. Costs are bounded by the size of the policy.
Decision Evaluate(const Policy& policy, std::span<const Claims> sources, const Request& request,
                  absl::Time now);

}  // namespace latchkey::policy
