#include "client/key_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "client/refusal.h"
#include "client/retry.h"
#include "crypto/hpke.h"
#include "crypto/system_random.h"
#include "protocol/sealed_item.h"

namespace latchkey::client {
namespace {

constexpr char kIssueChallenge[] = "/latchkey.v1.KeyRelease/IssueChallenge";
constexpr char kReleaseKeys[] = "/latchkey.v1.KeyRelease/ReleaseKeys";

absl::StatusOr<crypto::HpkeKem> KemOf(protocol::Scheme scheme) {
  switch (scheme) {
    case protocol::Scheme::kHpkeX25519:
      return crypto::HpkeKem::kX25519;
    case protocol::Scheme::kHpkeP256:
      return crypto::HpkeKem::kP256;
    case protocol::Scheme::kHpkeP384:
      return crypto::HpkeKem::kP384;
    default:
      return absl::InvalidArgumentError(
          "scheme: the client makes HPKE keys only; an RSA key comes from the attester");
  }
}

bool IsInvalidChallenge(const absl::Status& status) {
  const auto refusal = RefusalOf(status);
  return refusal && refusal->reason() == v1::WIRE_REASON_CHALLENGE_INVALID;
}

v1::ReleaseItem ToProto(const FetchItem& item) {
  v1::ReleaseItem out;
  out.set_key(item.key);
  out.mutable_context()->insert(item.context.begin(), item.context.end());
  if (item.generate_size_bytes > 0) {
    out.mutable_generate()->set_size_bytes(item.generate_size_bytes);
  } else {
    out.set_wrapped_dek(item.wrapped_dek);
  }
  return out;
}

}  // namespace

// One fetch: what it asks, and the deadline that all its tries share.
class KeyClient::Fetch {
 public:
  Fetch(const KeyClient& client, const std::vector<FetchItem>& items, Attester& attester)
      : client_(client),
        attester_(attester),
        retrier_(client.clock_, client.random_, client.clock_.Now() + client.timeout_) {
    request_.set_tenant(client.pins_.tenant);
    for (const FetchItem& item : items) *request_.add_items() = ToProto(item);
  }

  // One challenge, one attestation, one answer.
  absl::StatusOr<Fetched> Try() {
    ASSIGN_OR_RETURN(const std::vector<protocol::RequestItem> items, RequestItems(request_));
    const auto request_digest = protocol::RequestDigest(request_.tenant(), items);
    RETURN_IF_ERROR(TakeChallenge());
    ASSIGN_OR_RETURN(const crypto::HpkeKem kem, KemOf(client_.scheme_));
    const auto own_key = crypto::HpkePrivateKey::Generate(kem, client_.random_);
    ASSIGN_OR_RETURN(const AttesterOutput output, AttestTo(own_key, request_digest));
    SetRecipient(own_key, output);
    request_.clear_attestations();
    for (const v1::Attestation& attestation : output.attestations) {
      *request_.add_attestations() = attestation;
    }
    ASSIGN_OR_RETURN(const v1::ReleaseKeysResponse response, Ask());
    ASSIGN_OR_RETURN(const CheckedAnswer answer, CheckAnswer(client_.pins_, request_, response));
    Fetched fetched{.decision_id = answer.decision_id(), .leaf_index = answer.leaf_index()};
    ASSIGN_OR_RETURN(fetched.items, answer.Open(OpenerFor(own_key, output)));
    return fetched;
  }

 private:
  absl::Status TakeChallenge() {
    v1::IssueChallengeRequest ask;
    ask.set_tenant(request_.tenant());
    const Bytes bytes = ask.SerializeAsString();
    ASSIGN_OR_RETURN(const Bytes answer, retrier_.Run([&](absl::Duration left) {
      return client_.transport_->Call(kIssueChallenge, AsBytes(bytes), left);
    }));
    v1::IssueChallengeResponse challenge;
    if (!challenge.ParseFromString(answer) || challenge.challenge().empty()) {
      return absl::InternalError("the broker's challenge does not parse; is it a Latchkey broker?");
    }
    if (challenge.deployment_id() != client_.pins_.deployment_id) {
      return absl::UnauthenticatedError(
          absl::StrCat("the broker says it is deployment `", challenge.deployment_id(), "`, but `",
                       client_.pins_.deployment_id, "` is pinned; check the address"));
    }
    request_.set_challenge(challenge.challenge());
    return absl::OkStatus();
  }

  Bytes Transcript(protocol::Scheme scheme, ByteView public_key,
                   const crypto::Sha256Digest& request_digest) const {
    return protocol::BindingTranscript(client_.pins_.deployment_id, AsBytes(request_.challenge()),
                                       scheme, public_key, request_digest);
  }

  absl::StatusOr<AttesterOutput> AttestTo(const crypto::HpkePrivateKey& own_key,
                                          const crypto::Sha256Digest& request_digest) {
    const Bytes own = Transcript(client_.scheme_, AsBytes(own_key.public_key()), request_digest);
    const Bytes platform = Transcript(protocol::Scheme::kRsaOaepSha256, {}, request_digest);
    ASSIGN_OR_RETURN(
        AttesterOutput output,
        attester_.Attest({.report_data = protocol::ReportData(AsBytes(own)),
                          .nonce = protocol::BindingDigest(AsBytes(own)),
                          .platform_nonce = protocol::BindingDigest(AsBytes(platform))}));
    if (output.attestations.empty()) {
      return absl::FailedPreconditionError("the attester returned no evidence");
    }
    return output;
  }

  void SetRecipient(const crypto::HpkePrivateKey& own_key, const AttesterOutput& output) {
    const auto scheme = output.recipient ? protocol::Scheme::kRsaOaepSha256 : client_.scheme_;
    request_.mutable_recipient()->set_scheme(static_cast<v1::RecipientScheme>(scheme));
    request_.mutable_recipient()->set_public_key(output.recipient ? output.recipient->spki_der
                                                                  : own_key.public_key());
  }

  // Serialized once: each try sends the same bytes, so the broker knows a retry from a replay.
  absl::StatusOr<v1::ReleaseKeysResponse> Ask() {
    const Bytes bytes = request_.SerializeAsString();
    ASSIGN_OR_RETURN(const Bytes answer, retrier_.Run([&](absl::Duration left) {
      return client_.transport_->Call(kReleaseKeys, AsBytes(bytes), left);
    }));
    v1::ReleaseKeysResponse response;
    if (!response.ParseFromString(answer)) {
      return absl::InternalError("the broker's answer does not parse; nothing was opened");
    }
    return response;
  }

  static CheckedAnswer::OpenerFactory OpenerFor(const crypto::HpkePrivateKey& own_key,
                                                const AttesterOutput& output) {
    return [&](ByteView encapsulation, const crypto::Sha256Digest& binding_digest)
               -> absl::StatusOr<std::unique_ptr<protocol::ItemOpener>> {
      if (!output.recipient) {
        return protocol::MakeHpkeOpener(own_key, encapsulation, binding_digest);
      }
      ASSIGN_OR_RETURN(const SecretBytes secret, output.recipient->decrypt(encapsulation));
      return protocol::MakeRsaOpener(secret, binding_digest);
    };
  }

  const KeyClient& client_;
  Attester& attester_;
  Retrier retrier_;
  v1::ReleaseKeysRequest request_;
};

KeyClient::KeyClient(Pins pins, absl::Duration timeout, protocol::Scheme scheme,
                     std::unique_ptr<Transport> transport, Clock& clock, Random& random)
    : pins_(std::move(pins)),
      timeout_(timeout),
      scheme_(scheme),
      transport_(std::move(transport)),
      clock_(clock),
      random_(random) {}

absl::StatusOr<std::unique_ptr<KeyClient>> KeyClient::Create(const KeyClientOptions& options) {
  static SystemClock clock;
  static crypto::SystemRandom random;
  ASSIGN_OR_RETURN(auto transport, MakeGrpcTransport({.address = options.address,
                                                      .ca_pem = options.ca_pem,
                                                      .certificate_pem = options.certificate_pem,
                                                      .private_key_pem = options.private_key_pem,
                                                      .wait_for_ready = true}));
  return Create(options, std::move(transport), clock, random);
}

absl::StatusOr<std::unique_ptr<KeyClient>> KeyClient::Create(const KeyClientOptions& options,
                                                             std::unique_ptr<Transport> transport,
                                                             Clock& clock, Random& random) {
  if (options.deployment_id.empty() || options.deployment_id.size() > 63) {
    return absl::InvalidArgumentError(
        "deployment id: pin the 1 to 63 characters that `latchkeyd init` printed");
  }
  RETURN_IF_ERROR(protocol::CheckName("tenant", options.tenant));
  RETURN_IF_ERROR(KemOf(options.scheme).status());
  if (options.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("timeout: must be more than 0 seconds");
  }
  const auto log_key = crypto::PublicKey::FromEd25519(AsBytes(options.log_public_key));
  if (!log_key.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("log public key: ", log_key.status().message(),
                     "; pin the 32-byte Ed25519 key that `latchkeyd init` printed"));
  }
  Pins pins{options.deployment_id, options.tenant, *log_key};
  return std::unique_ptr<KeyClient>(new KeyClient(std::move(pins), options.timeout, options.scheme,
                                                  std::move(transport), clock, random));
}

absl::StatusOr<SecretBytes> KeyClient::FetchKey(std::string_view key, ByteView wrapped_dek,
                                                const protocol::Context& context,
                                                Attester& attester) {
  ASSIGN_OR_RETURN(
      Fetched fetched,
      FetchKeys(
          {{.key = std::string(key), .wrapped_dek = ToBytes(wrapped_dek), .context = context}},
          attester));
  if (!fetched.items[0].ok()) return fetched.items[0].status();
  return std::move(fetched.items[0]->dek);
}

absl::StatusOr<Fetched> KeyClient::FetchKeys(const std::vector<FetchItem>& items,
                                             Attester& attester) {
  Fetch fetch(*this, items, attester);
  absl::StatusOr<Fetched> fetched = fetch.Try();
  // Attesting can outlast the challenge. One fresh challenge mends that; a second refusal is final.
  if (IsInvalidChallenge(fetched.status())) fetched = fetch.Try();
  return fetched;
}

}  // namespace latchkey::client
