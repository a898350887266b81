#include "broker/server/status_to_grpc.h"

#include <optional>

#include "base/reason.h"
#include "broker/release/reasons.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace latchkey::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Details {
  google::rpc::Status status;
  std::vector<google::rpc::ErrorInfo> infos;
  std::optional<google::rpc::RetryInfo> retry;
};

Details DetailsOf(const front::CoreReply& reply) {
  Details details;
  EXPECT_TRUE(details.status.ParseFromString(reply.error_details));
  for (const auto& any : details.status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) details.infos.push_back(info);
    if (any.UnpackTo(&retry)) details.retry = retry;
  }
  return details;
}

TEST(StatusToGrpcTest, EveryAuditReasonIsOneErrorInfoWithItsWireReason) {
  for (const release::ReasonDefinition& row : release::AllReasons()) {
    const auto reply =
        ErrorReply(Refuse(absl::StatusCode::kInternal, row.audit_reason, "secret detail"),
                   Audience::kWorkload);
    const Details details = DetailsOf(reply);
    EXPECT_EQ(reply.grpc_code, static_cast<int>(row.code)) << row.audit_reason;
    EXPECT_EQ(details.status.code(), reply.grpc_code);
    EXPECT_EQ(details.status.message(), reply.error_message);
    ASSERT_EQ(details.infos.size(), 1u);
    EXPECT_EQ("WIRE_REASON_" + details.infos[0].reason(), v1::WireReason_Name(row.wire_reason));
    EXPECT_EQ(details.infos[0].domain(), "latchkey.dev");
    EXPECT_NE(details.infos[0].metadata().at("remedy"), "");
  }
}

TEST(StatusToGrpcTest, WorkloadReadsOnlyTheCoarseSentence) {
  const auto status =
      Refuse(absl::StatusCode::kPermissionDenied, "CHIP_MISMATCH", "chip 12ab is not 34cd");
  const auto reply = ErrorReply(status, Audience::kWorkload);
  EXPECT_THAT(reply.error_message, Not(HasSubstr("12ab")));
  EXPECT_THAT(reply.error_details, Not(HasSubstr("CHIP_MISMATCH")));
}

TEST(StatusToGrpcTest, WorkloadReadsWhatIsMalformedInItsOwnRequest) {
  const auto reply =
      ErrorReply(Refuse(absl::StatusCode::kInvalidArgument, "MALFORMED", "items[3]: wants nothing"),
                 Audience::kWorkload);
  EXPECT_EQ(reply.error_message, "items[3]: wants nothing");
}

TEST(StatusToGrpcTest, AdministratorReadsTheAuditReasonAndTheWholeSentence) {
  const auto reply = ErrorReply(
      Refuse(absl::StatusCode::kNotFound, "KEY_UNKNOWN_TO_US", "no key tenants/default/keys/db"),
      Audience::kAdmin);
  EXPECT_EQ(reply.grpc_code, 5);
  EXPECT_EQ(reply.error_message, "no key tenants/default/keys/db");
  EXPECT_EQ(DetailsOf(reply).infos.at(0).reason(), "KEY_UNKNOWN_TO_US");
}

TEST(StatusToGrpcTest, AdministratorReadsTheCodeWhereThereIsNoReason) {
  const auto reply = ErrorReply(absl::AbortedError("policy p: moved on"), Audience::kAdmin);
  EXPECT_EQ(reply.grpc_code, 10);
  EXPECT_EQ(DetailsOf(reply).infos.at(0).reason(), "ABORTED");
}

TEST(StatusToGrpcTest, FaultOfOursIsUnavailableAndTellsNothing) {
  for (const auto& status : {absl::InternalError("table x"), absl::DataLossError("table x"),
                             absl::UnknownError("table x")}) {
    const auto reply = ErrorReply(status, Audience::kWorkload);
    EXPECT_EQ(reply.grpc_code, 14);
    EXPECT_THAT(reply.error_message, Not(HasSubstr("table x")));
    EXPECT_EQ(DetailsOf(reply).infos.at(0).reason(), "UNAVAILABLE");
  }
}

TEST(StatusToGrpcTest, OnlyErrorsThatPassSayWhenToTryAgain) {
  EXPECT_TRUE(DetailsOf(ErrorReply(absl::UnavailableError("x"), Audience::kWorkload)).retry);
  EXPECT_TRUE(DetailsOf(ErrorReply(absl::ResourceExhaustedError("x"), Audience::kWorkload)).retry);
  EXPECT_FALSE(DetailsOf(ErrorReply(absl::InvalidArgumentError("x"), Audience::kWorkload)).retry);
}

}  // namespace
}  // namespace latchkey::server
