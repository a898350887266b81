// Computes every value of the worked examples in docs/formats again. A page whose text and example
// part ways from the code fails here, and so does an example value that no test looks at.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "crypto/hpke.h"
#include "crypto/kdf.h"
#include "gtest/gtest.h"
#include "protocol/binding.h"
#include "protocol/checkpoint.h"
#include "protocol/merkle.h"
#include "protocol/names.h"
#include "protocol/sealed_item.h"
#include "protocol/statement.h"
#include "tests/support/matchers.h"

namespace latchkey::protocol {
namespace {

std::string ReadPage(const std::string& page) {
  std::ifstream in("docs/formats/" + page + ".md");
  EXPECT_TRUE(in) << "docs/formats/" << page
                  << ".md cannot be read; run the test from the source root";
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The text of the `number`th block that opens with ```kind.
std::string FencedBlock(const std::string& page, const std::string& kind, int number = 0) {
  const std::string text = ReadPage(page);
  const std::string open = "\n```" + kind + "\n";
  size_t begin = text.find(open);
  for (; number > 0 && begin != std::string::npos; --number) begin = text.find(open, begin + 1);
  if (begin == std::string::npos) {
    ADD_FAILURE() << page << " has no such block: " << kind;
    return "";
  }
  begin += open.size();
  return text.substr(begin, text.find("```\n", begin) - begin);
}

// One example block: name -> bytes (docs/formats/README.md, "Worked examples").
class Example {
 public:
  explicit Example(std::string page, int number = 0) : page_(std::move(page)) {
    std::string text = FencedBlock(page_, "example", number);
    for (size_t at = text.find("\n    "); at != std::string::npos; at = text.find("\n    "))
      text.erase(at, 5);
    while (!text.empty()) {
      const size_t end = text.find('\n');
      AddLine(text.substr(0, end));
      text.erase(0, end + 1);
    }
    for (const auto& [name, value] : values_) unread_.insert(name);
  }

  // Every value of the block must have been looked at.
  void ExpectAllRead() const {
    for (const std::string& name : unread_)
      ADD_FAILURE() << page_ << ": no test looks at \"" << name << "\"";
  }

  Bytes operator[](const std::string& name) {
    EXPECT_TRUE(values_.contains(name)) << page_ << " has no value \"" << name << "\"";
    unread_.erase(name);
    return values_[name];
  }
  crypto::Sha256Digest Digest(const std::string& name) {
    const Bytes bytes = (*this)[name];
    crypto::Sha256Digest digest{};
    EXPECT_EQ(bytes.size(), digest.size()) << page_ << ": " << name;
    if (bytes.size() == digest.size()) std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
  }

 private:
  void AddLine(const std::string& line) {
    const size_t equals = line.find(" =");
    ASSERT_NE(equals, std::string::npos) << page_ << ": " << line;
    std::string value = line.substr(equals + 2);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (value.starts_with('"')) {
      value = value.substr(1, value.size() - 2);
    } else {
      const auto bytes = HexDecode(value);
      ASSERT_THAT(bytes, IsOk()) << page_ << ": " << line;
      value = *bytes;
    }
    ASSERT_TRUE(values_.emplace(line.substr(0, equals), value).second)
        << page_ << ": twice: " << line;
  }

  std::string page_;
  std::map<std::string, Bytes> values_;
  std::set<std::string> unread_;
};

std::string Hex(const Bytes& bytes) { return HexEncode(AsBytes(bytes)); }
std::string Hex(ByteView bytes) { return HexEncode(bytes); }

const Context kCardContext = {{"environment", "prod"}, {"service", "card-vault"}};
const KeyName kCardDek{"payments", "card-dek"};

TEST(FormatsTest, Names) {
  Example example("names");
  const KeyName name{example["tenant"], example["key"]};
  EXPECT_EQ(name, kCardDek);
  EXPECT_EQ(name.Full(), example["full name"]);
  EXPECT_EQ(name.Version(3), example["version 3"]);
  EXPECT_THAT(ParseKeyName(example["full name"], "default"), IsOkAndHolds(name));
  const Context context = {{"environment", example["context.environment"]},
                           {"service", example["context.service"]}};
  EXPECT_EQ(context, kCardContext);
  EXPECT_EQ(Hex(EncodeContext(context)), Hex(example["encoded context"]));
  example.ExpectAllRead();
}

TEST(FormatsTest, RequestDigest) {
  Example example("request_digest");
  const std::string tenant = example["tenant"];
  Bytes hashed = "latchkey/v1/request";
  AppendLp(hashed, tenant);
  AppendU32(hashed, 2);
  std::vector<RequestItem> items;
  for (const std::string item : {"item 0 ", "item 1 "}) {
    const Context context = items.empty() ? kCardContext : Context();
    EXPECT_EQ(Hex(EncodeContext(context)), Hex(example[item + "encoded context"]));
    const Bytes size = example[item + "size"];
    const uint32_t bytes = static_cast<uint8_t>(size.back());
    items.push_back({ParseKeyName(example[item + "key"], tenant).value(), context,
                     example[item + "wrapped DEK"], bytes});
    AppendLp(hashed, example[item + "key"]);
    AppendLp(hashed, example[item + "encoded context"]);
    AppendLp(hashed, example[item + "wrapped DEK"]);
    hashed += size;
  }
  EXPECT_EQ(Hex(hashed), Hex(example["hashed"]));
  EXPECT_EQ(Hex(crypto::Sha256(AsBytes(hashed))), Hex(example["request digest"]));
  EXPECT_EQ(Hex(RequestDigest(tenant, items)), Hex(example["request digest"]));
  example.ExpectAllRead();
}

TEST(FormatsTest, Binding) {
  Example example("binding");
  EXPECT_EQ(Hex(example["scheme"]), "0001");
  const Bytes recipient = example["recipient public key"];
  const auto private_key =
      crypto::HpkePrivateKey::Parse(crypto::HpkeKem::kX25519, AsBytes(Bytes(32, '\x11')));
  ASSERT_THAT(private_key, IsOk());
  EXPECT_EQ(Hex(private_key->public_key()), Hex(recipient));
  const Bytes transcript =
      BindingTranscript(example["deployment id"], AsBytes(example["challenge"]),
                        Scheme::kHpkeX25519, AsBytes(recipient), example.Digest("request digest"));
  EXPECT_EQ(Hex(transcript), Hex(example["T"]));
  EXPECT_EQ(Hex(ReportData(AsBytes(transcript))), Hex(example["report data"]));
  EXPECT_EQ(Hex(BindingDigest(AsBytes(transcript))), Hex(example["binding digest"]));
  EXPECT_EQ(Hex(RecipientDigest(Scheme::kHpkeX25519, AsBytes(recipient))),
            Hex(example["recipient digest"]));
  EXPECT_EQ(Hex(ContextSalt(AsBytes(transcript))), Hex(example["context salt"]));
  EXPECT_EQ(Hex(Example("request_digest")["request digest"]), Hex(example["request digest"]));
  example.ExpectAllRead();
}

// The body that the statement page describes in words.
v1::StatementBody ExampleBody() {
  const auto sha256 = [](std::string_view text) { return ToBytes(crypto::Sha256(AsBytes(text))); };
  Example binding("binding");
  const crypto::Sha256Digest salt = binding.Digest("context salt");
  v1::StatementBody body;
  body.set_format(1);
  body.set_deployment_id("prod-eu1");
  body.set_tenant("payments");
  for (char byte = 0x50; byte < 0x60; ++byte) body.mutable_decision_id()->push_back(byte);
  body.set_time_unix_us(1767225600000000);
  body.set_binding_digest(binding["binding digest"]);
  body.set_recipient_digest(binding["recipient digest"]);
  body.add_evidence_digests(sha256("evidence"));
  body.set_binding(v1::BINDING_HARDWARE);
  body.set_freshness(v1::FRESHNESS_CHALLENGE_IN_EVIDENCE);
  body.set_closure_digest(sha256("closure"));
  body.set_details_digest(sha256("details"));
  v1::StatementItem& released = *body.add_items();
  released.set_key_version(kCardDek.Version(3));
  released.set_wrapped_dek_digest(sha256(Example("request_digest")["item 0 wrapped DEK"]));
  released.set_context_digest(ToBytes(ContextDigest(salt, kCardContext)));
  released.set_custody_mode(v1::CUSTODY_MODE_WRAPPED);
  released.set_outcome(v1::OUTCOME_RELEASED);
  v1::StatementItem& refused = *body.add_items();
  refused.set_key_version("tenants/payments/keys/session");
  refused.set_wrapped_dek_digest(sha256(""));
  refused.set_context_digest(ToBytes(ContextDigest(salt, {})));
  refused.set_custody_mode(v1::CUSTODY_MODE_WRAPPED);
  refused.set_outcome(v1::OUTCOME_REFUSED);
  refused.set_reason(v1::WIRE_REASON_POLICY_REFUSED);
  return body;
}

TEST(FormatsTest, Statement) {
  Example example("statement");
  EXPECT_EQ(Hex(example["context salt"]), Hex(Example("binding")["context salt"]));
  EXPECT_EQ(Hex(EncodeContext(kCardContext)), Hex(example["encoded context"]));
  EXPECT_EQ(Hex(ContextDigest(example.Digest("context salt"), kCardContext)),
            Hex(example["context digest"]));

  const Bytes body = ExampleBody().SerializeAsString();
  EXPECT_EQ(Hex(body), Hex(example["body"]));
  EXPECT_EQ(Hex(ItemAssociatedData(0, AsBytes(body))), Hex(example["associated data of item 0"]));

  const std::vector<Bytes> sealed_digests = {example["sealed digest of item 0"],
                                             example["sealed digest of item 1"]};
  EXPECT_EQ(Hex(crypto::Sha256(AsBytes(Example("sealed_item")["sealed DEK"]))),
            Hex(sealed_digests[0]));
  EXPECT_EQ(Hex(MakeStatementLeaf(AsBytes(body), sealed_digests)), Hex(example["leaf"]));
  const auto read = ParseStatementLeaf(AsBytes(example["leaf"]));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->body_bytes, body);
  EXPECT_EQ(read->sealed_digests, sealed_digests);
  example.ExpectAllRead();
}

TEST(FormatsTest, SealedItemHpke) {
  Example example("sealed_item");
  EXPECT_EQ(Hex(example["binding digest"]), Hex(Example("binding")["binding digest"]));
  EXPECT_EQ(Hex(example["associated data"]),
            Hex(Example("statement")["associated data of item 0"]));
  const auto key = crypto::HpkePrivateKey::Parse(crypto::HpkeKem::kX25519,
                                                 AsBytes(example["recipient private key"]));
  ASSERT_THAT(key, IsOk());
  const auto opener =
      MakeHpkeOpener(*key, AsBytes(example["encapsulation"]), example.Digest("binding digest"));
  ASSERT_THAT(opener, IsOk());
  const auto dek =
      (*opener)->Open(AsBytes(example["associated data"]), AsBytes(example["sealed DEK"]));
  ASSERT_THAT(dek, IsOk());
  EXPECT_EQ(Hex(dek->view()), Hex(example["DEK"]));
  example.ExpectAllRead();
}

TEST(FormatsTest, SealedItemRsa) {
  Example example("sealed_item", 1);
  EXPECT_EQ(Hex(example["binding digest"]), Hex(Example("binding")["binding digest"]));
  const Bytes info = "latchkey/v1/rsa" + example["binding digest"];
  EXPECT_EQ(Hex(crypto::Hkdf(crypto::Hash::kSha256, ByteView(), AsBytes(example["secret"]),
                             AsBytes(info), 32)
                    .view()),
            Hex(example["key"]));
  const auto opener = MakeRsaOpener(SecretBytes::CopyOf(AsBytes(example["secret"])),
                                    example.Digest("binding digest"));
  ASSERT_THAT(opener, IsOk());
  for (const std::string sequence : {"0", "1"}) {
    const auto dek = (*opener)->Open(AsBytes(example["associated data"]),
                                     AsBytes(example["sealed DEK, sequence number " + sequence]));
    ASSERT_THAT(dek, IsOk());
    EXPECT_EQ(Hex(dek->view()), Hex(example["DEK"]));
  }
  example.ExpectAllRead();
}

TEST(FormatsTest, Checkpoint) {
  Example example("checkpoint");
  const auto key = crypto::PrivateKey::FromEd25519Seed(AsBytes(example["log private key"]));
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(Hex(key->public_key().Ed25519Raw()), Hex(example["log public key"]));
  const std::string origin = LogOrigin(example["deployment id"], example["tenant"]);
  EXPECT_EQ(
      Hex(crypto::Sha256(AsBytes(origin + "\n\x01" + example["log public key"]))).substr(0, 8),
      Hex(example["key hash"]));
  EXPECT_EQ(Hex(Example("inclusion_proof")["root of 3"]), Hex(example["root hash"]));

  const std::string note = FencedBlock("checkpoint", "note");
  const Checkpoint checkpoint{origin, std::stoull(example["tree size"]),
                              example.Digest("root hash")};
  EXPECT_EQ(SignCheckpoint(checkpoint, *key), note);
  const auto read = VerifyCheckpoint(note, origin, key->public_key());
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->size, checkpoint.size);
  EXPECT_EQ(read->root, checkpoint.root);
  example.ExpectAllRead();
}

TEST(FormatsTest, InclusionProof) {
  Example example("inclusion_proof");
  const Hash hashes[] = {example.Digest("leaf hash 0"), example.Digest("leaf hash 1"),
                         example.Digest("leaf hash 2")};
  EXPECT_EQ(Hex(LeafHash(AsBytes(example["leaf 0"]))), Hex(hashes[0]));
  EXPECT_EQ(Hex(LeafHash(AsBytes(Example("statement")["leaf"]))), Hex(hashes[1]));
  EXPECT_EQ(Hex(LeafHash(AsBytes("a third leaf"))), Hex(hashes[2]));
  const Hash root_2 = NodeHash(hashes[0], hashes[1]);
  const Hash root_3 = NodeHash(root_2, hashes[2]);
  EXPECT_EQ(Hex(root_2), Hex(example["root of 2"]));
  EXPECT_EQ(Hex(root_3), Hex(example["root of 3"]));

  EXPECT_EQ(Hex(example["proof of leaf 1 in 3"]), Hex(hashes[0]) + Hex(hashes[2]));
  EXPECT_THAT(VerifyInclusion(1, 3, hashes[1], {hashes[0], hashes[2]}, root_3), IsOk());
  EXPECT_EQ(Hex(example["consistency of 2 and 3"]), Hex(hashes[2]));
  EXPECT_THAT(VerifyConsistency(2, root_2, 3, root_3, {hashes[2]}), IsOk());

  v1::Leaf genesis;
  ASSERT_TRUE(genesis.ParseFromString(example["leaf 0"]));
  EXPECT_EQ(genesis.genesis().deployment_id(), "prod-eu1");
  EXPECT_EQ(Hex(genesis.genesis().log_public_key()), Hex(Example("checkpoint")["log public key"]));
  EXPECT_EQ(Hex(GenesisDigest(AsBytes(example["leaf 0"]))), Hex(example["genesis digest"]));
  example.ExpectAllRead();
}

TEST(FormatsTest, WrapKey) {
  Example example("wrap_key");
  EXPECT_EQ(example["key"], kCardDek.Full());
  EXPECT_EQ(Hex(example["encoded context"]), Hex(EncodeContext(kCardContext)));
  Bytes associated_data;
  AppendLp(associated_data, example["key"]);
  AppendLp(associated_data, example["encoded context"]);
  EXPECT_EQ(Hex(associated_data), Hex(example["associated data"]));
  const auto key = crypto::HpkePrivateKey::Parse(crypto::HpkeKem::kX25519,
                                                 AsBytes(example["wrapping private key"]));
  ASSERT_THAT(key, IsOk());
  EXPECT_EQ(Hex(key->public_key()), Hex(example["wrapping public key"]));
  const auto dek =
      DecryptDekForWrap(*key, kCardDek, kCardContext, AsBytes(example["encrypted DEK"]));
  ASSERT_THAT(dek, IsOk());
  EXPECT_EQ(Hex(dek->view()), Hex(example["DEK"]));
  example.ExpectAllRead();
}

}  // namespace
}  // namespace latchkey::protocol
