#include "dev/interceptor.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "crypto/system_random.h"
#include "latchkey/v1/key_release.pb.h"
#include "protocol/binding.h"
#include "protocol/sealed_item.h"
#include "protocol/statement.h"

namespace latchkey::dev {
namespace {

constexpr std::string_view kReleaseKeys = "/latchkey.v1.KeyRelease/ReleaseKeys";
constexpr std::string_view kIssueChallenge = "/latchkey.v1.KeyRelease/IssueChallenge";

absl::Status Malformed() {
  return absl::InvalidArgumentError("interceptor: a message does not parse");
}

// T, from what the proxy has seen on the wire: nothing of it is secret.
absl::StatusOr<Bytes> TranscriptOf(std::string_view deployment_id,
                                   const v1::ReleaseKeysRequest& request) {
  const std::string tenant = request.tenant().empty() ? "default" : request.tenant();
  std::vector<protocol::RequestItem> items;
  for (const v1::ReleaseItem& item : request.items()) {
    ASSIGN_OR_RETURN(protocol::KeyName key, protocol::ParseKeyName(item.key(), tenant));
    items.push_back({std::move(key),
                     {item.context().begin(), item.context().end()},
                     item.wrapped_dek(),
                     item.generate().size_bytes()});
  }
  const auto scheme = protocol::SchemeFromNumber(request.recipient().scheme());
  if (!scheme.has_value()) return Malformed();
  return protocol::BindingTranscript(deployment_id, AsBytes(request.challenge()), *scheme,
                                     AsBytes(request.recipient().public_key()),
                                     protocol::RequestDigest(tenant, items));
}

// Seals a DEK that the attacker knows, exactly as the broker would: base-mode HPKE does not say who
// sealed.
absl::StatusOr<Bytes> PlantDek(std::string_view deployment_id, ByteView request_bytes,
                               const Bytes& answer) {
  v1::ReleaseKeysRequest request;
  v1::ReleaseKeysResponse response;
  if (!request.ParseFromArray(request_bytes.data(), static_cast<int>(request_bytes.size())) ||
      !response.ParseFromString(answer)) {
    return Malformed();
  }
  ASSIGN_OR_RETURN(const Bytes transcript, TranscriptOf(deployment_id, request));
  ASSIGN_OR_RETURN(const protocol::StatementLeaf leaf,
                   protocol::ParseStatementLeaf(AsBytes(response.leaf())));
  crypto::SystemRandom random;
  ASSIGN_OR_RETURN(const auto sealer, protocol::MakeItemSealer(
                                          *protocol::SchemeFromNumber(request.recipient().scheme()),
                                          AsBytes(request.recipient().public_key()),
                                          protocol::BindingDigest(AsBytes(transcript)), random));
  const Bytes known_dek(32, '\x42');
  for (int i = 0; i < response.items_size(); ++i) {
    if (!response.items(i).has_released()) continue;
    response.mutable_items(i)->mutable_released()->set_sealed_dek(sealer->Seal(
        protocol::ItemAssociatedData(static_cast<uint32_t>(i), AsBytes(leaf.body_bytes)),
        AsBytes(known_dek)));
  }
  response.set_encapsulation(sealer->encapsulation());
  std::printf("interceptor: planted a DEK of its own in the broker's answer\n");
  std::fflush(stdout);
  return response.SerializeAsString();
}

absl::StatusOr<Bytes> WithOtherContext(ByteView request_bytes) {
  v1::ReleaseKeysRequest request;
  if (!request.ParseFromArray(request_bytes.data(), static_cast<int>(request_bytes.size()))) {
    return Malformed();
  }
  for (v1::ReleaseItem& item : *request.mutable_items()) {
    (*item.mutable_context())["environment"] = "chosen-by-the-interceptor";
  }
  return request.SerializeAsString();
}

front::CoreReply Failure(const absl::Status& status) {
  front::CoreReply reply;
  reply.grpc_code = static_cast<int>(status.code());
  reply.error_message = std::string(status.message());
  return reply;
}

}  // namespace

absl::StatusOr<Attack> ParseAttack(std::string_view name) {
  if (name == "relay") return Attack::kRelay;
  if (name == "plant") return Attack::kPlant;
  if (name == "replay") return Attack::kReplay;
  if (name == "swap") return Attack::kSwap;
  return absl::InvalidArgumentError(
      absl::StrCat("attack \"", ToAbsl(name), "\": choose relay, plant, replay or swap"));
}

front::CoreReply Interceptor::Handle(std::string_view method, ByteView request,
                                     const front::PeerHint&, absl::Time deadline) {
  auto answer = Relay(method, request, deadline - absl::Now());
  if (!answer.ok()) return Failure(answer.status());
  front::CoreReply reply;
  reply.message = *std::move(answer);
  return reply;
}

absl::StatusOr<Bytes> Interceptor::Relay(std::string_view method, ByteView request,
                                         absl::Duration timeout) {
  if (method == kReleaseKeys && attack_ == Attack::kSwap) {
    ASSIGN_OR_RETURN(const Bytes other, WithOtherContext(request));
    return broker_->Call(method, AsBytes(other), timeout);
  }
  ASSIGN_OR_RETURN(Bytes answer, broker_->Call(method, request, timeout));
  if (method == kIssueChallenge) {
    v1::IssueChallengeResponse issued;
    if (!issued.ParseFromString(answer)) return Malformed();
    MutexLock lock(mutex_);
    deployment_id_ = issued.deployment_id();
  }
  if (method == kReleaseKeys && attack_ == Attack::kPlant) {
    MutexLock lock(mutex_);
    return PlantDek(deployment_id_, request, answer);
  }
  if (method == kReleaseKeys && attack_ == Attack::kReplay) {
    ASSIGN_OR_RETURN(const Bytes other, WithOtherContext(request));
    const auto second = broker_->Call(method, AsBytes(other), timeout);
    const std::string verdict =
        second.ok() ? "RELEASED" : absl::StrCat("refused: ", second.status().message());
    std::printf("interceptor: sent the used challenge again with other bytes: %s\n",
                verdict.c_str());
  }
  std::fflush(stdout);
  return answer;
}

}  // namespace latchkey::dev
