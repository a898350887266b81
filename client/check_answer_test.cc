#include "client/check_answer.h"

#include "client/fake_broker.h"
#include "client/refusal.h"
#include "crypto/hpke.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/merkle.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::client {
namespace {

using testing::HasSubstr;

// Two items asked and answered; each test changes one thing.
class CheckAnswerTest : public testing::Test {
 protected:
  CheckAnswerTest()
      : key_(crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kX25519, random_)),
        pins_(broker_.pins()) {
    request_.set_tenant("default");
    request_.set_challenge("a challenge");
    request_.mutable_recipient()->set_scheme(v1::RECIPIENT_SCHEME_HPKE_X25519);
    request_.mutable_recipient()->set_public_key(key_.public_key());
    AddItem("payments", "wrapped-a");
    AddItem("ledger", "wrapped-b");
  }

  v1::ReleaseItem& AddItem(const std::string& key, const Bytes& wrapped) {
    v1::ReleaseItem& item = *request_.add_items();
    item.set_key(key);
    item.set_wrapped_dek(wrapped);
    (*item.mutable_context())["environment"] = "prod";
    return item;
  }

  absl::StatusOr<CheckedAnswer> Check() {
    const auto response = broker_.Release(request_);
    if (!response.ok()) return response.status();
    return CheckAnswer(pins_, request_, *response);
  }

  auto Open(const CheckedAnswer& answer) {
    return answer.Open([&](ByteView encapsulation, const crypto::Sha256Digest& digest) {
      return protocol::MakeHpkeOpener(key_, encapsulation, digest);
    });
  }

  void EditBody(std::function<void(v1::StatementBody&)> edit) {
    broker_.edit_body = std::move(edit);
  }
  void EditItem(std::function<void(v1::StatementItem&)> edit) {
    broker_.edit_body = [edit](v1::StatementBody& body) { edit(*body.mutable_items(1)); };
  }
  void EditResponse(std::function<void(v1::ReleaseKeysResponse&)> edit) {
    broker_.edit_response = std::move(edit);
  }

  SeededRandom random_;
  FakeBroker broker_{random_};
  crypto::HpkePrivateKey key_;
  Pins pins_;
  v1::ReleaseKeysRequest request_;
};

TEST_F(CheckAnswerTest, AnHonestAnswerOpens) {
  const auto answer = Check();
  ASSERT_THAT(answer, IsOk());
  const auto opened = Open(*answer);
  ASSERT_THAT(opened, IsOk());
  ASSERT_EQ(opened->size(), 2);
  EXPECT_EQ(AsText((*opened)[0]->dek.view()), std::string(32, 'a'));
  EXPECT_EQ(AsText((*opened)[1]->dek.view()), std::string(16, 'b'));
  EXPECT_EQ((*opened)[1]->key_version, "tenants/default/keys/ledger/versions/1");
}

TEST_F(CheckAnswerTest, ARefusedItemIsItsRefusalAndTheOtherOpens) {
  request_.mutable_items(0)->set_wrapped_dek("unknown");
  const auto answer = Check();
  ASSERT_THAT(answer, IsOk());
  const auto opened = Open(*answer);
  ASSERT_THAT(opened, IsOk());
  const auto refusal = RefusalOf((*opened)[0].status());
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason(), v1::WIRE_REASON_KEY_NOT_RELEASABLE);
  EXPECT_EQ(refusal->decision_id(), answer->decision_id());
  EXPECT_EQ(AsText((*opened)[1]->dek.view()), std::string(16, 'b'));
}

TEST_F(CheckAnswerTest, AGeneratedDekComesWithItsWrappedForm) {
  request_.mutable_items(0)->mutable_generate()->set_size_bytes(64);
  const auto answer = Check();
  ASSERT_THAT(answer, IsOk());
  const auto opened = Open(*answer);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ((*opened)[0]->dek.size(), 64);
  EXPECT_EQ((*opened)[0]->wrapped_dek, "generated");
}

TEST_F(CheckAnswerTest, AnotherWrappedFormOfAGeneratedDekIsNoticed) {
  request_.mutable_items(0)->mutable_generate()->set_size_bytes(64);
  EditResponse([](auto& response) {
    response.mutable_items(0)->mutable_released()->set_wrapped_dek("another");
  });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_WRAPPED_DEK"));
}

TEST_F(CheckAnswerTest, AnotherDeploymentIsNoticed) {
  EditBody([](auto& body) { body.set_deployment_id("fake-2"); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_DEPLOYMENT"));
}

TEST_F(CheckAnswerTest, AnotherTenantIsNoticed) {
  EditBody([](auto& body) { body.set_tenant("other"); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_TENANT"));
}

TEST_F(CheckAnswerTest, AnotherRecipientIsNoticed) {
  EditBody([](auto& body) { body.set_recipient_digest(Bytes(32, 'x')); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_RECIPIENT"));
}

TEST_F(CheckAnswerTest, AnotherBindingIsNoticed) {
  EditBody([](auto& body) { body.set_binding_digest(Bytes(32, 'x')); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_BINDING"));
}

TEST_F(CheckAnswerTest, AnAnswerToAnotherChallengeIsNoticed) {
  const auto response = broker_.Release(request_);
  ASSERT_THAT(response, IsOk());
  ASSERT_THAT(CheckAnswer(pins_, request_, *response), IsOk());
  request_.set_challenge("another challenge");
  EXPECT_THAT(CheckAnswer(pins_, request_, *response), HasReason("ANSWER_OTHER_BINDING"));
}

TEST_F(CheckAnswerTest, AnotherKeyIsNoticed) {
  EditItem([](auto& item) { item.set_key_version("tenants/default/keys/payments/versions/1"); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_KEY"));
}

TEST_F(CheckAnswerTest, AKeyOfWhichOursIsAPrefixIsNoticed) {
  EditItem([](auto& item) { item.set_key_version("tenants/default/keys/ledger-2/versions/1"); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_KEY"));
}

TEST_F(CheckAnswerTest, AReleasedItemMustNameAVersion) {
  EditItem([](auto& item) { item.set_key_version("tenants/default/keys/ledger"); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_KEY"));
}

TEST_F(CheckAnswerTest, AnotherVersionOfTheKeyIsAccepted) {
  EditItem([](auto& item) { item.set_key_version("tenants/default/keys/ledger/versions/12"); });
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(CheckAnswerTest, AnotherWrappedDekIsNoticed) {
  EditItem([](auto& item) { item.set_wrapped_dek_digest(Bytes(32, 'x')); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_WRAPPED_DEK"));
}

TEST_F(CheckAnswerTest, AnotherContextIsNoticed) {
  EditItem([](auto& item) { item.set_context_digest(Bytes(32, 'x')); });
  EXPECT_THAT(Check(), HasReason("ANSWER_OTHER_CONTEXT"));
}

TEST_F(CheckAnswerTest, AnAnswerThatHidesARecordedReleaseIsNoticed) {
  EditResponse([](auto& response) {
    response.mutable_items(1)->mutable_refusal()->set_reason(v1::WIRE_REASON_POLICY_REFUSED);
  });
  EXPECT_THAT(Check(), HasReason("ANSWER_OUTCOME"));
}

TEST_F(CheckAnswerTest, AnotherReasonThanRecordedIsNoticed) {
  request_.mutable_items(0)->set_wrapped_dek("unknown");
  EditResponse([](auto& response) {
    response.mutable_items(0)->mutable_refusal()->set_reason(v1::WIRE_REASON_UNAVAILABLE);
  });
  EXPECT_THAT(Check(), HasReason("ANSWER_OUTCOME"));
}

TEST_F(CheckAnswerTest, ADekPutInItsPlaceIsNoticed) {
  EditResponse([this](auto& response) {
    // A man in the middle knows the recipient's public key and can seal a DEK of his own to it.
    auto planted = protocol::MakeItemSealer(
        protocol::Scheme::kHpkeX25519, AsBytes(request_.recipient().public_key()), {}, random_);
    response.set_encapsulation((*planted)->encapsulation());
    response.mutable_items(1)->mutable_released()->set_sealed_dek(
        (*planted)->Seal({}, AsBytes("planted DEK 1234")));
  });
  EXPECT_THAT(Check(), HasReason("ANSWER_SEALED_DIGEST"));
}

TEST_F(CheckAnswerTest, ExchangedItemsAreNoticed) {
  EditResponse([](auto& response) { response.mutable_items()->SwapElements(0, 1); });
  EXPECT_THAT(Check(), HasReason("ANSWER_SEALED_DIGEST"));
}

TEST_F(CheckAnswerTest, AMissingItemIsNoticed) {
  EditResponse([](auto& response) { response.mutable_items()->RemoveLast(); });
  EXPECT_THAT(Check(), HasReason("ANSWER_ITEM_COUNT"));
}

TEST_F(CheckAnswerTest, ALeafThatIsNoStatementIsNoticed) {
  EditResponse([](auto& response) { response.set_leaf("\x1a\x00"); });
  EXPECT_THAT(Check(), HasReason("ANSWER_MALFORMED"));
}

TEST_F(CheckAnswerTest, ALeafThatTheReceiptDoesNotProveIsNoticed) {
  EditResponse([](auto& response) {
    Bytes& hash = *response.mutable_receipt()->mutable_inclusion_proof(0);
    hash[0] = static_cast<char>(hash[0] ^ 1);
  });
  EXPECT_THAT(Check(), HasReason("ANSWER_NOT_RECORDED"));
}

TEST_F(CheckAnswerTest, AReceiptForAnotherIndexIsNoticed) {
  EditResponse([](auto& response) { response.mutable_receipt()->set_leaf_index(2); });
  EXPECT_THAT(Check(), HasReason("ANSWER_NOT_RECORDED"));
}

TEST_F(CheckAnswerTest, AShortHashInTheProofIsNoticed) {
  EditResponse(
      [](auto& response) { response.mutable_receipt()->mutable_inclusion_proof(0)->pop_back(); });
  EXPECT_THAT(Check(), HasReason("ANSWER_NOT_RECORDED"));
}

TEST_F(CheckAnswerTest, AnAnswerWithoutAReceiptIsRefused) {
  EditResponse([](auto& response) { response.clear_receipt(); });
  EXPECT_THAT(Check(), HasReason("ANSWER_NOT_RECORDED"));
}

TEST_F(CheckAnswerTest, ACheckpointByAnotherKeyIsNoticed) {
  broker_.sign_with_other_key = true;
  EXPECT_THAT(Check(), HasReason("ANSWER_NOT_RECORDED"));
}

TEST_F(CheckAnswerTest, ACheckpointOfAnotherTenantsLogIsNoticed) {
  broker_.origin = "latchkey.dev/log/fake-1/other";
  EXPECT_THAT(Check(), HasReason("ANSWER_NOT_RECORDED"));
}

TEST_F(CheckAnswerTest, AnotherEncapsulationDoesNotOpen) {
  EditResponse([this](auto& response) {
    const auto other = crypto::HpkePrivateKey::Generate(crypto::HpkeKem::kX25519, random_);
    response.set_encapsulation(other.public_key());
  });
  const auto answer = Check();
  ASSERT_THAT(answer, IsOk());
  EXPECT_THAT(Open(*answer), HasReason("ANSWER_DOES_NOT_OPEN"));
}

TEST_F(CheckAnswerTest, ADekSealedBesideAnotherRecordDoesNotOpen) {
  EditBody([](auto& body) { body.set_details_digest(Bytes(32, 'x')); });
  const auto other = broker_.Release(request_);
  ASSERT_THAT(other, IsOk());
  EXPECT_THAT(CheckAnswer(pins_, request_, *other), IsOk());
  EditBody([](auto&) {});
  EditResponse([&](auto& response) {
    response.set_encapsulation(other->encapsulation());
    *response.mutable_items() = other->items();
  });
  EXPECT_THAT(Check(), HasReason("ANSWER_SEALED_DIGEST"));
}

TEST_F(CheckAnswerTest, ErrorsSayThatNothingWasOpened) {
  EditBody([](auto& body) { body.set_tenant("other"); });
  const auto answer = Check();
  EXPECT_THAT(answer,
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("nothing was opened")));
  EXPECT_EQ(ExitCodeOf(answer.status()), ExitCode::kNotAccepted);
}

TEST_F(CheckAnswerTest, AnItemThatWantsNothingIsMalformed) {
  request_.mutable_items(0)->clear_wrapped_dek();
  EXPECT_THAT(RequestItems(request_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("give the wrapped DEK")));
}

}  // namespace
}  // namespace latchkey::client
