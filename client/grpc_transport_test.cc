#include <grpcpp/grpcpp.h>

#include "client/fake_broker.h"
#include "client/key_client.h"
#include "client/refusal.h"
#include "crypto/x509.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "latchkey/v1/key_release.grpc.pb.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::client {
namespace {

using testing::HasSubstr;

// Serves a FakeBroker over real TLS on a port of its own.
class Service final : public v1::KeyRelease::Service {
 public:
  explicit Service(FakeBroker& broker) : broker_(broker) {}

  grpc::Status IssueChallenge(grpc::ServerContext*, const v1::IssueChallengeRequest*,
                              v1::IssueChallengeResponse* response) override {
    *response = broker_.IssueChallenge();
    return grpc::Status::OK;
  }
  grpc::Status ReleaseKeys(grpc::ServerContext*, const v1::ReleaseKeysRequest* request,
                           v1::ReleaseKeysResponse* response) override {
    if (!failure.ok()) return failure;
    *response = *broker_.Release(*request);
    return grpc::Status::OK;
  }

  grpc::Status failure;

 private:
  FakeBroker& broker_;
};

class TokenAttester final : public Attester {
 public:
  absl::StatusOr<AttesterOutput> Attest(const AttestationRequest&) override {
    v1::Attestation attestation;
    attestation.set_token("token");
    return AttesterOutput{.attestations = {attestation}};
  }
};

struct Identity {
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
};

Identity MakeServerIdentity() {
  crypto::CertificateSpec spec{.common_name = "test CA",
                               .is_ca = true,
                               .not_before = absl::Now() - absl::Hours(1),
                               .not_after = absl::Now() + absl::Hours(1)};
  const auto ca_key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
  const auto ca = crypto::MakeCertificate(spec, ca_key.public_key(), nullptr, ca_key);
  spec.common_name = "localhost";
  spec.dns_names = {"localhost"};
  spec.is_ca = false;
  spec.server_auth = true;
  const auto key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
  const auto certificate = crypto::MakeCertificate(spec, key.public_key(), &*ca, ca_key);
  return {crypto::ToPem(*ca), crypto::ToPem(*certificate), std::string(AsText(key.ToPem().view()))};
}

class GrpcTransportTest : public testing::Test {
 protected:
  GrpcTransportTest() : service_(broker_), identity_(MakeServerIdentity()) {
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({identity_.key_pem, identity_.certificate_pem});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("localhost:0", grpc::SslServerCredentials(tls), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    options_.address = "localhost:" + std::to_string(port_);
    options_.ca_pem = identity_.ca_pem;
    options_.deployment_id = "fake-1";
    options_.log_public_key = broker_.log_public_key();
    options_.timeout = absl::Seconds(20);
  }

  absl::StatusOr<SecretBytes> Fetch() {
    TokenAttester attester;
    const auto client = KeyClient::Create(options_);
    if (!client.ok()) return client.status();
    return (*client)->FetchKey("payments", AsBytes("wrapped-a"), {}, attester);
  }

  SeededRandom random_;
  FakeBroker broker_{random_};
  Service service_;
  Identity identity_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  KeyClientOptions options_;
};

TEST_F(GrpcTransportTest, FetchesAKeyOverTls) {
  const auto dek = Fetch();
  ASSERT_THAT(dek, IsOk());
  EXPECT_EQ(AsText(dek->view()), std::string(32, 'a'));
}

TEST_F(GrpcTransportTest, AServerThatAnotherCaVouchesForIsNotAsked) {
  options_.ca_pem = MakeServerIdentity().ca_pem;
  options_.timeout = absl::Seconds(2);
  const auto dek = Fetch();
  EXPECT_EQ(ExitCodeOf(dek.status()), ExitCode::kUnavailable);
  EXPECT_THAT(dek, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("check the address")));
}

TEST_F(GrpcTransportTest, ARefusedCallCarriesTheReasonAndTheRemedy) {
  google::rpc::ErrorInfo info;
  info.set_reason("ATTESTATION_REFUSED");
  info.set_domain("latchkey.dev");
  (*info.mutable_metadata())["remedy"] = "inspect the evidence";
  (*info.mutable_metadata())["decision_id"] = "0123";
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  service_.failure = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not accepted",
                                  details.SerializeAsString());
  const auto dek = Fetch();
  EXPECT_THAT(dek, StatusIs(absl::StatusCode::kPermissionDenied, "not accepted"));
  const auto refusal = RefusalOf(dek.status());
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason(), v1::WIRE_REASON_ATTESTATION_REFUSED);
  EXPECT_EQ(refusal->remedy(), "inspect the evidence");
  EXPECT_EQ(refusal->decision_id(), "0123");
}

TEST_F(GrpcTransportTest, TheBrokersRetryDelayArrives) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(60);
  google::rpc::Status details;
  details.add_details()->PackFrom(retry);
  service_.failure =
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "busy", details.SerializeAsString());
  const auto dek = Fetch();
  EXPECT_THAT(dek, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("busy")));
  EXPECT_EQ(RetryDelayOf(dek.status()), absl::Seconds(60));
}

TEST(GrpcTransportOptionsTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(MakeGrpcTransport({.ca_pem = "x"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("address")));
  EXPECT_THAT(MakeGrpcTransport({.address = "localhost:1"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("CA certificate")));
  EXPECT_THAT(MakeGrpcTransport({.address = "localhost:1", .ca_pem = "x", .certificate_pem = "x"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("needs its key")));
}

}  // namespace
}  // namespace latchkey::client
