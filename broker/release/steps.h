#pragma once

// The steps of a release as types: each can only be made by the releaser from the one before, so
// that no step can be left out.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "broker/attestation/attestation_result.h"
#include "broker/custody/keyring.h"
#include "broker/custody/release_grant.h"
#include "broker/release/challenges.h"
#include "broker/release/policy_book.h"
#include "broker/release/release_request.h"
#include "latchkey/storage/v1/records.pb.h"
#include "policy/evaluate.h"

namespace latchkey::release {

// 1. The challenge is ours, fresh, unused, and held by this request alone.
class Admitted {
 private:
  friend class Releaser;
  Admitted(const ReleaseRequest& request, absl::Time expires_at, Challenges::InFlight in_flight,
           Bytes transcript)
      : request(request),
        expires_at(expires_at),
        in_flight(std::move(in_flight)),
        transcript(std::move(transcript)) {}

  const ReleaseRequest& request;
  absl::Time expires_at;
  Challenges::InFlight in_flight;
  Bytes transcript;  // T
};

// 2. Every attestation is authentic and carries this request's binding.
class Appraised {
 private:
  friend class Releaser;
  Appraised(Admitted admitted, std::vector<attestation::AttestationResult> results)
      : admitted(std::move(admitted)), results(std::move(results)) {}

  Admitted admitted;
  std::vector<attestation::AttestationResult> results;
};

// What stands about one item, from decision to answer.
struct DecidedItem {
  std::shared_ptr<const custody::Key> key;     // null when it did not open
  std::shared_ptr<const Revision> revision;    // null without a policy
  std::optional<policy::Decision> decision;    // absent when no policy could be asked
  std::optional<custody::ReleaseGrant> grant;  // of a permitted item
  std::string refusal_reason;                  // audit reason; empty while nothing refuses
  std::string refusal_message;                 // the whole sentence, for the details
};

// 3. Each item has a decision, taken in one epoch.
class Decided {
 private:
  friend class Releaser;
  uint64_t epoch = 0;
  absl::Time now;
  std::vector<DecidedItem> items;
};

// 4. Permitted DEKs are sealed to the recipient under the statement that will be their record.
class Sealed {
 private:
  friend class Releaser;
  uint64_t epoch = 0;
  absl::Time now;
  Bytes decision_id;
  Bytes leaf;
  storage::v1::KeptAnswer answer;
  storage::v1::DecisionRecord record;
};

// 5. Committed: audit::DurableAnswer, which only the log can make. Nothing else can be sent.

}  // namespace latchkey::release
