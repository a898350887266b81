#include "client/fake_broker.h"

#include <utility>

#include "base/check.h"
#include "base/status_macros.h"
#include "protocol/binding.h"
#include "protocol/checkpoint.h"
#include "protocol/merkle.h"
#include "protocol/sealed_item.h"
#include "protocol/statement.h"

namespace latchkey::client {
namespace {

using protocol::Hash;

Hash RootOf(std::span<const Bytes> leaves) {
  if (leaves.size() == 1) return protocol::LeafHash(AsBytes(leaves[0]));
  size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  return protocol::NodeHash(RootOf(leaves.first(split)), RootOf(leaves.subspan(split)));
}

// RFC 6962, 2.1.1, leaf upwards.
void AppendPath(std::span<const Bytes> leaves, size_t index, v1::Receipt& receipt) {
  if (leaves.size() == 1) return;
  size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  const bool left = index < split;
  AppendPath(left ? leaves.first(split) : leaves.subspan(split), left ? index : index - split,
             receipt);
  receipt.add_inclusion_proof(ToBytes(RootOf(left ? leaves.subspan(split) : leaves.first(split))));
}

absl::Status TakeFailure(std::vector<absl::Status>& failures) {
  if (failures.empty()) return absl::OkStatus();
  const absl::Status failure = failures.front();
  failures.erase(failures.begin());
  return failure;
}

void Describe(const protocol::RequestItem& item, const crypto::Sha256Digest& salt, bool released,
              v1::StatementItem& out) {
  out.set_key_version(item.key.Version(1));
  out.set_wrapped_dek_digest(ToBytes(crypto::Sha256(AsBytes(item.wrapped_dek))));
  out.set_context_digest(ToBytes(protocol::ContextDigest(salt, item.context)));
  out.set_custody_mode(v1::CUSTODY_MODE_WRAPPED);
  out.set_outcome(released ? v1::OUTCOME_RELEASED : v1::OUTCOME_REFUSED);
  if (!released) out.set_reason(v1::WIRE_REASON_KEY_NOT_RELEASABLE);
}

v1::Refusal NotReleasable() {
  v1::Refusal refusal;
  refusal.set_reason(v1::WIRE_REASON_KEY_NOT_RELEASABLE);
  refusal.set_message("no such wrapped DEK");
  refusal.set_remedy("wrap it again");
  return refusal;
}

}  // namespace

FakeBroker::FakeBroker(Random& random)
    : random_(random),
      log_key_(crypto::PrivateKey::GenerateEd25519(random_)),
      other_key_(crypto::PrivateKey::GenerateEd25519(random_)),
      leaves_({"genesis", "something else", "and more"}) {}

absl::StatusOr<Bytes> FakeBroker::Handle(std::string_view method, ByteView request) {
  if (method == "/latchkey.v1.KeyRelease/IssueChallenge") {
    challenge_requests.push_back(ToBytes(request));
    RETURN_IF_ERROR(TakeFailure(challenge_failures));
    return IssueChallenge().SerializeAsString();
  }
  LATCHKEY_CHECK(method == "/latchkey.v1.KeyRelease/ReleaseKeys");
  release_requests.push_back(ToBytes(request));
  RETURN_IF_ERROR(TakeFailure(release_failures));
  v1::ReleaseKeysRequest message;
  LATCHKEY_CHECK(message.ParseFromString(ToBytes(request)));
  ASSIGN_OR_RETURN(const v1::ReleaseKeysResponse response, Release(message));
  return response.SerializeAsString();
}

v1::IssueChallengeResponse FakeBroker::IssueChallenge() {
  v1::IssueChallengeResponse response;
  response.set_challenge(RandomBytes(random_, 48));
  response.set_deployment_id(deployment_id);
  return response;
}

absl::StatusOr<v1::ReleaseKeysResponse> FakeBroker::Release(const v1::ReleaseKeysRequest& request) {
  ASSIGN_OR_RETURN(std::vector<protocol::RequestItem> items, RequestItems(request));
  const auto scheme = *protocol::SchemeFromNumber(request.recipient().scheme());
  const ByteView recipient = AsBytes(request.recipient().public_key());
  const Bytes transcript =
      protocol::BindingTranscript("fake-1", AsBytes(request.challenge()), scheme, recipient,
                                  protocol::RequestDigest(request.tenant(), items));
  const auto binding = protocol::BindingDigest(AsBytes(transcript));
  const auto salt = protocol::ContextSalt(AsBytes(transcript));

  v1::StatementBody body;
  body.set_format(1);
  body.set_deployment_id("fake-1");
  body.set_tenant(request.tenant());
  body.set_decision_id(RandomBytes(random_, 16));
  body.set_binding_digest(ToBytes(binding));
  body.set_recipient_digest(ToBytes(protocol::RecipientDigest(scheme, recipient)));
  body.set_closure_digest(Bytes(32, 'c'));
  body.set_details_digest(Bytes(32, 'd'));
  for (protocol::RequestItem& item : items) {
    const bool generates = item.generate_size_bytes > 0;
    if (generates) {
      item.wrapped_dek = "generated";
      deks[item.wrapped_dek] = std::string(item.generate_size_bytes, 'g');
    }
    Describe(item, salt, deks.count(item.wrapped_dek) > 0, *body.add_items());
  }
  edit_body(body);

  const Bytes body_bytes = body.SerializeAsString();
  ASSIGN_OR_RETURN(const auto sealer,
                   protocol::MakeItemSealer(scheme, recipient, binding, random_));
  v1::ReleaseKeysResponse response;
  std::vector<Bytes> digests;
  for (size_t i = 0; i < items.size(); ++i) {
    v1::ItemResult& result = *response.add_items();
    const auto dek = deks.find(items[i].wrapped_dek);
    if (dek == deks.end()) {
      *result.mutable_refusal() = NotReleasable();
      digests.emplace_back();
      continue;
    }
    const Bytes sealed =
        sealer->Seal(protocol::ItemAssociatedData(i, AsBytes(body_bytes)), AsBytes(dek->second));
    result.mutable_released()->set_sealed_dek(sealed);
    if (items[i].generate_size_bytes > 0) {
      result.mutable_released()->set_wrapped_dek(items[i].wrapped_dek);
    }
    digests.push_back(ToBytes(crypto::Sha256(AsBytes(sealed))));
  }
  response.set_encapsulation(sealer->encapsulation());
  response.set_leaf(protocol::MakeStatementLeaf(AsBytes(body_bytes), digests));
  response.mutable_receipt()->set_checkpoint(Record(response.leaf(), *response.mutable_receipt()));
  edit_response(response);
  return response;
}

std::string FakeBroker::Record(const Bytes& leaf, v1::Receipt& receipt) {
  receipt.set_leaf_index(leaves_.size());
  leaves_.push_back(leaf);
  AppendPath(leaves_, receipt.leaf_index(), receipt);
  return protocol::SignCheckpoint(
      {.origin = origin, .size = leaves_.size(), .root = RootOf(leaves_)},
      sign_with_other_key ? other_key_ : log_key_);
}

}  // namespace latchkey::client
