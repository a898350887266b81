#include "protocol/statement.h"

#include <functional>
#include <set>

#include "gtest/gtest.h"
#include "tests/support/matchers.h"

namespace latchkey::protocol {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

const Bytes kDigest(32, 'd');

class StatementTest : public testing::Test {
 protected:
  StatementTest() {
    body_.set_format(1);
    body_.set_deployment_id("prod");
    body_.set_tenant("default");
    body_.set_decision_id(Bytes(16, 'i'));
    body_.set_time_unix_us(1767225600000000);
    body_.set_binding_digest(kDigest);
    body_.set_recipient_digest(kDigest);
    body_.add_evidence_digests(kDigest);
    body_.set_binding(v1::BINDING_HARDWARE);
    body_.set_freshness(v1::FRESHNESS_CHALLENGE_IN_EVIDENCE);
    body_.set_closure_digest(kDigest);
    body_.set_details_digest(kDigest);
    v1::StatementItem& released = *body_.add_items();
    released.set_key_version("tenants/default/keys/db/versions/1");
    released.set_wrapped_dek_digest(kDigest);
    released.set_context_digest(kDigest);
    released.set_custody_mode(v1::CUSTODY_MODE_WRAPPED);
    released.set_outcome(v1::OUTCOME_RELEASED);
    v1::StatementItem& refused = *body_.add_items();
    refused = released;
    refused.set_outcome(v1::OUTCOME_REFUSED);
    refused.set_reason(v1::WIRE_REASON_POLICY_REFUSED);
  }

  Bytes Leaf() const {
    return MakeStatementLeaf(AsBytes(body_.SerializeAsString()), sealed_digests_);
  }
  absl::StatusOr<StatementLeaf> Parse() const { return ParseStatementLeaf(AsBytes(Leaf())); }

  v1::StatementBody body_;
  std::vector<Bytes> sealed_digests_ = {kDigest, Bytes()};
};

TEST_F(StatementTest, LeafReadsBackAsSent) {
  const auto read = Parse();
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->body_bytes, body_.SerializeAsString());
  EXPECT_EQ(read->body.tenant(), "default");
  EXPECT_EQ(read->body.items(1).reason(), v1::WIRE_REASON_POLICY_REFUSED);
  EXPECT_EQ(read->sealed_digests, sealed_digests_);
}

TEST_F(StatementTest, ReleasedItemNeedsItsSealedDigest) {
  for (const size_t size : {0, 31, 33}) {
    sealed_digests_[0] = Bytes(size, 'd');
    EXPECT_THAT(Parse(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("item 0: sealed digest")))
        << size;
  }
}

TEST_F(StatementTest, RefusedItemMayNotHaveASealedDigest) {
  sealed_digests_[1] = kDigest;
  EXPECT_THAT(Parse(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("refused item")));
}

TEST_F(StatementTest, SealedDigestsAreAsManyAsItems) {
  sealed_digests_.push_back(Bytes());
  EXPECT_THAT(Parse(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("3 sealed digests for 2 items")));
  sealed_digests_.resize(1);
  EXPECT_THAT(Parse(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1 sealed digests for 2 items")));
}

TEST_F(StatementTest, EveryDigestAndTheIdHaveTheirSize) {
  const v1::StatementBody good = body_;
  const std::function<Bytes*(v1::StatementBody&)> fields[] = {
      [](auto& body) { return body.mutable_decision_id(); },
      [](auto& body) { return body.mutable_binding_digest(); },
      [](auto& body) { return body.mutable_recipient_digest(); },
      [](auto& body) { return body.mutable_evidence_digests(0); },
      [](auto& body) { return body.mutable_closure_digest(); },
      [](auto& body) { return body.mutable_details_digest(); },
      [](auto& body) { return body.mutable_items(0)->mutable_wrapped_dek_digest(); },
      [](auto& body) { return body.mutable_items(0)->mutable_context_digest(); },
      [](auto& body) { return body.mutable_items(1)->mutable_wrapped_dek_digest(); },
      [](auto& body) { return body.mutable_items(1)->mutable_context_digest(); },
  };
  for (size_t i = 0; i < std::size(fields); ++i) {
    body_ = good;
    fields[i](body_)->pop_back();
    EXPECT_THAT(Parse(), StatusIs(StatusCode::kInvalidArgument)) << "shortened field " << i;
    body_ = good;
    fields[i](body_)->push_back('x');
    EXPECT_THAT(Parse(), StatusIs(StatusCode::kInvalidArgument)) << "lengthened field " << i;
  }
}

TEST_F(StatementTest, OtherFormatsAreRefused) {
  for (const uint32_t format : {0u, 2u}) {
    body_.set_format(format);
    EXPECT_THAT(Parse(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("format"))) << format;
  }
}

TEST_F(StatementTest, ItemCountIsOneTo256) {
  const v1::StatementItem refused = body_.items(1);
  body_.clear_items();
  sealed_digests_.clear();
  EXPECT_THAT(Parse(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("0 items")));
  for (int i = 0; i < 256; ++i) *body_.add_items() = refused;
  sealed_digests_.resize(256);
  EXPECT_THAT(Parse(), IsOk());
  *body_.add_items() = refused;
  sealed_digests_.resize(257);
  EXPECT_THAT(Parse(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("257 items")));
}

TEST_F(StatementTest, ItemWithoutOutcomeIsRefused) {
  body_.mutable_items(1)->clear_outcome();
  EXPECT_THAT(Parse(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("neither released nor refused")));
}

TEST_F(StatementTest, LeafOfAnotherKindIsRefused) {
  v1::Leaf leaf;
  leaf.mutable_admin_act()->set_format(1);
  EXPECT_THAT(ParseStatementLeaf(AsBytes(leaf.SerializeAsString())),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("another kind")));
  EXPECT_THAT(ParseStatementLeaf(ByteView()), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseStatementLeaf(AsBytes("\xff\xff")), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(StatementTest, LeafHasOneEncoding) {
  const Bytes leaf = Leaf();
  // Protobuf would merge two statements into one, and skip a field it does not know.
  EXPECT_THAT(ParseStatementLeaf(AsBytes(leaf + leaf)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("canonical")));
  EXPECT_THAT(ParseStatementLeaf(AsBytes(leaf + Bytes("\xf8\x01\x01"))),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("canonical")));
}

TEST_F(StatementTest, TruncatedLeafIsRefused) {
  const Bytes leaf = Leaf();
  for (size_t size = 0; size < leaf.size(); ++size) {
    EXPECT_THAT(ParseStatementLeaf(AsBytes(leaf).first(size)),
                StatusIs(StatusCode::kInvalidArgument))
        << size;
  }
}

TEST_F(StatementTest, AssociatedDataCoversTheIndexAndEveryBitOfTheBody) {
  const Bytes body = body_.SerializeAsString();
  std::set<crypto::Sha256Digest> seen = {ItemAssociatedData(0, AsBytes(body)),
                                         ItemAssociatedData(1, AsBytes(body)),
                                         ItemAssociatedData(256, AsBytes(body))};
  for (size_t bit = 0; bit < body.size() * 8; ++bit) {
    Bytes changed = body;
    changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
    seen.insert(ItemAssociatedData(0, AsBytes(changed)));
  }
  EXPECT_EQ(seen.size(), 3 + body.size() * 8);
}

TEST_F(StatementTest, AssociatedDataDoesNotDependOnTheSealedDigests) {
  // They are made after the items are sealed.
  const auto before = Parse();
  sealed_digests_[0] = Bytes(32, 'e');
  const auto after = Parse();
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(ItemAssociatedData(0, AsBytes(before->body_bytes)),
            ItemAssociatedData(0, AsBytes(after->body_bytes)));
}

TEST_F(StatementTest, GenesisDigestIsOverTheExactLeaf) {
  EXPECT_EQ(GenesisDigest(AsBytes("leaf 0")), crypto::Sha256(AsBytes("leaf 0")));
}

}  // namespace
}  // namespace latchkey::protocol
