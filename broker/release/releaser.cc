#include "broker/release/releaser.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/release/account.h"
#include "broker/release/reasons.h"
#include "crypto/digest.h"
#include "protocol/sealed_item.h"
#include "protocol/statement.h"

namespace latchkey::release {
namespace {

// Administrative acts may overtake a decision; one that is overtaken this often gives up.
constexpr int kMaxDecisions = 8;
// How long an answer is kept for a retry with identical bytes.
constexpr absl::Duration kAnswerKept = absl::Minutes(1);

constexpr char kEpochMoved[] = "EPOCH_MOVED";

absl::Status EnsureUnused(store::ReadTransaction& transaction, ByteView challenge) {
  ASSIGN_OR_RETURN(const std::optional<Bytes> used,
                   transaction.Get(Challenges::UsedKey(challenge)));
  if (!used.has_value()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kUnauthenticated, "REPLAYED",
                "challenge: used by another request; ask for a new one");
}

absl::Status EnsureEpoch(store::ReadTransaction& transaction, const std::string& tenant,
                         uint64_t decided_under) {
  ASSIGN_OR_RETURN(const uint64_t epoch, audit::ReadEpoch(transaction, tenant));
  if (epoch == decided_under) return absl::OkStatus();
  return Refuse(absl::StatusCode::kUnavailable, kEpochMoved,
                "release: administrative acts kept overtaking the decision; try again");
}

attestation::ExpectedBinding ExpectedBindingOf(const ReleaseRequest& request,
                                               std::string_view deployment_id,
                                               ByteView transcript) {
  const bool is_rsa = request.scheme == protocol::Scheme::kRsaOaepSha256;
  const Bytes keyless =
      protocol::BindingTranscript(deployment_id, AsBytes(request.challenge), request.scheme, {},
                                  protocol::RequestDigest(request.tenant, request.items));
  return {protocol::ReportData(transcript), protocol::BindingDigest(transcript),
          protocol::BindingDigest(AsBytes(keyless)),
          is_rsa ? request.recipient_public_key : Bytes()};
}

void RefuseItem(DecidedItem& item, std::string reason, std::string_view message) {
  item.grant.reset();
  item.refusal_reason = std::move(reason);
  item.refusal_message = std::string(message);
}

void RefuseItem(DecidedItem& item, const absl::Status& status) {
  RefuseItem(item, ReasonOf(status), ToStd(status.message()));
}

}  // namespace

IssuedChallenge Releaser::IssueChallenge(std::string_view tenant) {
  return parts_.challenges.Issue(tenant, parts_.clock.Now());
}

// The story of a release. What fails before the evidence is authentic is counted, not recorded;
// from then on there is a record or no answer.
absl::StatusOr<audit::DurableAnswer> Releaser::Release(const ReleaseRequest& request) {
  auto answer = ReleaseOnce(request);
  if (!answer.ok()) {
    const std::string reason = ReasonOf(answer.status());
    attempts_.Count(reason.empty() ? "STORE_UNAVAILABLE" : reason);
  }
  return answer;
}

absl::StatusOr<audit::DurableAnswer> Releaser::ReleaseOnce(const ReleaseRequest& request) {
  const absl::Time now = parts_.clock.Now();
  ASSIGN_OR_RETURN(const absl::Time expires_at,
                   parts_.challenges.Check(AsBytes(request.challenge), request.tenant, now));
  ASSIGN_OR_RETURN(std::optional<audit::DurableAnswer> earlier, EarlierAnswer(request, now));
  if (earlier.has_value()) return *std::move(earlier);

  ASSIGN_OR_RETURN(Admitted admitted, Admit(request, now, expires_at));
  ASSIGN_OR_RETURN(const Appraised appraised, Appraise(std::move(admitted), now));
  for (int decisions = 1;; ++decisions) {
    ASSIGN_OR_RETURN(Decided decided, Evaluate(appraised, parts_.clock.Now()));
    ASSIGN_OR_RETURN(const Sealed sealed, Seal(appraised, std::move(decided)));
    auto answer = Record(appraised, sealed);
    const bool overtaken = !answer.ok() && ReasonOf(answer.status()) == kEpochMoved;
    if (!overtaken || decisions == kMaxDecisions) return answer;
  }
}

// Identical bytes get the stored answer with a current receipt, and no second record; other bytes
// are a replay.
absl::StatusOr<std::optional<audit::DurableAnswer>> Releaser::EarlierAnswer(
    const ReleaseRequest& request, absl::Time now) {
  storage::v1::UsedChallengeRecord used;
  std::optional<Bytes> kept;
  std::vector<Bytes> leaves;
  bool is_used = false;
  RETURN_IF_ERROR(parts_.store.Read(now, [&](store::ReadTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<Bytes> row,
                     transaction.Get(Challenges::UsedKey(AsBytes(request.challenge))));
    is_used = row.has_value();
    if (!is_used) return absl::OkStatus();
    if (!used.ParseFromString(*row)) return absl::DataLossError("used challenge: does not parse");
    ASSIGN_OR_RETURN(kept, transaction.Get(Challenges::AnswerKey(AsBytes(request.challenge))));
    ASSIGN_OR_RETURN(leaves, transaction.ReadLog(request.tenant, used.leaf_index(), 1));
    return absl::OkStatus();
  }));
  if (!is_used) return std::nullopt;
  if (AsBytes(used.request_digest()).size() != request.bytes_digest.size() ||
      !ConstantTimeEquals(AsBytes(used.request_digest()), request.bytes_digest)) {
    return Refuse(absl::StatusCode::kUnauthenticated, "REPLAYED",
                  "challenge: used by a request with other bytes; ask for a new one");
  }
  if (!kept.has_value()) {
    return Refuse(absl::StatusCode::kUnauthenticated, "CHALLENGE_USED",
                  "challenge: used, and its answer is no longer kept; ask for a new one");
  }
  storage::v1::KeptAnswer whole;
  if (!whole.ParseFromString(*kept) || leaves.size() != 1) {
    return absl::DataLossError("kept answer: does not parse, or its leaf is gone");
  }
  whole.set_leaf(leaves.front());
  ASSIGN_OR_RETURN(
      audit::DurableAnswer answer,
      parts_.audit_log.Again(request.tenant, used.leaf_index(), whole.SerializeAsString()));
  return answer;
}

absl::StatusOr<Admitted> Releaser::Admit(const ReleaseRequest& request, absl::Time now,
                                         absl::Time expires_at) {
  ASSIGN_OR_RETURN(Challenges::InFlight in_flight,
                   parts_.challenges.Enter(AsBytes(request.challenge)));
  // Between the look for an earlier answer and our place in flight, another request may have used
  // the challenge up.
  RETURN_IF_ERROR(parts_.store.Read(now, [&](store::ReadTransaction& transaction) {
    return EnsureUnused(transaction, AsBytes(request.challenge));
  }));
  Bytes transcript =
      protocol::BindingTranscript(parts_.deployment_id, AsBytes(request.challenge), request.scheme,
                                  AsBytes(request.recipient_public_key),
                                  protocol::RequestDigest(request.tenant, request.items));
  return Admitted(request, expires_at, std::move(in_flight), std::move(transcript));
}

absl::StatusOr<Appraised> Releaser::Appraise(Admitted admitted, absl::Time now) {
  const ReleaseRequest& request = admitted.request;
  const attestation::ExpectedBinding expected =
      ExpectedBindingOf(request, parts_.deployment_id, AsBytes(admitted.transcript));
  std::vector<attestation::AttestationResult> results;
  for (const attestation::Evidence& evidence : request.attestations) {
    ASSIGN_OR_RETURN(attestation::AttestationResult result,
                     parts_.verifiers.Appraise(evidence, expected, now));
    if (result.binding() == attestation::Binding::kNone) {
      return Refuse(absl::StatusCode::kPermissionDenied, "KEY_BINDING",
                    absl::StrCat(result.claims().source(),
                                 ": the evidence binds no recipient key; use a form that does"));
    }
    results.push_back(std::move(result));
  }
  return Appraised(std::move(admitted), std::move(results));
}

absl::StatusOr<Decided> Releaser::Evaluate(const Appraised& appraised, absl::Time now) {
  const ReleaseRequest& request = appraised.admitted.request;
  const std::vector<policy::Claims> claims =
      ClaimsOf(appraised.results, appraised.admitted.expires_at - parts_.challenges.ttl());
  Decided decided;
  decided.now = now;
  RETURN_IF_ERROR(parts_.store.Read(now, [&](store::ReadTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(decided.epoch, audit::ReadEpoch(transaction, request.tenant));
    for (const protocol::RequestItem& item : request.items) {
      ASSIGN_OR_RETURN(DecidedItem decided_item, Decide(transaction, appraised, claims, item, now));
      decided.items.push_back(std::move(decided_item));
    }
    return absl::OkStatus();
  }));
  return decided;
}

// A key that does not open, or has no policy, is a refused item: data, like a policy's no.
absl::StatusOr<DecidedItem> Releaser::Decide(store::ReadTransaction& transaction,
                                             const Appraised& appraised,
                                             const std::vector<policy::Claims>& claims,
                                             const protocol::RequestItem& item, absl::Time now) {
  DecidedItem decided;
  auto key = parts_.keyring.Open(transaction, item.key);
  if (!key.ok()) {
    if (absl::IsUnavailable(key.status())) return key.status();
    RefuseItem(decided, key.status());
    return decided;
  }
  decided.key = *std::move(key);
  const custody::KeyInfo& info = decided.key->info();
  if (info.charter.policy.empty()) {
    RefuseItem(decided, "KEY_WITHOUT_POLICY",
               absl::StrCat("key ", item.key.key,
                            ": its charter names no policy, so it releases nothing"));
    return decided;
  }
  auto revision = parts_.policies.Newest(transaction, item.key.tenant, info.charter.policy);
  if (!revision.ok()) {
    if (absl::IsUnavailable(revision.status())) return revision.status();
    RefuseItem(decided, "KEY_WITHOUT_POLICY", ToStd(revision.status().message()));
    return decided;
  }
  decided.revision = *std::move(revision);
  if (decided.revision->number < info.charter.min_policy_revision) {
    RefuseItem(
        decided, "POLICY_REVISION_TOO_LOW",
        absl::StrCat("policy ", decided.revision->name, ": revision ", decided.revision->number,
                     " is below ", info.charter.min_policy_revision, ", the lowest that key ",
                     item.key.key, " accepts"));
    return decided;
  }
  decided.decision = policy::Evaluate(
      *decided.revision->policy, claims,
      {item.context, item.key.key, info.labels, appraised.admitted.request.caller}, now);
  if (decided.decision->permitted()) {
    decided.grant = custody::ReleaseGrant(item.key);
  } else {
    RefuseItem(decided, decided.decision->audit_reason(), decided.decision->reason());
  }
  return decided;
}

// DEKs are opened before the statement is written, because an unwrap that fails is an outcome; they
// are sealed after, because a DEK opens only beside everything the statement says.
absl::StatusOr<Sealed> Releaser::Seal(const Appraised& appraised, Decided decided) {
  const ReleaseRequest& request = appraised.admitted.request;
  std::vector<std::optional<custody::HeldDek>> held(decided.items.size());
  std::vector<StatementInput> inputs(decided.items.size());
  for (size_t i = 0; i < decided.items.size(); ++i) {
    DecidedItem& item = decided.items[i];
    const protocol::RequestItem& asked = request.items[i];
    inputs[i].wrapped_dek = asked.wrapped_dek;
    if (!item.grant.has_value()) continue;
    custody::ReleaseGrant grant = *std::move(item.grant);
    item.grant.reset();
    if (asked.generate_size_bytes > 0) {
      auto made = parts_.keyring.Generate(std::move(grant), *item.key, asked.context,
                                          asked.generate_size_bytes);
      if (!made.ok()) {
        RefuseItem(item, made.status());
        continue;
      }
      inputs[i].key_version = made->key_version;
      inputs[i].wrapped_dek = std::move(made->wrapped_dek);
      held[i] = std::move(made->dek);
    } else {
      auto opened = parts_.keyring.Unwrap(std::move(grant), *item.key, AsBytes(asked.wrapped_dek),
                                          asked.context);
      if (!opened.ok()) {
        RefuseItem(item, opened.status());
        continue;
      }
      inputs[i].key_version = opened->key_version;
      held[i] = std::move(opened->dek);
    }
  }

  Sealed sealed;
  sealed.epoch = decided.epoch;
  sealed.now = decided.now;
  sealed.decision_id = RandomBytes(parts_.random, 16);
  sealed.record = Details(appraised, decided);
  const Bytes body = StatementBody(
      {parts_.deployment_id, request, AsBytes(appraised.admitted.transcript), appraised.results,
       decided.items, inputs, sealed.decision_id, decided.now, DetailsDigest(sealed.record)});

  ASSIGN_OR_RETURN(
      const std::unique_ptr<protocol::ItemSealer> sealer,
      protocol::MakeItemSealer(request.scheme, AsBytes(request.recipient_public_key),
                               protocol::BindingDigest(AsBytes(appraised.admitted.transcript)),
                               parts_.random));
  std::vector<Bytes> digests(held.size());
  for (size_t i = 0; i < held.size(); ++i) {
    storage::v1::KeptItem& kept = *sealed.answer.add_items();
    if (!held[i].has_value()) {
      FillRefusal(decided.items[i], sealed.decision_id, kept);
      continue;
    }
    kept.set_sealed_dek(custody::Keyring::Seal(
        *std::move(held[i]), *sealer,
        protocol::ItemAssociatedData(static_cast<uint32_t>(i), AsBytes(body))));
    if (request.items[i].generate_size_bytes > 0) kept.set_wrapped_dek(inputs[i].wrapped_dek);
    digests[i] = ToBytes(crypto::Sha256(AsBytes(kept.sealed_dek())));
    sealed.answer.set_encapsulation(sealer->encapsulation());
  }
  sealed.leaf = protocol::MakeStatementLeaf(AsBytes(body), digests);
  sealed.answer.set_leaf(sealed.leaf);
  return sealed;
}

// One transaction: the challenge becomes used, the epoch is still the one decided under, the leaf
// and its details are durable.
absl::StatusOr<audit::DurableAnswer> Releaser::Record(const Appraised& appraised,
                                                      const Sealed& sealed) {
  const ReleaseRequest& request = appraised.admitted.request;
  const ByteView challenge = AsBytes(request.challenge);
  RETURN_IF_ERROR(parts_.failpoints.Reach("release.before_record"));
  auto answer = parts_.audit_log.Append(
      request.tenant,
      [&](store::Transaction& transaction, uint64_t leaf_index) -> absl::StatusOr<audit::Entry> {
        RETURN_IF_ERROR(EnsureUnused(transaction, challenge));
        RETURN_IF_ERROR(EnsureEpoch(transaction, request.tenant, sealed.epoch));

        // The kept answer goes without its leaf, which the log has.
        storage::v1::KeptAnswer kept = sealed.answer;
        kept.clear_leaf();
        storage::v1::UsedChallengeRecord used;
        used.set_request_digest(ToBytes(request.bytes_digest));
        used.set_leaf_index(leaf_index);
        RETURN_IF_ERROR(transaction.PutExpiring(Challenges::UsedKey(challenge),
                                                AsBytes(used.SerializeAsString()),
                                                appraised.admitted.expires_at));
        RETURN_IF_ERROR(transaction.PutExpiring(Challenges::AnswerKey(challenge),
                                                AsBytes(kept.SerializeAsString()),
                                                sealed.now + kAnswerKept));
        storage::v1::DecisionRecord record = sealed.record;
        record.set_leaf_index(leaf_index);
        RETURN_IF_ERROR(transaction.Put(DecisionKey(request.tenant, sealed.decision_id),
                                        AsBytes(record.SerializeAsString())));
        return audit::Entry{sealed.leaf, sealed.answer.SerializeAsString()};
      });
  RETURN_IF_ERROR(parts_.failpoints.Reach("release.before_answer"));
  return answer;
}

storage::v1::DecisionRecord Releaser::Details(const Appraised& appraised, const Decided& decided) {
  storage::v1::DecisionDetails details =
      Account(appraised.results, decided.items, appraised.admitted.request);
  details.set_context_salt(ToBytes(protocol::ContextSalt(AsBytes(appraised.admitted.transcript))));
  storage::v1::DecisionRecord record;
  record.set_salt(RandomBytes(parts_.random, 32));
  record.set_details(details.SerializeAsString());
  return record;
}

}  // namespace latchkey::release
