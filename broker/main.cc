// latchkeyd: the broker. Every concrete class is chosen here, once.

#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/secret_bytes.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/custody/software_root.h"
#include "broker/server/broker.h"
#include "broker/server/config.h"
#include "broker/server/init.h"
#include "broker/server/listener_files.h"
#include "broker/server/log.h"
#include "broker/store/sqlite_store.h"
#include "crypto/system_random.h"

namespace latchkey::server {
namespace {

// sysexits.h: what service managers know these ends by.
constexpr int kExitOk = 0;
constexpr int kExitError = 1;
constexpr int kExitUsage = 2;
constexpr int kExitConfig = 78;

int Fail(int code, const absl::Status& status) {
  std::fprintf(stderr, "latchkeyd: %s\n", std::string(status.message()).c_str());
  return code;
}

// Blocks the signals that end a server, so that all threads inherit it and WaitForEnd takes them.
sigset_t HoldEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

struct Checked {
  Config config;
  BrokerListeners listeners;
  std::unique_ptr<custody::Root> root;
  std::unique_ptr<attestation::Verifiers> verifiers;
};

// All that can be wrong with a configuration before the database is opened.
absl::StatusOr<Checked> Check(const std::string& file, Clock& clock, Random& random) {
  Checked checked;
  ASSIGN_OR_RETURN(checked.config, LoadConfig(file));
  ASSIGN_OR_RETURN(checked.listeners, ReadListeners(checked.config, clock.Now()));
  ASSIGN_OR_RETURN(checked.root, custody::OpenSoftwareRoot(checked.config.root.name,
                                                           checked.config.root.key_file, random));
  auto verifiers = attestation::MakeVerifiers(checked.config.authorities,
                                              {.enabled = checked.config.snp_enabled});
  if (!verifiers.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": authorities: ", verifiers.status().message()));
  }
  checked.verifiers = *std::move(verifiers);
  return checked;
}

void LogStart(const Broker& broker, const Config& config,
              const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    Log(LogLevel::kWarning, "configuration", {{"message", warning}});
  }
  Log(LogLevel::kWarning, "no roles",
      {{"message",
        "every holder of a client certificate of the admin listener's CA is a full administrator"},
       {"client_ca_file", config.admin.client_ca_file}});
  Log(LogLevel::kInfo, "serving",
      {{"deployment_id", config.deployment_id},
       {"workload_port", absl::StrCat(broker.workload_port())},
       {"admin_port", absl::StrCat(broker.admin_port())},
       {"ops_port", absl::StrCat(broker.ops_port())},
       {"tenants", absl::StrCat(config.tenants.size())},
       {"authorities", absl::StrCat(config.authorities.size())}});
}

int Serve(const std::string& file) {
  const sigset_t end_signals = HoldEndSignals();
  SystemClock clock;
  crypto::SystemRandom random;
  NoFailpoints failpoints;
  auto checked = Check(file, clock, random);
  if (!checked.ok()) return Fail(kExitConfig, checked.status());
  InitLog();
  const Config& config = checked->config;
  const std::vector<std::string> warnings = checked->verifiers->warnings();

  auto store = store::OpenSqliteStore(config.store_path);
  if (!store.ok()) return Fail(kExitError, store.status());
  BrokerParts parts{.deployment_id = config.deployment_id,
                    .store = *std::move(store),
                    .root = std::move(checked->root),
                    .verifiers = std::move(checked->verifiers),
                    .tenants = config.tenants,
                    .clock = clock,
                    .random = random,
                    .failpoints = failpoints,
                    .challenge_ttl = config.challenge_ttl,
                    .challenges_per_second = config.limits.challenges_per_second,
                    .config_digest = config.digest};
  auto broker = Broker::Start(std::move(parts), std::move(checked->listeners));
  if (!broker.ok()) return Fail(kExitError, broker.status());
  LogStart(**broker, config, warnings);

  int received = 0;
  sigwait(&end_signals, &received);
  Log(LogLevel::kInfo, "draining", {{"grace", absl::FormatDuration(config.drain_grace)}});
  (*broker)->Drain(config.drain_grace);
  Log(LogLevel::kInfo, "ended", {});
  return kExitOk;
}

int CheckConfig(const std::string& file) {
  SystemClock clock;
  crypto::SystemRandom random;
  const auto checked = Check(file, clock, random);
  if (!checked.ok()) return Fail(kExitConfig, checked.status());
  for (const std::string& warning : checked->verifiers->warnings()) {
    std::fprintf(stderr, "latchkeyd: warning: %s\n", warning.c_str());
  }
  std::printf("%s: sound\n", file.c_str());
  return kExitOk;
}

int Init(const InitOptions& options) {
  SystemClock clock;
  crypto::SystemRandom random;
  const auto made = InitDeployment(options, clock, random);
  if (!made.ok()) return Fail(kExitError, made.status());
  std::fputs(made->report.c_str(), stdout);
  return kExitOk;
}

int Main(int argc, char** argv) {
  HardenProcess();
  CLI::App app("latchkeyd: the Latchkey broker. It releases keys to attested machines only.");
  app.require_subcommand(1);
  int code = kExitOk;

  std::string config_file;
  CLI::App* serve = app.add_subcommand("serve", "Run the broker until SIGTERM");
  serve->add_option("--config", config_file, "Configuration file")->required();
  serve->callback([&] { code = Serve(config_file); });

  CLI::App* check = app.add_subcommand(
      "check-config", "Check a configuration and every file that it names; start nothing");
  check->add_option("--config", config_file, "Configuration file")->required();
  check->callback([&] { code = CheckConfig(config_file); });

  InitOptions options;
  options.deployment_id = "latchkey";
  CLI::App* init = app.add_subcommand(
      "init", "Make a deployment: root key, log, certificates and a starter configuration");
  init->add_option("--dir", options.directory, "New directory for it")->required();
  init->add_option("--deployment-id", options.deployment_id, "Name of the deployment")
      ->capture_default_str();
  init->add_option("--host", options.host, "Name or address that clients connect to")
      ->capture_default_str();
  init->add_option("--port", options.port, "Workload port")->capture_default_str();
  init->add_option("--admin-port", options.admin_port, "Admin port")->capture_default_str();
  init->add_option("--ops-port", options.ops_port, "Ops port, on loopback")->capture_default_str();
  init->callback([&] { code = Init(options); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int shown = app.exit(error);
    return shown == 0 ? kExitOk : kExitUsage;
  }
  return code;
}

}  // namespace
}  // namespace latchkey::server

int main(int argc, char** argv) { return latchkey::server::Main(argc, argv); }
