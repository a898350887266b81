#include "dev/dev_broker.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "broker/custody/software_root.h"
#include "broker/server/starter.h"
#include "broker/store/memory_store.h"
#include "crypto/system_random.h"
#include "dev/software_tee/software_tee.h"

namespace latchkey::dev {
namespace {

namespace fs = std::filesystem;

constexpr char kDeployment[] = "dev";
constexpr char kTenant[] = "default";

constexpr char kExamplePolicy[] = R"(apiVersion: latchkey.dev/v1
kind: ReleasePolicy
metadata: {name: dev-machines}
spec:
  description: Simulated production machines of this development broker
  guards: [payments]
  disclose: clauses
  rules:
  - name: simulated-snp
    effect: permit
    source: hardware
    conditions:
    - expression: tee.type == "snp" && !tee.debug
      message: only machines that nobody can debug
    - expression: snp.measurement == "MEASUREMENT"
      message: only the image that was reviewed
    - expression: snp.reported_tcb.snp >= 20
    - expression: request.context["environment"] == "prod"
)";

absl::Status WriteText(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat(path.string(), ": cannot be written"));
  return absl::OkStatus();
}

absl::Status ReplaceSecret(const fs::path& path, const SecretBytes& secret) {
  std::error_code ignored;
  fs::remove(path, ignored);
  return WriteSecretFile(path.string(), secret.view());
}

absl::StatusOr<std::string> ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(absl::StrCat(
        path.string(), ": not there; start `latchkeyd-dev serve` on this directory first"));
  }
  return text.str();
}

absl::StatusOr<SoftwareTee> Vendor(const fs::path& directory, Random& random, absl::Time now) {
  if (fs::exists(directory)) return SoftwareTee::Load(directory.string());
  ASSIGN_OR_RETURN(SoftwareTee tee, SoftwareTee::Create(random, now));
  RETURN_IF_ERROR(tee.Save(directory.string()));
  return tee;
}

absl::StatusOr<front::ListenerOptions> ListenerOf(const server::StarterIdentity& identity,
                                                  std::string address) {
  front::ListenerOptions options;
  options.address = std::move(address);
  options.certificate_pem = identity.certificate_pem;
  options.private_key_pem = SecretBytes::CopyOf(identity.key_pem.view());
  return options;
}

std::string AttesterYaml(const DevBrokerOptions& options) {
  return absl::StrCat(
      "# A simulated confidential VM. It proves nothing: INSECURE, for development only.\n",
      "attester:\n  kind: command\n  argv: [", options.program, ", attest, --dir, ",
      fs::absolute(options.directory).string(), "]\n");
}

std::string ExamplePolicy() {
  std::string policy = kExamplePolicy;
  const std::string placeholder = "MEASUREMENT";
  policy.replace(policy.find(placeholder), placeholder.size(),
                 HexEncode(AsBytes(ReportFields().measurement)));
  return policy;
}

absl::Status WriteForClients(const DevBrokerOptions& options, const server::StarterPki& pki,
                             const server::Broker& broker, const audit::GenesisResult& genesis) {
  const fs::path directory = options.directory;
  const server::StarterClientConfig client{absl::StrCat(options.host, ":", broker.workload_port()),
                                           absl::StrCat(options.host, ":", broker.admin_port()),
                                           kDeployment, genesis.log_public_key,
                                           ToBytes(genesis.genesis_digest)};
  RETURN_IF_ERROR(WriteText(directory / "ca.pem", pki.ca_pem));
  RETURN_IF_ERROR(WriteText(directory / "admin.pem", pki.administrator.certificate_pem));
  RETURN_IF_ERROR(ReplaceSecret(directory / "admin.key", pki.administrator.key_pem));
  RETURN_IF_ERROR(WriteText(directory / "server.pem", pki.server.certificate_pem));
  RETURN_IF_ERROR(ReplaceSecret(directory / "server.key", pki.server.key_pem));
  RETURN_IF_ERROR(WriteText(directory / "policy.yaml", ExamplePolicy()));
  // Last: whoever waits for this file finds the rest.
  return WriteText(directory / "client.yaml",
                   absl::StrCat(server::ClientConfigYaml(client), AttesterYaml(options)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<server::Broker>> StartDevBroker(const DevBrokerOptions& options) {
  static SystemClock clock;
  static crypto::SystemRandom random;
  static NoFailpoints failpoints;
  const fs::path directory = options.directory;
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed)
    return absl::UnavailableError(absl::StrCat(directory.string(), ": ", failed.message()));
  fs::permissions(directory, fs::perms::owner_all, failed);
  fs::remove(directory / "client.yaml", failed);

  ASSIGN_OR_RETURN(const SoftwareTee tee, Vendor(directory / "vendor", random, clock.Now()));
  SecretBytes root_key(32);
  random.Fill(root_key.mutable_view());
  auto root = custody::MakeSoftwareRoot("memory", std::move(root_key), random);
  auto store = store::NewMemoryStore();
  ASSIGN_OR_RETURN(
      const audit::GenesisResult genesis,
      audit::CreateTenantLog(*store, *root, random, kDeployment, kTenant, clock.Now()));
  attestation::SnpConfig snp;
  snp.extra_roots.push_back(
      {std::string(SoftwareTee::kProduct), tee.ark(), {tee.ask(), tee.asvk()}});
  ASSIGN_OR_RETURN(auto verifiers, attestation::MakeVerifiers({}, snp));
  ASSIGN_OR_RETURN(const server::StarterPki pki, server::MakeStarterPki(options.host, clock.Now()));

  server::BrokerListeners listeners;
  ASSIGN_OR_RETURN(listeners.workload,
                   ListenerOf(pki.server, absl::StrCat(options.host, ":", options.port)));
  ASSIGN_OR_RETURN(listeners.admin,
                   ListenerOf(pki.server, absl::StrCat(options.host, ":", options.admin_port)));
  listeners.admin->client_ca_pem = pki.ca_pem;
  listeners.admin->require_client_certificate = true;
  listeners.ops_address = absl::StrCat(options.host, ":", options.ops_port);
  ASSIGN_OR_RETURN(auto broker,
                   server::Broker::Start({.deployment_id = kDeployment,
                                          .store = std::move(store),
                                          .root = std::move(root),
                                          .verifiers = std::move(verifiers),
                                          .tenants = {{kTenant, ToBytes(genesis.genesis_digest)}},
                                          .clock = clock,
                                          .random = random,
                                          .failpoints = failpoints,
                                          .config_digest = {}},
                                         std::move(listeners)));
  RETURN_IF_ERROR(WriteForClients(options, pki, *broker, genesis));
  return broker;
}

absl::StatusOr<front::ListenerOptions> InterceptorListener(const std::string& directory,
                                                           const std::string& address) {
  front::ListenerOptions options;
  options.address = address;
  ASSIGN_OR_RETURN(options.certificate_pem, ReadText(fs::path(directory) / "server.pem"));
  ASSIGN_OR_RETURN(options.private_key_pem,
                   ReadSecretFile((fs::path(directory) / "server.key").string()));
  return options;
}

absl::StatusOr<std::unique_ptr<client::Transport>> TransportTo(const std::string& directory,
                                                               const std::string& broker_address) {
  client::GrpcTransportOptions options;
  options.address = broker_address;
  ASSIGN_OR_RETURN(options.ca_pem, ReadText(fs::path(directory) / "ca.pem"));
  return client::MakeGrpcTransport(options);
}

}  // namespace latchkey::dev
