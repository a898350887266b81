#pragma once

// What a release leaves behind in words and digests: the statement's body, the details, the
// refusals. Pure functions of the steps.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/bytes.h"
#include "broker/attestation/attestation_result.h"
#include "broker/release/release_request.h"
#include "broker/release/steps.h"
#include "latchkey/storage/v1/records.pb.h"
#include "policy/claims.h"

namespace latchkey::release {

// The claims of each result, as policies see them: with `attestation.together`, and evidence that
// carries the challenge is no older than the challenge, which was issued at `challenge_time`.
std::vector<policy::Claims> ClaimsOf(const std::vector<attestation::AttestationResult>& results,
                                     absl::Time challenge_time);

// What the statement says of one item beyond its decision.
struct StatementInput {
  uint32_t key_version = 0;  // 0: not known
  Bytes wrapped_dek;         // as sent, or as made
};

struct StatementParts {
  std::string_view deployment_id;
  const ReleaseRequest& request;
  ByteView transcript;
  const std::vector<attestation::AttestationResult>& results;
  const std::vector<DecidedItem>& items;
  const std::vector<StatementInput>& inputs;
  const Bytes& decision_id;
  absl::Time now;
  crypto::Sha256Digest details_digest;
};
// The serialized latchkey.v1.StatementBody.
Bytes StatementBody(const StatementParts& parts);

// Claims, every clause, the caller.
storage::v1::DecisionDetails Account(const std::vector<attestation::AttestationResult>& results,
                                     const std::vector<DecidedItem>& items,
                                     const ReleaseRequest& request);

// SHA-256(salt || details).
crypto::Sha256Digest DetailsDigest(const storage::v1::DecisionRecord& record);

// What the caller reads of a refused item: the wire reason, and the clauses only where the policy
// discloses them.
void FillRefusal(const DecidedItem& item, const Bytes& decision_id, storage::v1::KeptItem& kept);

// Store key of a decision's details.
std::string DecisionKey(std::string_view tenant, const Bytes& decision_id);

}  // namespace latchkey::release
