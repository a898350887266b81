#include "tests/integration/network_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/custody/software_root.h"
#include "broker/server/starter.h"
#include "broker/store/memory_store.h"
#include "crypto/x509.h"
#include "latchkey/v1/audit.pb.h"
#include "latchkey/v1/key_admin.pb.h"
#include "latchkey/v1/key_wrap.pb.h"
#include "latchkey/v1/policy_admin.pb.h"
#include "tests/support/release_world.h"

namespace latchkey {
namespace {

constexpr char kDeployment[] = "network-test";

// ReleaseWorld's vendor was made for its manual clock; here the clock is the system's.
const dev::SoftwareTee& Tee() {
  static const dev::SoftwareTee* const tee = [] {
    crypto::SystemRandom random;
    return new dev::SoftwareTee(dev::SoftwareTee::Create(random, absl::Now()).value());
  }();
  return *tee;
}

}  // namespace

absl::StatusOr<client::AttesterOutput> SimulatedMachine::Attest(
    const client::AttestationRequest& request) {
  dev::ReportFields fields = fields_;
  fields.report_data = ToBytes(request.report_data);
  v1::Attestation attestation;
  attestation.set_snp_report(Tee().SignReport(fields));
  attestation.add_endorsements(ToBytes(Tee().vcek().der()));
  return client::AttesterOutput{.attestations = {std::move(attestation)}, .recipient = {}};
}

front::ListenerOptions NetworkTest::ServerOptions() const {
  front::ListenerOptions options;
  options.address = "127.0.0.1:0";
  options.certificate_pem = server_certificate_pem_;
  options.private_key_pem = SecretBytes::CopyOf(server_key_pem_.view());
  return options;
}

void NetworkTest::SetUp() {
  server::StarterPki pki = std::move(server::MakeStarterPki("localhost", absl::Now()).value());
  ca_pem_ = pki.ca_pem;
  server_certificate_pem_ = pki.server.certificate_pem;
  server_key_pem_ = std::move(pki.server.key_pem);

  auto root = custody::MakeSoftwareRoot(
      "memory", SecretBytes::CopyOf(AsBytes(RandomBytes(random_, 32))), random_);
  auto store = store::NewMemoryStore();
  const audit::GenesisResult genesis =
      audit::CreateTenantLog(*store, *root, random_, kDeployment, "default", clock_.Now()).value();
  log_public_key_ = genesis.log_public_key;
  attestation::SnpConfig snp;
  snp.extra_roots.push_back(
      {std::string(dev::SoftwareTee::kProduct), Tee().ark(), {Tee().ask(), Tee().asvk()}});
  server::BrokerListeners listeners;
  listeners.workload = ServerOptions();
  auto broker = server::Broker::Start({.deployment_id = kDeployment,
                                       .store = std::move(store),
                                       .root = std::move(root),
                                       .verifiers = attestation::MakeVerifiers({}, snp).value(),
                                       .tenants = {{"default", ToBytes(genesis.genesis_digest)}},
                                       .clock = clock_,
                                       .random = random_,
                                       .failpoints = failpoints_,
                                       .config_digest = {}},
                                      std::move(listeners));
  ASSERT_TRUE(broker.ok()) << broker.status();
  broker_ = *std::move(broker);

  v1::PutPolicyRequest policy;
  policy.set_document(ReleaseWorld::SnpPolicy("own", {"payments"}));
  Admin("/latchkey.v1.PolicyAdmin/PutPolicy", policy.SerializeAsString());
  v1::CreateKeyRequest key;
  key.set_name("payments");
  key.mutable_charter()->set_policy("own");
  Admin("/latchkey.v1.KeyAdmin/CreateKey", key.SerializeAsString());
}

Bytes NetworkTest::Admin(std::string_view method, const Bytes& request) {
  static const Bytes* const certificate = [] {
    const auto pem =
        server::MakeStarterPki("localhost", absl::Now())->administrator.certificate_pem;
    return new Bytes(ToBytes(crypto::Certificate::ParsePem(pem)->front().der()));
  }();
  const front::CoreReply reply = broker_->admin_core().Handle(
      method, AsBytes(request), {"127.0.0.1:1", *certificate}, absl::Now() + absl::Seconds(10));
  EXPECT_EQ(reply.grpc_code, 0) << reply.error_message;
  return reply.message;
}

Bytes NetworkTest::WrapNewDek(const protocol::Context& context) {
  v1::GenerateDataKeyRequest request;
  request.set_key("payments");
  for (const auto& [name, value] : context) (*request.mutable_context())[name] = value;
  v1::GenerateDataKeyResponse response;
  response.ParseFromString(
      Admin("/latchkey.v1.KeyWrap/GenerateDataKey", request.SerializeAsString()));
  return response.wrapped_dek();
}

uint64_t NetworkTest::LogSize() { return broker_->audit_log().Read("default", 0, 1)->size; }

std::unique_ptr<client::KeyClient> NetworkTest::Client(int port, absl::Duration timeout) {
  client::KeyClientOptions options;
  options.address = absl::StrCat("localhost:", port == 0 ? broker_->workload_port() : port);
  options.ca_pem = ca_pem_;
  options.deployment_id = kDeployment;
  options.log_public_key = log_public_key_;
  options.timeout = timeout;
  auto client = client::KeyClient::Create(options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

int NetworkTest::StartInterceptor(dev::Attack attack) {
  client::GrpcTransportOptions upstream;
  upstream.address = absl::StrCat("localhost:", broker_->workload_port());
  upstream.ca_pem = ca_pem_;
  interceptor_listener_.reset();
  interceptor_ =
      std::make_unique<dev::Interceptor>(client::MakeGrpcTransport(upstream).value(), attack);
  interceptor_listener_ = front::StartGrpcListener(ServerOptions(), *interceptor_).value();
  return interceptor_listener_->port();
}

}  // namespace latchkey
