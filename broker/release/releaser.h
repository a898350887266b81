#pragma once

// broker/release is the Relying Party role (RFC 9334): the use case of releasing keys, and the only
// folder that knows all the others.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/random.h"
#include "broker/attestation/verifier.h"
#include "broker/audit/audit_log.h"
#include "broker/custody/keyring.h"
#include "broker/release/attempts.h"
#include "broker/release/challenges.h"
#include "broker/release/policy_book.h"
#include "broker/release/release_request.h"
#include "broker/release/steps.h"
#include "broker/store/store.h"

namespace latchkey::release {

// `Releaser` releases keys: admit, appraise, evaluate, seal, record, answer. READ releaser.cc
// FIRST. Thread-safe.
class Releaser {
 public:
  // All must outlive the releaser.
  struct Parts {
    std::string deployment_id;
    store::Store& store;
    const attestation::Verifiers& verifiers;
    custody::Keyring& keyring;
    PolicyBook& policies;
    Challenges& challenges;
    audit::AuditLog& audit_log;
    Clock& clock;
    Random& random;
    Failpoints& failpoints;
  };
  explicit Releaser(Parts parts) : parts_(std::move(parts)) {}

  IssuedChallenge IssueChallenge(std::string_view tenant);

  // The payload of the answer is a serialized storage::v1::KeptAnswer. An error means that no item
  // was decided; it carries an audit reason (release/reasons.h).
  absl::StatusOr<audit::DurableAnswer> Release(const ReleaseRequest& request);

  // What was refused before authentic evidence.
  Attempts& attempts() { return attempts_; }

 private:
  absl::StatusOr<audit::DurableAnswer> ReleaseOnce(const ReleaseRequest& request);
  absl::StatusOr<std::optional<audit::DurableAnswer>> EarlierAnswer(const ReleaseRequest& request,
                                                                    absl::Time now);
  absl::StatusOr<Admitted> Admit(const ReleaseRequest& request, absl::Time now,
                                 absl::Time expires_at);
  absl::StatusOr<Appraised> Appraise(Admitted admitted, absl::Time now);
  absl::StatusOr<Decided> Evaluate(const Appraised& appraised, absl::Time now);
  absl::StatusOr<Sealed> Seal(const Appraised& appraised, Decided decided);
  absl::StatusOr<audit::DurableAnswer> Record(const Appraised& appraised, const Sealed& sealed);

  absl::StatusOr<DecidedItem> Decide(store::ReadTransaction& transaction,
                                     const Appraised& appraised,
                                     const std::vector<policy::Claims>& claims,
                                     const protocol::RequestItem& item, absl::Time now);
  storage::v1::DecisionRecord Details(const Appraised& appraised, const Decided& decided);

  const Parts parts_;
  Attempts attempts_;
};

}  // namespace latchkey::release
