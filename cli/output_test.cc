#include "cli/output.h"

#include "base/reason.h"
#include "cli/evidence_input.h"
#include "cli/files.h"
#include "cli/log_export.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/matchers.h"

namespace latchkey::cli {
namespace {

using testing::HasSubstr;

const Record kRecord = {{"name", "payments"},
                        {"version", 12},
                        {"note", "true"},
                        {"labels", {{"team", "cards"}}},
                        {"clauses", {"first", "second"}}};

TEST(OutputTest, ATableHasALineAMember) {
  EXPECT_EQ(FormatRecord(Format::kTable, kRecord),
            "name:    payments\n"
            "version: 12\n"
            "note:    true\n"
            "labels:  team=cards\n"
            "clauses:\n"
            "  first\n"
            "  second\n");
}

TEST(OutputTest, YamlKeepsTextText) {
  const std::string yaml = FormatRecord(Format::kYaml, kRecord);
  EXPECT_THAT(yaml, HasSubstr("version: 12\n"));
  EXPECT_THAT(yaml, HasSubstr("note: \"true\"\n"));
}

TEST(OutputTest, JsonKeepsTheOrderOfMembers) {
  EXPECT_THAT(FormatRecord(Format::kJson, kRecord),
              HasSubstr("\"name\": \"payments\",\n  \"version\": 12"));
}

TEST(OutputTest, RowsAreAligned) {
  const Record rows = {{{"index", 9}, {"what", "created"}}, {{"index", 10}, {"what", "rotated"}}};
  EXPECT_EQ(FormatRecords(Format::kTable, rows),
            "INDEX  WHAT\n"
            "9      created\n"
            "10     rotated\n");
}

TEST(OutputTest, ControlCharactersOfOthersAreMadeVisible) {
  EXPECT_EQ(FormatRecord(Format::kTable, {{"issuer", "a\x1b[2Jb\n"}}), "issuer: a\\x1b[2Jb\\x0a\n");
}

TEST(OutputTest, ARefusalIsOneLineWithReasonRemedyAndDecision) {
  v1::Refusal refusal;
  refusal.set_reason(v1::WIRE_REASON_POLICY_REFUSED);
  refusal.set_message("the release policy does not permit this machine");
  refusal.set_remedy("ask an auditor");
  refusal.set_decision_id("00ff");
  testing::internal::CaptureStderr();
  const ExitCode code = PrintError(client::StatusOfRefusal(refusal));
  EXPECT_EQ(
      testing::internal::GetCapturedStderr(),
      "refused: POLICY_REFUSED: the release policy does not permit this machine; ask an auditor "
      "(decision 00ff)\n");
  EXPECT_EQ(code, ExitCode::kRefusedByPolicy);
}

TEST(OutputTest, ErrorsHaveTheirExitCodes) {
  const auto code_of = [](const absl::Status& status) {
    testing::internal::CaptureStderr();
    const ExitCode code = PrintError(status);
    testing::internal::GetCapturedStderr();
    return code;
  };
  EXPECT_EQ(code_of(UsageError("x")), ExitCode::kUsage);
  EXPECT_EQ(code_of(ErrorWithExit(ExitCode::kFindings, "x")), ExitCode::kFindings);
  EXPECT_EQ(code_of(absl::NotFoundError("x")), ExitCode::kNotFound);
  EXPECT_EQ(code_of(absl::AlreadyExistsError("x")), ExitCode::kConflict);
  EXPECT_EQ(code_of(absl::AbortedError("x")), ExitCode::kConflict);
  EXPECT_EQ(code_of(absl::UnavailableError("x")), ExitCode::kUnavailable);
  EXPECT_EQ(code_of(Refuse(absl::StatusCode::kUnauthenticated, "BAD_SIGNATURE", "x")),
            ExitCode::kNotAccepted);
  EXPECT_EQ(code_of(absl::InternalError("x")), ExitCode::kError);
}

TEST(FilesTest, PairsAreReadOnceEach) {
  EXPECT_THAT(ParsePairs("--context", {"a=1", "b=x=y", "c="}),
              IsOkAndHolds(protocol::Context{{"a", "1"}, {"b", "x=y"}, {"c", ""}}));
  for (const char* bad : {"a", "=1", ""}) EXPECT_FALSE(ParsePairs("--context", {bad}).ok()) << bad;
  EXPECT_FALSE(ParsePairs("--context", {"a=1", "a=2"}).ok());
}

TEST(FilesTest, TimesAreReadInBothForms) {
  EXPECT_THAT(ParseTime("2025-06-30T12:00:00Z"), IsOkAndHolds(absl::FromUnixSeconds(1751284800)));
  EXPECT_THAT(ParseTime("2025-06-30"), IsOkAndHolds(absl::FromUnixSeconds(1751241600)));
  EXPECT_FALSE(ParseTime("yesterday").ok());
}

TEST(LogExportTest, ALogReadsBackAsItWasWritten) {
  const std::string file = testing::TempDir() + "/latchkey_log.jsonl";
  const LogExport log{.origin = "o", .checkpoint = "c\n", .leaves = {Bytes("\0\xff", 2), "leaf"}};
  ASSERT_THAT(WriteLogExport(file, log), IsOk());
  const auto back = ReadLogExport(file);
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(back->origin, log.origin);
  EXPECT_EQ(back->checkpoint, log.checkpoint);
  EXPECT_EQ(back->leaves, log.leaves);
}

TEST(LogExportTest, LeavesOutOfOrderAreRefusedWithTheirLine) {
  const std::string file = testing::TempDir() + "/latchkey_disorder.jsonl";
  ASSERT_THAT(
      WriteTextFile(file,
                    "{\"origin\": \"o\", \"checkpoint\": \"c\"}\n{\"index\": 1, \"leaf\": \"\"}\n"),
      IsOk());
  EXPECT_THAT(ReadLogExport(file), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("line 2: leaf 1 where leaf 0")));
}

TEST(EvidenceInputTest, ReportsComeRawInHexAndInABundle) {
  EXPECT_EQ(ParseSnpEvidence("\x02raw")->bytes, "\x02raw");
  EXPECT_EQ(ParseSnpEvidence("0a0B\n0c\n")->bytes, "\n\x0b\f");
  const auto bundle = ParseSnpEvidence(R"({"outblob": "AQI=", "auxblob": "AwQ"})");
  ASSERT_THAT(bundle, IsOk());
  EXPECT_EQ(bundle->bytes, "\x01\x02");
  EXPECT_THAT(bundle->endorsements, testing::ElementsAre("\x03\x04"));
  EXPECT_THAT(ParseSnpEvidence(R"({"auxblob": "AwQ"})"), HasReason("MALFORMED"));
}

}  // namespace
}  // namespace latchkey::cli
