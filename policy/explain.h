#pragma once

#include <string>

#include "policy/decision.h"

namespace latchkey::policy {

// `ExplainClause` says in words what one condition came to: `"snp.guest_svn >= 3" is false:
// snp.guest_svn is 2; ...`, with the author's message or else a mend that fits the claim.
std::string ExplainClause(const ClauseResult& clause);

// `FirstFailing` returns the clause that kept a rule from applying, or nullptr when none did: for a
// permit the first that is not true, for a forbid the first that is false.
const ClauseResult* FirstFailing(const RuleResult& result);

}  // namespace latchkey::policy
