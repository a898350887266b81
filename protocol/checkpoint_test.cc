#include "protocol/checkpoint.h"

#include "gtest/gtest.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::protocol {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

const char kDash[] = "\xe2\x80\x94 ";

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() : key_(NewKey("log")), other_key_(NewKey("other")) {
    checkpoint_.origin = LogOrigin("prod", "default");
    checkpoint_.size = 42;
    checkpoint_.root = LeafHash(AsBytes("leaf"));
    note_ = SignCheckpoint(checkpoint_, key_);
  }

  static crypto::PrivateKey NewKey(std::string_view seed) {
    SeededRandom random(seed);
    return crypto::PrivateKey::GenerateEd25519(random);
  }

  absl::StatusOr<Checkpoint> Verify(const std::string& note) {
    return VerifyCheckpoint(note, checkpoint_.origin, key_.public_key());
  }

  // The note with the first `from` in it replaced.
  std::string With(const std::string& from, const std::string& to) {
    std::string note = note_;
    const size_t at = note.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return note.replace(at, from.size(), to);
  }

  // Signs any text as the log would, so that only the text is at fault.
  std::string SignText(const std::string& text) {
    const std::string line = note_.substr(note_.find(kDash));
    const Bytes hash =
        Base64Decode(line.substr(line.rfind(' ') + 1, line.size() - line.rfind(' ') - 2))
            ->substr(0, 4);
    return text + "\n" + kDash + checkpoint_.origin + " " +
           Base64Encode(
               AsBytes(hash + key_.Sign(crypto::SignatureAlgorithm::kEd25519, AsBytes(text)))) +
           "\n";
  }

  crypto::PrivateKey key_;
  crypto::PrivateKey other_key_;
  Checkpoint checkpoint_;
  std::string note_;
};

TEST_F(CheckpointTest, SignedNoteReadsBack) {
  const auto read = Verify(note_);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->origin, "latchkey.dev/log/prod/default");
  EXPECT_EQ(read->size, 42u);
  EXPECT_EQ(read->root, checkpoint_.root);
  EXPECT_EQ(note_.find("latchkey.dev/log/prod/default\n42\n"), 0u);
  EXPECT_THAT(Verify(SignText(note_.substr(0, note_.find("\n\n") + 1))), IsOk());
}

TEST_F(CheckpointTest, LargestTreeSizeReadsBackAndOneMoreIsRefused) {
  checkpoint_.size = UINT64_MAX;
  const auto read = Verify(SignCheckpoint(checkpoint_, key_));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->size, UINT64_MAX);
  EXPECT_THAT(Verify(SignText(checkpoint_.origin + "\n18446744073709551616\n" +
                              Base64Encode(checkpoint_.root) + "\n")),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("decimal")));
}

TEST_F(CheckpointTest, AnotherLogsCheckpointIsRefused) {
  EXPECT_THAT(VerifyCheckpoint(note_, LogOrigin("prod", "other"), key_.public_key()),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("another log")));
  EXPECT_THAT(VerifyCheckpoint(note_, LogOrigin("test", "default"), key_.public_key()),
              StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(CheckpointTest, AnotherKeysSignatureIsRefused) {
  EXPECT_THAT(VerifyCheckpoint(note_, checkpoint_.origin, other_key_.public_key()),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("not signed by the log key")));
}

TEST_F(CheckpointTest, KeyOfAnotherKindIsRefused) {
  const auto p256 = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
  EXPECT_THAT(VerifyCheckpoint(note_, checkpoint_.origin, p256.public_key()),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("Ed25519")));
}

TEST_F(CheckpointTest, EveryChangedCharacterIsRefused) {
  for (size_t i = 0; i < note_.size(); ++i) {
    std::string changed = note_;
    changed[i] ^= 1;
    EXPECT_FALSE(Verify(changed).ok()) << "offset " << i;
  }
}

TEST_F(CheckpointTest, EveryTruncatedNoteIsRefused) {
  for (size_t size = 0; size < note_.size(); ++size) {
    EXPECT_THAT(Verify(note_.substr(0, size)), StatusIs(StatusCode::kInvalidArgument)) << size;
  }
}

TEST_F(CheckpointTest, ChangedTreeSizeIsRefused) {
  EXPECT_THAT(Verify(With("\n42\n", "\n43\n")), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(CheckpointTest, WitnessSignaturesAreIgnoredWhereverTheyStand) {
  const std::string witness = std::string(kDash) + "witness.example/w1 " +
                              Base64Encode(AsBytes(std::string(76, 'w'))) + "\n";
  EXPECT_THAT(Verify(note_ + witness), IsOk());
  EXPECT_THAT(Verify(With(kDash, witness + kDash)), IsOk());
  // A witness alone proves nothing to us.
  EXPECT_THAT(Verify(note_.substr(0, note_.find(kDash)) + witness),
              StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(CheckpointTest, SignatureOfTheLogsNextKeyIsIgnored) {
  const std::string next = SignCheckpoint(checkpoint_, other_key_);
  EXPECT_THAT(Verify(note_ + next.substr(next.find(kDash))), IsOk());
}

TEST_F(CheckpointTest, FalseSignatureInTheLogsNameCondemnsTheNote) {
  const std::string line = note_.substr(note_.find(kDash));
  std::string forged = line;
  forged[line.size() - 20] = line[line.size() - 20] == 'A' ? 'B' : 'A';
  EXPECT_THAT(Verify(note_ + line), IsOk());
  EXPECT_THAT(Verify(note_ + forged),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("does not verify")));
}

TEST_F(CheckpointTest, TextThatIsNotExactlyThreeLinesIsRefusedThoughSigned) {
  const std::string root = Base64Encode(checkpoint_.root);
  const std::string& origin = checkpoint_.origin;
  ASSERT_THAT(Verify(SignText(origin + "\n42\n" + root + "\n")), IsOk());
  const std::string bad[] = {
      origin + "\n42\n",
      origin + "\n42\n" + root + "\nextension\n",
      origin + "\n042\n" + root + "\n",
      origin + "\n+42\n" + root + "\n",
      origin + "\n-1\n" + root + "\n",
      origin + "\n 42\n" + root + "\n",
      origin + "\n42 \n" + root + "\n",
      origin + "\n0x2a\n" + root + "\n",
      origin + "\n\n" + root + "\n",
      origin + "\n42\n" + root.substr(0, 43) + "\n",
      origin + "\n42\n" + Base64Encode(AsBytes(std::string(31, 'r'))) + "\n",
      origin + "\n42\n" + Base64Encode(AsBytes(std::string(33, 'r'))) + "\n",
      origin + "\n42\r\n" + root + "\n",
      "\n42\n" + root + "\n",
  };
  for (const std::string& text : bad) {
    EXPECT_THAT(Verify(SignText(text)), StatusIs(StatusCode::kInvalidArgument))
        << testing::PrintToString(text);
  }
}

TEST_F(CheckpointTest, MalformedSignatureLinesAreRefused) {
  const std::string good = Base64Encode(AsBytes(std::string(68, 's')));
  ASSERT_THAT(Verify(note_ + kDash + "other " + good + "\n"), IsOk());
  const std::string bad[] = {
      "- other " + good + "\n",
      kDash + good + "\n",
      std::string(kDash) + " " + good + "\n",
      std::string(kDash) + "a+b " + good + "\n",
      std::string(kDash) + "other  " + good + "\n",
      std::string(kDash) + "other " + good + " \n",
      std::string(kDash) + "other " + good,
      std::string(kDash) + "other " + Base64Encode(AsBytes("hash")) + "\n",
      std::string(kDash) + "other " + good.substr(1) + "\n",
      "\n",
  };
  for (const std::string& line : bad) {
    EXPECT_THAT(Verify(note_ + line), StatusIs(StatusCode::kInvalidArgument))
        << testing::PrintToString(line);
  }
}

TEST_F(CheckpointTest, OversizedNotesAreRefusedBeforeTheyAreRead) {
  const std::string line =
      std::string(kDash) + "w " + Base64Encode(AsBytes(std::string(68, 's'))) + "\n";
  std::string note = note_;
  for (int i = 0; i < 63; ++i) note += line;
  EXPECT_THAT(Verify(note), IsOk());
  EXPECT_THAT(Verify(note + line), StatusIs(StatusCode::kInvalidArgument, HasSubstr("too many")));
  EXPECT_THAT(Verify(note_ + std::string(1 << 20, 'x')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("at most")));
}

}  // namespace
}  // namespace latchkey::protocol
