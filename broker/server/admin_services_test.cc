#include "broker/server/broker_fixture.h"
#include "latchkey/v1/audit.pb.h"
#include "latchkey/v1/key_admin.pb.h"
#include "latchkey/v1/key_wrap.pb.h"
#include "latchkey/v1/policy_admin.pb.h"

namespace latchkey::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kOk = 0, kInvalidArgument = 3, kNotFound = 5, kAlreadyExists = 6, kAborted = 10,
              kUnimplemented = 12, kUnavailable = 14, kUnauthenticated = 16;

class AdminServicesTest : public BrokerFixture {
 protected:
  front::CoreReply PutPolicy(const std::string& document, uint32_t expected = 0,
                             bool validate_only = false) {
    v1::PutPolicyRequest request;
    request.set_document(document);
    request.set_expected_revision(expected);
    request.set_validate_only(validate_only);
    return Admin("PolicyAdmin/PutPolicy", request, put_);
  }
  front::CoreReply CreateKey(const std::string& name, const std::string& policy = "",
                             bool validate_only = false) {
    v1::CreateKeyRequest request;
    request.set_name(name);
    request.mutable_charter()->set_policy(policy);
    request.set_validate_only(validate_only);
    return Admin("KeyAdmin/CreateKey", request, created_);
  }
  front::CoreReply GetKey(const std::string& name) {
    v1::GetKeyRequest request;
    request.set_name(name);
    return Admin("KeyAdmin/GetKey", request, got_);
  }

  v1::PutPolicyResponse put_;
  v1::CreateKeyResponse created_;
  v1::GetKeyResponse got_;
};

TEST_F(AdminServicesTest, CallerWithoutACertificateIsNobody) {
  const auto reply =
      AskBytes(broker_->admin_core(), "/latchkey.v1.KeyAdmin/ListKeys", "", {"ipv4:1.2.3.4:5", ""});
  EXPECT_EQ(reply.grpc_code, kUnauthenticated);
  v1::ListKeysResponse response;
  EXPECT_EQ(Admin("KeyAdmin/ListKeys", v1::ListKeysRequest(), response).grpc_code, kOk);
}

TEST_F(AdminServicesTest, MethodOfTheWorkloadPortIsNotServed) {
  v1::ListKeysResponse response;
  EXPECT_EQ(Admin("KeyRelease/ReleaseKeys", v1::ListKeysRequest(), response).grpc_code,
            kUnimplemented);
}

TEST_F(AdminServicesTest, UnknownFieldIsAWishThatIsNotGranted) {
  // Field 15, which no request has, beside a name that is fine.
  EXPECT_EQ(CreateKey("mail").grpc_code, kOk);
  const Bytes request = Bytes("\x0a\x02", 2) + "db" + Bytes("\x78\x01", 2);
  const auto reply = AskBytes(broker_->admin_core(), "/latchkey.v1.KeyAdmin/CreateKey", request,
                              {"x", AdminCertificate("alice")});
  EXPECT_EQ(reply.grpc_code, kInvalidArgument);
  EXPECT_THAT(reply.error_message, HasSubstr("field 15 is not known here"));
}

TEST_F(AdminServicesTest, CreatedKeyHasItsRecord) {
  ASSERT_EQ(PutPolicy(kPolicy).grpc_code, kOk);
  const uint64_t before = LogSize();
  ASSERT_EQ(CreateKey("db", "dev").grpc_code, kOk);
  EXPECT_EQ(created_.key().name(), "tenants/default/keys/db");
  EXPECT_EQ(created_.key().charter().policy(), "dev");
  EXPECT_EQ(created_.key().primary_version(), 1u);
  EXPECT_EQ(LogSize(), before + 1);
  const v1::AdminAct act = LastLeaf().admin_act();
  EXPECT_EQ(act.action(), "KEY_CREATED");
  EXPECT_EQ(act.resource(), "tenants/default/keys/db");
  EXPECT_THAT(act.actor(), StartsWith("alice sha256:"));
  EXPECT_EQ(HexEncode(AsBytes(act.state_digest())), created_.key().etag());
  ASSERT_EQ(GetKey("db").grpc_code, kOk);
  EXPECT_EQ(got_.key().SerializeAsString(), created_.key().SerializeAsString());
}

TEST_F(AdminServicesTest, EveryActAdvancesTheEpoch) {
  ASSERT_EQ(CreateKey("db").grpc_code, kOk);
  const uint64_t first = LastLeaf().admin_act().epoch();
  ASSERT_EQ(CreateKey("mail").grpc_code, kOk);
  EXPECT_EQ(LastLeaf().admin_act().epoch(), first + 1);
}

TEST_F(AdminServicesTest, ActThatIsOnlyValidatedChangesNothing) {
  ASSERT_EQ(PutPolicy(kPolicy, 0, true).grpc_code, kOk);
  EXPECT_EQ(put_.revision().number(), 1u);
  ASSERT_EQ(CreateKey("db", "", true).grpc_code, kOk);
  EXPECT_EQ(LogSize(), 1u);
  EXPECT_EQ(GetKey("db").grpc_code, kNotFound);
  ASSERT_EQ(CreateKey("db").grpc_code, kOk);
  EXPECT_EQ(CreateKey("db", "", true).grpc_code, kAlreadyExists);
}

TEST_F(AdminServicesTest, ActWithoutItsRecordDoesNotHappen) {
  failpoints_.FailAt("admin.before_record");
  EXPECT_EQ(CreateKey("db").grpc_code, kUnavailable);
  EXPECT_EQ(GetKey("db").grpc_code, kNotFound);
  EXPECT_EQ(CreateKey("db").grpc_code, kOk);
}

TEST_F(AdminServicesTest, KeyIsBoundOnlyToAPolicyThatExistsAndGuardsIt) {
  EXPECT_EQ(CreateKey("db", "dev").grpc_code, kNotFound);
  ASSERT_EQ(PutPolicy(kPolicy).grpc_code, kOk);
  const auto reply = CreateKey("files", "dev");
  EXPECT_EQ(reply.grpc_code, kInvalidArgument);
  EXPECT_THAT(reply.error_message, HasSubstr("guards db, mail, not files"));
  EXPECT_EQ(CreateKey("db", "dev").grpc_code, kOk);
}

TEST_F(AdminServicesTest, TenantOfNobodyIsRefused) {
  EXPECT_EQ(CreateKey("tenants/other/keys/db").grpc_code, kNotFound);
  EXPECT_EQ(CreateKey("tenants/default/keys/db").grpc_code, kOk);
}

TEST_F(AdminServicesTest, RotationDemandsTheEtagThatWasRead) {
  ASSERT_EQ(CreateKey("db").grpc_code, kOk);
  v1::RotateKeyRequest request;
  v1::RotateKeyResponse response;
  request.set_name("db");
  request.set_etag(created_.key().etag());
  ASSERT_EQ(Admin("KeyAdmin/RotateKey", request, response).grpc_code, kOk);
  EXPECT_EQ(response.key().primary_version(), 2u);
  EXPECT_EQ(LastLeaf().admin_act().resource(), "tenants/default/keys/db/versions/2");
  EXPECT_EQ(Admin("KeyAdmin/RotateKey", request, response).grpc_code, kAborted);
  request.clear_etag();
  EXPECT_EQ(Admin("KeyAdmin/RotateKey", request, response).grpc_code, kOk);
}

TEST_F(AdminServicesTest, VersionIsDisabledAndEnabledButNotDestroyed) {
  ASSERT_EQ(CreateKey("db").grpc_code, kOk);
  v1::SetKeyVersionStateRequest request;
  v1::SetKeyVersionStateResponse response;
  request.set_name("db");
  request.set_version(1);
  request.set_state(v1::KEY_VERSION_STATE_DISABLED);
  ASSERT_EQ(Admin("KeyAdmin/SetKeyVersionState", request, response).grpc_code, kOk);
  EXPECT_EQ(response.key().versions(0).state(), v1::KEY_VERSION_STATE_DISABLED);
  EXPECT_EQ(LastLeaf().admin_act().action(), "KEY_VERSION_DISABLED");
  request.set_state(v1::KEY_VERSION_STATE_ENABLED);
  EXPECT_EQ(Admin("KeyAdmin/SetKeyVersionState", request, response).grpc_code, kOk);
  request.set_state(v1::KEY_VERSION_STATE_DESTROYED);
  EXPECT_EQ(Admin("KeyAdmin/SetKeyVersionState", request, response).grpc_code, kInvalidArgument);
}

TEST_F(AdminServicesTest, PagesOfKeysCoverThemAllOnce) {
  for (const char* name : {"e", "a", "d", "b", "c"}) ASSERT_EQ(CreateKey(name).grpc_code, kOk);
  v1::ListKeysRequest request;
  request.set_page_size(2);
  std::string names;
  int pages = 0;
  do {
    v1::ListKeysResponse response;
    ASSERT_EQ(Admin("KeyAdmin/ListKeys", request, response).grpc_code, kOk);
    for (const v1::Key& key : response.keys()) names += key.name().back();
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(names, "abcde");
  EXPECT_EQ(pages, 3);
}

TEST_F(AdminServicesTest, PolicyRevisionsAreNumberedAndGuardedAgainstLostUpdates) {
  ASSERT_EQ(PutPolicy(kPolicy).grpc_code, kOk);
  EXPECT_EQ(put_.revision().name(), "tenants/default/policies/dev/revisions/1");
  EXPECT_EQ(LastLeaf().admin_act().action(), "POLICY_PUT");
  const std::string second = std::string(kPolicy) + "# reviewed again\n";
  ASSERT_EQ(PutPolicy(second, 1).grpc_code, kOk);
  EXPECT_EQ(put_.revision().number(), 2u);
  EXPECT_EQ(PutPolicy(kPolicy, 1).grpc_code, kAborted);

  v1::GetPolicyRequest get;
  v1::GetPolicyResponse got;
  get.set_name("dev");
  ASSERT_EQ(Admin("PolicyAdmin/GetPolicy", get, got).grpc_code, kOk);
  EXPECT_EQ(got.revision().document(), second);
  get.set_name("tenants/default/policies/dev/revisions/1");
  ASSERT_EQ(Admin("PolicyAdmin/GetPolicy", get, got).grpc_code, kOk);
  EXPECT_EQ(got.revision().document(), kPolicy);
  EXPECT_THAT(got.revision().actor(), StartsWith("alice sha256:"));
  get.set_name("dev/revisions/0");
  EXPECT_EQ(Admin("PolicyAdmin/GetPolicy", get, got).grpc_code, kInvalidArgument);

  v1::ListPoliciesResponse list;
  ASSERT_EQ(Admin("PolicyAdmin/ListPolicies", v1::ListPoliciesRequest(), list).grpc_code, kOk);
  ASSERT_EQ(list.revisions_size(), 1);
  EXPECT_EQ(list.revisions(0).number(), 2u);
  EXPECT_EQ(list.revisions(0).document(), "");
}

TEST_F(AdminServicesTest, PolicyThatDoesNotCheckIsRefusedWithItsIssues) {
  const auto reply = PutPolicy("apiVersion: latchkey.dev/v1\nkind: ReleasePolicy\n");
  EXPECT_EQ(reply.grpc_code, kInvalidArgument);
  EXPECT_THAT(reply.error_message, HasSubstr("error"));
  EXPECT_EQ(LogSize(), 1u);
}

TEST_F(AdminServicesTest, WrappedDekHasItsRecordAndMovesNoEpoch) {
  ASSERT_EQ(CreateKey("db").grpc_code, kOk);
  const uint64_t epoch = LastLeaf().admin_act().epoch();
  v1::GenerateDataKeyRequest request;
  v1::GenerateDataKeyResponse response;
  request.set_key("db");
  (*request.mutable_context())["env"] = "prod";
  ASSERT_EQ(Admin("KeyWrap/GenerateDataKey", request, response).grpc_code, kOk);
  EXPECT_EQ(response.key_version(), "tenants/default/keys/db/versions/1");
  const v1::AdminAct act = LastLeaf().admin_act();
  EXPECT_EQ(act.action(), "DEK_GENERATED");
  EXPECT_EQ(act.state_digest(), ToBytes(crypto::Sha256(AsBytes(response.wrapped_dek()))));
  EXPECT_EQ(act.epoch(), epoch);

  v1::RotateKeyRequest rotate;
  v1::RotateKeyResponse rotated;
  rotate.set_name("db");
  ASSERT_EQ(Admin("KeyAdmin/RotateKey", rotate, rotated).grpc_code, kOk);
  v1::RewrapKeyRequest rewrap;
  v1::RewrapKeyResponse rewrapped;
  rewrap.set_key("db");
  rewrap.set_wrapped_dek(response.wrapped_dek());
  ASSERT_EQ(Admin("KeyWrap/RewrapKey", rewrap, rewrapped).grpc_code, kOk);
  EXPECT_EQ(rewrapped.key_version(), "tenants/default/keys/db/versions/2");

  request.set_size_bytes(20);
  EXPECT_EQ(Admin("KeyWrap/GenerateDataKey", request, response).grpc_code, kInvalidArgument);
}

TEST_F(AdminServicesTest, WrappingKeyIsAnX25519Recipient) {
  v1::GetWrappingKeyResponse response;
  ASSERT_EQ(Admin("KeyWrap/GetWrappingKey", v1::GetWrappingKeyRequest(), response).grpc_code, kOk);
  EXPECT_EQ(response.recipient().scheme(), v1::RECIPIENT_SCHEME_HPKE_X25519);
  EXPECT_EQ(response.recipient().public_key().size(), 32u);
}

TEST_F(AdminServicesTest, LogIsReadWithCheckpointAndProof) {
  ASSERT_EQ(CreateKey("db").grpc_code, kOk);
  v1::ListLeavesRequest list;
  v1::ListLeavesResponse leaves;
  list.set_count(1);
  ASSERT_EQ(Admin("Audit/ListLeaves", list, leaves).grpc_code, kOk);
  EXPECT_EQ(leaves.leaves_size(), 1);
  EXPECT_EQ(leaves.size(), 2u);
  v1::GetCheckpointResponse checkpoint;
  ASSERT_EQ(Admin("Audit/GetCheckpoint", v1::GetCheckpointRequest(), checkpoint).grpc_code, kOk);
  EXPECT_THAT(checkpoint.checkpoint(), StartsWith("latchkey.dev/log/test/default\n2\n"));
  v1::GetInclusionProofRequest prove;
  v1::GetInclusionProofResponse proof;
  prove.set_leaf_index(1);
  ASSERT_EQ(Admin("Audit/GetInclusionProof", prove, proof).grpc_code, kOk);
  EXPECT_EQ(proof.receipt().inclusion_proof_size(), 1);
}

TEST_F(AdminServicesTest, DecisionThatIsNotThereIsSaidSo) {
  v1::GetDecisionRequest request;
  v1::GetDecisionResponse response;
  request.set_decision_id("00112233445566778899aabbccddeeff");
  EXPECT_EQ(Admin("Audit/GetDecision", request, response).grpc_code, kNotFound);
  request.set_decision_id("0011");
  EXPECT_EQ(Admin("Audit/GetDecision", request, response).grpc_code, kInvalidArgument);
}

}  // namespace
}  // namespace latchkey::server
