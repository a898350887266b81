#include "broker/server/broker_fixture.h"
#include "latchkey/v1/key_release.pb.h"

namespace latchkey::server {
namespace {

using ::testing::HasSubstr;

constexpr int kOk = 0, kInvalidArgument = 3, kNotFound = 5, kPermissionDenied = 7,
              kResourceExhausted = 8, kUnimplemented = 12, kUnauthenticated = 16;

class WorkloadCoreTest : public BrokerFixture {
 protected:
  Bytes Challenge() {
    v1::IssueChallengeResponse response;
    EXPECT_EQ(
        Workload("KeyRelease/IssueChallenge", v1::IssueChallengeRequest(), response).grpc_code,
        kOk);
    return response.challenge();
  }
  // Well formed, with evidence that is none.
  v1::ReleaseKeysRequest Request() {
    v1::ReleaseKeysRequest request;
    request.set_challenge(Challenge());
    request.add_attestations()->set_snp_report(Bytes(1184, '\0'));
    request.mutable_recipient()->set_scheme(v1::RECIPIENT_SCHEME_HPKE_X25519);
    request.mutable_recipient()->set_public_key(Bytes(32, '\x09'));
    v1::ReleaseItem& item = *request.add_items();
    item.set_key("db");
    item.mutable_generate()->set_size_bytes(32);
    return request;
  }
  front::CoreReply Release(const v1::ReleaseKeysRequest& request) {
    v1::ReleaseKeysResponse response;
    return Workload("KeyRelease/ReleaseKeys", request, response);
  }
};

TEST_F(WorkloadCoreTest, ChallengeNamesItsDeploymentAndExpires) {
  v1::IssueChallengeResponse response;
  ASSERT_EQ(Workload("KeyRelease/IssueChallenge", v1::IssueChallengeRequest(), response).grpc_code,
            kOk);
  EXPECT_EQ(response.deployment_id(), kDeployment);
  EXPECT_LE(response.challenge().size(), 256u);
  EXPECT_EQ(response.expires_at().seconds(), absl::ToUnixSeconds(clock_.Now() + absl::Minutes(5)));
}

TEST_F(WorkloadCoreTest, UnknownTenantGetsNoChallenge) {
  v1::IssueChallengeRequest request;
  v1::IssueChallengeResponse response;
  request.set_tenant("other");
  EXPECT_EQ(Workload("KeyRelease/IssueChallenge", request, response).grpc_code, kNotFound);
  request.set_tenant("default");
  EXPECT_EQ(Workload("KeyRelease/IssueChallenge", request, response).grpc_code, kOk);
}

TEST_F(WorkloadCoreTest, PeerThatAsksTooOftenWaits) {
  v1::IssueChallengeResponse response;
  front::CoreReply reply;
  for (int i = 0; i < 1001; ++i) {
    reply = Workload("KeyRelease/IssueChallenge", v1::IssueChallengeRequest(), response);
  }
  EXPECT_EQ(reply.grpc_code, kResourceExhausted);
  EXPECT_EQ(ReasonIn(reply), "RATE_LIMITED");
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Workload("KeyRelease/IssueChallenge", v1::IssueChallengeRequest(), response).grpc_code,
            kOk);
}

TEST_F(WorkloadCoreTest, AdministrationIsNotServedHere) {
  v1::IssueChallengeResponse response;
  EXPECT_EQ(Workload("KeyAdmin/ListKeys", v1::IssueChallengeRequest(), response).grpc_code,
            kUnimplemented);
}

TEST_F(WorkloadCoreTest, EvidenceThatIsNoneIsCoarselyRefusedAndCounted) {
  const auto reply = Release(Request());
  EXPECT_EQ(reply.grpc_code, kPermissionDenied);
  EXPECT_EQ(ReasonIn(reply), "ATTESTATION_REFUSED");
  EXPECT_EQ(LogSize(), 1u);
  ASSERT_THAT(broker_->Sweep(), IsOk());
  EXPECT_EQ(LogSize(), 2u);
  const v1::Leaf leaf = LastLeaf();
  ASSERT_EQ(leaf.attempts().counts_size(), 1);
  EXPECT_EQ(leaf.attempts().counts().begin()->second, 1u);
  // Nothing new, no new leaf.
  ASSERT_THAT(broker_->Sweep(), IsOk());
  EXPECT_EQ(LogSize(), 2u);
}

TEST_F(WorkloadCoreTest, ChallengeThatWasNotIssuedIsRefused) {
  v1::ReleaseKeysRequest request = Request();
  request.mutable_challenge()->back() ^= 1;
  const auto reply = Release(request);
  EXPECT_EQ(reply.grpc_code, kUnauthenticated);
  EXPECT_EQ(ReasonIn(reply), "CHALLENGE_INVALID");
}

TEST_F(WorkloadCoreTest, EveryLimitOfTheWireIsHeldBeforeTheEvidenceIsLookedAt) {
  struct Case {
    const char* message;
    void (*wound)(v1::ReleaseKeysRequest&);
  };
  const Case cases[] = {
      {"tenant", [](auto& r) { r.set_tenant("No Such Name"); }},
      {"challenge: 0 bytes", [](auto& r) { r.clear_challenge(); }},
      {"challenge: 257 bytes", [](auto& r) { r.set_challenge(Bytes(257, 'x')); }},
      {"attestations: 0 given", [](auto& r) { r.clear_attestations(); }},
      {"attestations: 5 given",
       [](auto& r) {
         while (r.attestations_size() < 5) *r.add_attestations() = r.attestations(0);
       }},
      {"attestations[0]: has no evidence",
       [](auto& r) { r.mutable_attestations(0)->clear_evidence(); }},
      {"attestations[0].snp_report: 1183 bytes",
       [](auto& r) { r.mutable_attestations(0)->set_snp_report(Bytes(1183, '\0')); }},
      {"attestations[0].token: 65537 bytes",
       [](auto& r) { r.mutable_attestations(0)->set_token(Bytes(65537, 'a')); }},
      {"attestations[0]: 9 endorsements",
       [](auto& r) {
         for (int i = 0; i < 9; ++i) r.mutable_attestations(0)->add_endorsements(Bytes(1, 'x'));
       }},
      {"attestations[0].endorsements: 16385 bytes",
       [](auto& r) { r.mutable_attestations(0)->add_endorsements(Bytes(16385, 'x')); }},
      {"recipient.scheme: 0", [](auto& r) { r.clear_recipient(); }},
      {"recipient.scheme: 99",
       [](auto& r) { r.mutable_recipient()->set_scheme(static_cast<v1::RecipientScheme>(99)); }},
      {"recipient.public_key: 31 bytes",
       [](auto& r) { r.mutable_recipient()->set_public_key(Bytes(31, 'x')); }},
      {"items: 0 given", [](auto& r) { r.clear_items(); }},
      {"items: 257 given",
       [](auto& r) {
         while (r.items_size() < 257) *r.add_items() = r.items(0);
       }},
      {"items[0]", [](auto& r) { r.mutable_items(0)->set_key("Not A Name"); }},
      {"key of tenant other",
       [](auto& r) { r.mutable_items(0)->set_key("tenants/other/keys/db"); }},
      {"items[0]: wants nothing", [](auto& r) { r.mutable_items(0)->clear_want(); }},
      {"items[0].wrapped_dek: 0 bytes", [](auto& r) { r.mutable_items(0)->set_wrapped_dek(""); }},
      {"items[0].wrapped_dek: 8193 bytes",
       [](auto& r) { r.mutable_items(0)->set_wrapped_dek(Bytes(8193, 'x')); }},
      {"items[0].generate.size_bytes: 33",
       [](auto& r) { r.mutable_items(0)->mutable_generate()->set_size_bytes(33); }},
      {"items[0]", [](auto& r) { (*r.mutable_items(0)->mutable_context())[""] = Bytes(1, 'x'); }},
      {"field 19",
       [](auto& r) {
         r.mutable_items(0)
             ->GetReflection()
             ->MutableUnknownFields(r.mutable_items(0))
             ->AddVarint(19, 1);
       }},
  };
  for (const Case& c : cases) {
    v1::ReleaseKeysRequest request = Request();
    c.wound(request);
    const auto reply = Release(request);
    EXPECT_EQ(reply.grpc_code, kInvalidArgument) << c.message;
    EXPECT_EQ(ReasonIn(reply), "MALFORMED") << c.message;
    EXPECT_THAT(reply.error_message, HasSubstr(c.message));
  }
}

TEST_F(WorkloadCoreTest, BytesThatAreNoMessageAreMalformedAndCounted) {
  const auto reply = AskBytes(broker_->workload_core(), "/latchkey.v1.KeyRelease/ReleaseKeys",
                              "\xff\xff\xff", {"x", ""});
  EXPECT_EQ(reply.grpc_code, kInvalidArgument);
  ASSERT_THAT(broker_->Sweep(), IsOk());
  EXPECT_EQ(LastLeaf().attempts().counts().at("MALFORMED"), 1u);
}

}  // namespace
}  // namespace latchkey::server
