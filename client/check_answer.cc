#include "client/check_answer.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status_macros.h"
#include "client/refusal.h"
#include "protocol/checkpoint.h"
#include "protocol/merkle.h"
#include "protocol/statement.h"

namespace latchkey::client {
namespace {

constexpr char kMend[] =
    "; somebody changed the answer on its way, or this is not the pinned broker: nothing was "
    "opened";

absl::Status Unproven(const char* reason, const std::string& what) {
  return Refuse(absl::StatusCode::kUnauthenticated, reason, absl::StrCat("answer: ", what, kMend));
}

// What the statement must say, computed from what we sent.
struct Expected {
  std::vector<protocol::RequestItem> items;
  crypto::Sha256Digest binding_digest;
  crypto::Sha256Digest recipient_digest;
  crypto::Sha256Digest context_salt;
};

absl::StatusOr<Expected> ExpectedOf(const Pins& pins, const v1::ReleaseKeysRequest& request) {
  Expected expected;
  ASSIGN_OR_RETURN(expected.items, RequestItems(request));
  const auto scheme = protocol::SchemeFromNumber(request.recipient().scheme());
  if (!scheme) return absl::InvalidArgumentError("request: no recipient scheme");
  const ByteView public_key = AsBytes(request.recipient().public_key());
  const Bytes transcript = protocol::BindingTranscript(
      pins.deployment_id, AsBytes(request.challenge()), *scheme, public_key,
      protocol::RequestDigest(request.tenant(), expected.items));
  expected.binding_digest = protocol::BindingDigest(AsBytes(transcript));
  expected.recipient_digest = protocol::RecipientDigest(*scheme, public_key);
  expected.context_salt = protocol::ContextSalt(AsBytes(transcript));
  return expected;
}

bool Same(const Bytes& bytes, const crypto::Sha256Digest& digest) {
  return ConstantTimeEquals(AsBytes(bytes), digest);
}

// The leaf is in the pinned log: the signed checkpoint of its root has this very leaf at the index.
absl::Status EnsureRecorded(const Pins& pins, const v1::ReleaseKeysResponse& response) {
  const auto refuse = [](const absl::Status& status) {
    return Unproven("ANSWER_NOT_RECORDED",
                    absl::StrCat("the receipt does not prove its record: ", status.message()));
  };
  const auto checkpoint = protocol::VerifyCheckpoint(
      response.receipt().checkpoint(), protocol::LogOrigin(pins.deployment_id, pins.tenant),
      pins.log_key);
  if (!checkpoint.ok()) return refuse(checkpoint.status());
  std::vector<protocol::Hash> proof;
  for (const Bytes& bytes : response.receipt().inclusion_proof()) {
    protocol::Hash hash;
    if (bytes.size() != hash.size()) {
      return refuse(absl::InvalidArgumentError(
          absl::StrCat("a hash of the proof has ", bytes.size(), " bytes, not 32")));
    }
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    proof.push_back(hash);
  }
  const absl::Status included = protocol::VerifyInclusion(
      response.receipt().leaf_index(), checkpoint->size,
      protocol::LeafHash(AsBytes(response.leaf())), proof, checkpoint->root);
  return included.ok() ? included : refuse(included);
}

absl::Status EnsureAboutUs(const Pins& pins, const Expected& expected,
                           const v1::StatementBody& body) {
  if (body.deployment_id() != pins.deployment_id) {
    return Unproven("ANSWER_OTHER_DEPLOYMENT",
                    absl::StrCat("from deployment `", body.deployment_id(), "`, not `",
                                 pins.deployment_id, "`"));
  }
  if (body.tenant() != pins.tenant) {
    return Unproven("ANSWER_OTHER_TENANT",
                    absl::StrCat("for tenant `", body.tenant(), "`, not `", pins.tenant, "`"));
  }
  if (!Same(body.recipient_digest(), expected.recipient_digest)) {
    return Unproven("ANSWER_OTHER_RECIPIENT", "sealed to another recipient key than ours");
  }
  if (!Same(body.binding_digest(), expected.binding_digest)) {
    return Unproven("ANSWER_OTHER_BINDING", "for another challenge or request than ours");
  }
  return absl::OkStatus();
}

absl::Status EnsureCounts(const v1::ReleaseKeysRequest& request,
                          const v1::ReleaseKeysResponse& response, const v1::StatementBody& body) {
  if (body.items_size() == request.items_size() && response.items_size() == request.items_size()) {
    return absl::OkStatus();
  }
  return Unproven("ANSWER_ITEM_COUNT",
                  absl::StrCat(request.items_size(), " items were asked, ", response.items_size(),
                               " answered and ", body.items_size(), " recorded"));
}

// A released item names a version of the key; a refused one may name the key alone.
bool IsOfKey(const protocol::KeyName& key, const v1::StatementItem& item) {
  const std::string full = key.Full();
  if (item.outcome() == v1::OUTCOME_REFUSED && item.key_version() == full) return true;
  const std::string prefix = full + "/versions/";
  const std::string& version = item.key_version();
  return absl::StartsWith(version, prefix) && version.size() > prefix.size() &&
         version[prefix.size()] != '0' &&
         std::all_of(version.begin() + prefix.size(), version.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

// A refused `generate` made no DEK, so there is no digest to compare.
bool IsOfWrappedDek(const protocol::RequestItem& asked, const v1::ItemResult& result,
                    const v1::StatementItem& item) {
  if (asked.generate_size_bytes == 0) {
    return Same(item.wrapped_dek_digest(), crypto::Sha256(AsBytes(asked.wrapped_dek)));
  }
  if (item.outcome() == v1::OUTCOME_REFUSED) return true;
  return Same(item.wrapped_dek_digest(), crypto::Sha256(AsBytes(result.released().wrapped_dek())));
}

absl::Status EnsureOutcomeAgrees(const v1::ItemResult& result, const v1::StatementItem& item,
                                 const std::string& name) {
  const bool released = item.outcome() == v1::OUTCOME_RELEASED;
  if (released != result.has_released() || released == result.has_refusal()) {
    return Unproven("ANSWER_OUTCOME", absl::StrCat(name,
                                                   "the record and the answer disagree on whether "
                                                   "it was released"));
  }
  if (!released && result.refusal().reason() != item.reason()) {
    return Unproven("ANSWER_OUTCOME",
                    absl::StrCat(name, "refused for ", ReasonWord(result.refusal().reason()),
                                 ", but the record says ", ReasonWord(item.reason())));
  }
  return absl::OkStatus();
}

absl::Status EnsureItem(int index, const Expected& expected, const v1::ItemResult& result,
                        const v1::StatementItem& item, const Bytes& sealed_digest) {
  const protocol::RequestItem& asked = expected.items[index];
  const std::string name = absl::StrCat("item ", index, " (", asked.key.Full(), "): ");
  RETURN_IF_ERROR(EnsureOutcomeAgrees(result, item, name));
  if (!IsOfKey(asked.key, item)) {
    return Unproven("ANSWER_OTHER_KEY",
                    absl::StrCat(name, "the record is about key `", item.key_version(), "`"));
  }
  if (!IsOfWrappedDek(asked, result, item)) {
    return Unproven("ANSWER_OTHER_WRAPPED_DEK",
                    absl::StrCat(name, "the record is about another wrapped DEK"));
  }
  if (!Same(item.context_digest(), protocol::ContextDigest(expected.context_salt, asked.context))) {
    return Unproven("ANSWER_OTHER_CONTEXT",
                    absl::StrCat(name, "the record is about another context"));
  }
  if (result.has_released() &&
      !Same(sealed_digest, crypto::Sha256(AsBytes(result.released().sealed_dek())))) {
    return Unproven("ANSWER_SEALED_DIGEST",
                    absl::StrCat(name, "the sealed DEK is not the one that was recorded"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<protocol::RequestItem>> RequestItems(
    const v1::ReleaseKeysRequest& request) {
  std::vector<protocol::RequestItem> items;
  for (const v1::ReleaseItem& item : request.items()) {
    protocol::RequestItem parsed;
    ASSIGN_OR_RETURN(parsed.key, protocol::ParseKeyName(item.key(), request.tenant()));
    parsed.context = protocol::Context(item.context().begin(), item.context().end());
    RETURN_IF_ERROR(protocol::CheckContext(parsed.context));
    parsed.wrapped_dek = item.wrapped_dek();
    parsed.generate_size_bytes = item.generate().size_bytes();
    if (parsed.wrapped_dek.empty() == (parsed.generate_size_bytes == 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("item ", items.size(), " (", parsed.key.Full(),
                       "): give the wrapped DEK, or the size of a DEK to generate"));
    }
    items.push_back(std::move(parsed));
  }
  return items;
}

absl::StatusOr<CheckedAnswer> CheckAnswer(const Pins& pins, const v1::ReleaseKeysRequest& request,
                                          const v1::ReleaseKeysResponse& response) {
  ASSIGN_OR_RETURN(const Expected expected, ExpectedOf(pins, request));
  const auto leaf = protocol::ParseStatementLeaf(AsBytes(response.leaf()));
  if (!leaf.ok()) {
    return Unproven("ANSWER_MALFORMED", std::string(leaf.status().message()));
  }
  RETURN_IF_ERROR(EnsureAboutUs(pins, expected, leaf->body));
  RETURN_IF_ERROR(EnsureCounts(request, response, leaf->body));
  for (int i = 0; i < request.items_size(); ++i) {
    RETURN_IF_ERROR(
        EnsureItem(i, expected, response.items(i), leaf->body.items(i), leaf->sealed_digests[i]));
  }
  RETURN_IF_ERROR(EnsureRecorded(pins, response));

  CheckedAnswer answer;
  answer.body_ = leaf->body_bytes;
  answer.encapsulation_ = response.encapsulation();
  answer.binding_digest_ = expected.binding_digest;
  answer.decision_id_ = HexEncode(AsBytes(leaf->body.decision_id()));
  answer.leaf_index_ = response.receipt().leaf_index();
  for (int i = 0; i < request.items_size(); ++i) {
    const v1::ItemResult& result = response.items(i);
    answer.items_.push_back({.released = result.has_released(),
                             .sealed_dek = result.released().sealed_dek(),
                             .wrapped_dek = result.released().wrapped_dek(),
                             .key_version = leaf->body.items(i).key_version(),
                             .refusal = result.refusal()});
    // The decision id that counts is the recorded one.
    answer.items_.back().refusal.set_decision_id(answer.decision_id_);
  }
  return answer;
}

absl::StatusOr<std::vector<absl::StatusOr<OpenedItem>>> CheckedAnswer::Open(
    const OpenerFactory& factory) const {
  std::unique_ptr<protocol::ItemOpener> opener;
  std::vector<absl::StatusOr<OpenedItem>> opened;
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (!item.released) {
      opened.push_back(StatusOfRefusal(item.refusal));
      continue;
    }
    if (opener == nullptr) {
      ASSIGN_OR_RETURN(opener, factory(AsBytes(encapsulation_), binding_digest_));
    }
    auto dek = opener->Open(protocol::ItemAssociatedData(static_cast<uint32_t>(i), AsBytes(body_)),
                            AsBytes(item.sealed_dek));
    if (!dek.ok()) {
      return Unproven(
          "ANSWER_DOES_NOT_OPEN",
          absl::StrCat("item ", i, " does not open beside its record: ", dek.status().message()));
    }
    opened.push_back(OpenedItem{
        .dek = std::move(*dek), .wrapped_dek = item.wrapped_dek, .key_version = item.key_version});
  }
  return opened;
}

}  // namespace latchkey::client
