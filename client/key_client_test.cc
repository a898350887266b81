#include "client/key_client.h"

#include "client/fake_broker.h"
#include "client/refusal.h"
#include "crypto/signature.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/manual_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::client {
namespace {

using testing::HasSubstr;

class FakeAttester final : public Attester {
 public:
  absl::StatusOr<AttesterOutput> Attest(const AttestationRequest& request) override {
    requests.push_back(request);
    if (!status.ok()) return status;
    v1::Attestation attestation;
    attestation.set_token("token");
    return AttesterOutput{.attestations = {attestation}, .recipient = recipient};
  }

  std::vector<AttestationRequest> requests;
  absl::Status status;
  std::optional<PlatformRecipient> recipient;
};

absl::Status Refused(v1::WireReason reason) {
  v1::Refusal refusal;
  refusal.set_reason(reason);
  refusal.set_message("no");
  return StatusOfRefusal(refusal);
}

class KeyClientTest : public testing::Test {
 protected:
  KeyClientTest() {
    options_.deployment_id = "fake-1";
    options_.log_public_key = broker_.log_public_key();
  }

  absl::StatusOr<SecretBytes> Fetch(const Bytes& wrapped = "wrapped-a") {
    auto client =
        KeyClient::Create(options_, std::make_unique<FakeTransport>(broker_), clock_, random_);
    if (!client.ok()) return client.status();
    return (*client)->FetchKey("payments", AsBytes(wrapped), {{"environment", "prod"}}, attester_);
  }

  void FailReleases(std::initializer_list<absl::Status> failures) {
    broker_.release_failures = failures;
  }
  absl::Duration Elapsed() const { return clock_.Now() - start_; }

  SeededRandom random_;
  FakeBroker broker_{random_};
  FakeAttester attester_;
  KeyClientOptions options_;
  ManualClock clock_;
  const absl::Time start_ = clock_.Now();
};

TEST_F(KeyClientTest, FetchesAKey) {
  const auto dek = Fetch();
  ASSERT_THAT(dek, IsOk());
  EXPECT_EQ(AsText(dek->view()), std::string(32, 'a'));
  EXPECT_EQ(Elapsed(), absl::ZeroDuration());
}

TEST_F(KeyClientTest, FetchesWithEachHpkeScheme) {
  for (const auto scheme : {protocol::Scheme::kHpkeP256, protocol::Scheme::kHpkeP384}) {
    options_.scheme = scheme;
    EXPECT_THAT(Fetch(), IsOk());
  }
}

TEST_F(KeyClientTest, FetchesToAKeyOfThePlatform) {
  const auto key = crypto::PrivateKey::GenerateRsa(2048);
  attester_.recipient = PlatformRecipient{
      .spki_der = key.public_key().SpkiDer(),
      .decrypt = [key](ByteView c) { return crypto::RsaOaepSha256Decrypt(key, c); }};
  const auto dek = Fetch();
  ASSERT_THAT(dek, IsOk());
  EXPECT_EQ(AsText(dek->view()), std::string(32, 'a'));
}

TEST_F(KeyClientTest, EachFetchHasItsOwnRecipientKeyAndBinding) {
  ASSERT_THAT(Fetch(), IsOk());
  ASSERT_THAT(Fetch(), IsOk());
  EXPECT_NE(attester_.requests[0].report_data, attester_.requests[1].report_data);
  v1::ReleaseKeysRequest first, second;
  ASSERT_TRUE(first.ParseFromString(broker_.release_requests[0]));
  ASSERT_TRUE(second.ParseFromString(broker_.release_requests[1]));
  EXPECT_NE(first.recipient().public_key(), second.recipient().public_key());
}

TEST_F(KeyClientTest, ARefusalIsReturnedAndNotRepeated) {
  const auto dek = Fetch("unknown");
  EXPECT_THAT(dek, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(RefusalOf(dek.status())->remedy(), "wrap it again");
  EXPECT_EQ(ExitCodeOf(dek.status()), ExitCode::kRefusedByPolicy);
  EXPECT_EQ(broker_.release_requests.size(), 1);
}

TEST_F(KeyClientTest, ARefusedAttestationIsNotRepeated) {
  FailReleases({Refused(v1::WIRE_REASON_ATTESTATION_REFUSED)});
  const auto dek = Fetch();
  EXPECT_EQ(ExitCodeOf(dek.status()), ExitCode::kNotAccepted);
  EXPECT_EQ(broker_.release_requests.size(), 1);
}

TEST_F(KeyClientTest, ARetryAfterALostAnswerSendsTheSameBytes) {
  FailReleases({absl::UnavailableError("connection reset"), absl::UnavailableError("again")});
  ASSERT_THAT(Fetch(), IsOk());
  ASSERT_EQ(broker_.release_requests.size(), 3);
  EXPECT_EQ(broker_.release_requests[0], broker_.release_requests[1]);
  EXPECT_EQ(broker_.release_requests[0], broker_.release_requests[2]);
  EXPECT_EQ(attester_.requests.size(), 1);
  EXPECT_LE(Elapsed(), absl::Milliseconds(300));
}

TEST_F(KeyClientTest, TheBrokersRetryDelayIsHonoured) {
  absl::Status busy = absl::ResourceExhaustedError("slow down");
  SetRetryDelay(busy, absl::Seconds(7));
  FailReleases({busy});
  ASSERT_THAT(Fetch(), IsOk());
  EXPECT_GE(Elapsed(), absl::Seconds(7));
  EXPECT_LE(Elapsed(), absl::Seconds(8));
}

TEST_F(KeyClientTest, NoWaitPassesTheDeadline) {
  absl::Status busy = absl::UnavailableError("down");
  SetRetryDelay(busy, absl::Seconds(31));
  FailReleases({busy});
  EXPECT_THAT(Fetch(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("gave up after 1 try")));
  EXPECT_EQ(Elapsed(), absl::ZeroDuration());
}

TEST_F(KeyClientTest, TriesEndAtTheOneDeadline) {
  broker_.challenge_failures.assign(100000, absl::UnavailableError("down"));
  const auto dek = Fetch();
  EXPECT_EQ(ExitCodeOf(dek.status()), ExitCode::kUnavailable);
  EXPECT_LE(Elapsed(), absl::Seconds(30));
  // Backoff keeps the number of tries small.
  EXPECT_LT(broker_.challenge_requests.size(), 40);
}

TEST_F(KeyClientTest, AnExpiredChallengeIsReplacedOnce) {
  FailReleases({Refused(v1::WIRE_REASON_CHALLENGE_INVALID)});
  ASSERT_THAT(Fetch(), IsOk());
  EXPECT_EQ(broker_.challenge_requests.size(), 2);
  EXPECT_EQ(attester_.requests.size(), 2);
  EXPECT_NE(broker_.release_requests[0], broker_.release_requests[1]);
}

TEST_F(KeyClientTest, ASecondInvalidChallengeIsFinal) {
  FailReleases(
      {Refused(v1::WIRE_REASON_CHALLENGE_INVALID), Refused(v1::WIRE_REASON_CHALLENGE_INVALID)});
  EXPECT_EQ(ExitCodeOf(Fetch().status()), ExitCode::kNotAccepted);
  EXPECT_EQ(broker_.challenge_requests.size(), 2);
}

TEST_F(KeyClientTest, OtherErrorsAreNotRepeated) {
  FailReleases({absl::InternalError("a fault")});
  EXPECT_THAT(Fetch(), StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(broker_.release_requests.size(), 1);
}

TEST_F(KeyClientTest, AnotherDeploymentIsRefusedBeforeAttesting) {
  broker_.deployment_id = "fake-2";
  EXPECT_THAT(Fetch(), StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("is pinned")));
  EXPECT_TRUE(attester_.requests.empty());
}

TEST_F(KeyClientTest, AnAttesterThatFailsEndsTheFetch) {
  attester_.status = absl::FailedPreconditionError("no TEE here");
  EXPECT_THAT(Fetch(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("no TEE here")));
  EXPECT_TRUE(broker_.release_requests.empty());
}

TEST_F(KeyClientTest, AnUnpinnedLogKeyIsRefused) {
  options_.log_public_key.clear();
  EXPECT_THAT(Fetch(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("log public key")));
}

TEST_F(KeyClientTest, FetchesManyKeysUnderOneAttestation) {
  auto client =
      KeyClient::Create(options_, std::make_unique<FakeTransport>(broker_), clock_, random_);
  ASSERT_THAT(client, IsOk());
  const auto fetched = (*client)->FetchKeys({{.key = "payments", .wrapped_dek = "wrapped-a"},
                                             {.key = "payments", .wrapped_dek = "unknown"},
                                             {.key = "ledger", .generate_size_bytes = 32}},
                                            attester_);
  ASSERT_THAT(fetched, IsOk());
  EXPECT_EQ(attester_.requests.size(), 1);
  EXPECT_THAT(fetched->items[0], IsOk());
  EXPECT_TRUE(RefusalOf(fetched->items[1].status()).has_value());
  EXPECT_EQ(fetched->items[2]->wrapped_dek, "generated");
  EXPECT_EQ(fetched->decision_id.size(), 32);
}

}  // namespace
}  // namespace latchkey::client
