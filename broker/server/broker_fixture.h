#pragma once

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "broker/custody/software_root.h"
#include "broker/server/broker.h"
#include "broker/store/memory_store.h"
#include "crypto/signature.h"
#include "crypto/x509.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/support/failpoint_plan.h"
#include "tests/support/manual_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::server {

// A broker in memory without listeners: tests speak to its cores.
class BrokerFixture : public testing::Test {
 protected:
  static constexpr char kDeployment[] = "test";
  static constexpr char kPolicy[] = R"(apiVersion: latchkey.dev/v1
kind: ReleasePolicy
metadata: {name: dev}
spec:
  guards: [db, mail]
  rules:
  - name: reviewed
    effect: permit
    source: hardware
    conditions:
    - expression: tee.type == "snp" && !tee.debug
    - expression: request.context["env"] == "prod"
    - expression: snp.host_data == "0000000000000000000000000000000000000000000000000000000000000001"
)";

  BrokerFixture() { Start(); }

  void Start() {
    SecretBytes root_key(32);
    SeededRandom("root").Fill(root_key.mutable_view());
    auto root = custody::MakeSoftwareRoot("memory", std::move(root_key), random_);
    auto store = store::NewMemoryStore();
    store_ = store.get();
    const auto genesis =
        audit::CreateTenantLog(*store, *root, random_, kDeployment, "default", clock_.Now());
    ASSERT_THAT(genesis, IsOk());
    BrokerParts parts{.deployment_id = kDeployment,
                      .store = std::move(store),
                      .root = std::move(root),
                      .verifiers = attestation::MakeVerifiers({}, {}).value(),
                      .tenants = {{"default", ToBytes(genesis->genesis_digest)}},
                      .clock = clock_,
                      .random = random_,
                      .failpoints = failpoints_,
                      .challenges_per_second = 1000,
                      .config_digest = config_digest_};
    auto broker = Broker::Start(std::move(parts), {});
    ASSERT_THAT(broker, IsOk());
    broker_ = *std::move(broker);
  }

  static Bytes AdminCertificate(const std::string& name) {
    static const crypto::PrivateKey key = crypto::PrivateKey::GenerateEc(crypto::KeyKind::kP256);
    crypto::CertificateSpec spec;
    spec.common_name = name;
    spec.client_auth = true;
    spec.not_before = absl::FromUnixSeconds(1767225600);
    spec.not_after = spec.not_before + absl::Hours(24);
    return ToBytes(crypto::MakeCertificate(spec, key.public_key(), nullptr, key)->der());
  }

  front::CoreReply AskBytes(front::Core& core, const std::string& method, const Bytes& request,
                            const front::PeerHint& peer) {
    return core.Handle(method, AsBytes(request), peer, absl::Now() + absl::Seconds(10));
  }

  // A call of the admin port as `alice`. The reply's message goes to `response`.
  template <typename Request, typename Response>
  front::CoreReply Admin(const std::string& method, const Request& request, Response& response) {
    static const Bytes alice = AdminCertificate("alice");
    front::CoreReply reply = AskBytes(broker_->admin_core(), absl::StrCat("/latchkey.v1.", method),
                                      request.SerializeAsString(), {"ipv4:127.0.0.1:1", alice});
    EXPECT_TRUE(response.ParseFromString(reply.message));
    return reply;
  }
  template <typename Request, typename Response>
  front::CoreReply Workload(const std::string& method, const Request& request, Response& response) {
    front::CoreReply reply =
        AskBytes(broker_->workload_core(), absl::StrCat("/latchkey.v1.", method),
                 request.SerializeAsString(), {"ipv4:127.0.0.1:2", ""});
    EXPECT_TRUE(response.ParseFromString(reply.message));
    return reply;
  }

  static std::string ReasonIn(const front::CoreReply& reply) {
    google::rpc::Status status;
    google::rpc::ErrorInfo info;
    if (!status.ParseFromString(reply.error_details) || status.details().empty() ||
        !status.details(0).UnpackTo(&info)) {
      return "no ErrorInfo";
    }
    return info.reason();
  }

  uint64_t LogSize() { return broker_->audit_log().Read("default", 0, 1)->size; }
  v1::Leaf LastLeaf() {
    v1::Leaf leaf;
    EXPECT_TRUE(
        leaf.ParseFromString(broker_->audit_log().Read("default", LogSize() - 1, 1)->leaves.at(0)));
    return leaf;
  }

  ManualClock clock_;
  SeededRandom random_;
  FailpointPlan failpoints_;
  Bytes config_digest_;
  store::Store* store_ = nullptr;  // the broker's
  std::unique_ptr<Broker> broker_;
};

}  // namespace latchkey::server
