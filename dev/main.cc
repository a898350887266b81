// latchkeyd-dev: a broker in memory that trusts a software TEE vendor, the simulated machines that
// go with it, and an attacker to refuse. INSECURE by design: the release broker cannot do any of
// this.

#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "base/secret_bytes.h"
#include "base/status_macros.h"
#include "dev/attest.h"
#include "dev/dev_broker.h"
#include "dev/interceptor.h"
#include "dev/software_tee/marker.h"

namespace latchkey::dev {
namespace {

// Blocks the signals that end a server, so that WaitForEnd can take them.
void HoldEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void WaitForEnd() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int received = 0;
  sigwait(&signals, &received);
}

absl::Status Serve(const DevBrokerOptions& options) {
  HoldEndSignals();
  std::printf("%s\n", std::string(SoftwareTeeBanner()).c_str());
  ASSIGN_OR_RETURN(const auto broker, StartDevBroker(options));
  std::printf("development broker: workload %s:%d, admin %s:%d, ops http://%s:%d/metrics\n",
              options.host.c_str(), broker->workload_port(), options.host.c_str(),
              broker->admin_port(), options.host.c_str(), broker->ops_port());
  std::printf(
      "next:  export LATCHKEY_CONFIG=%s/client.yaml\n"
      "       latchkey policy put %s/policy.yaml && latchkey key create payments --policy "
      "dev-machines\n"
      "everything is in memory and gone when this ends (Ctrl-C)\n",
      options.directory.c_str(), options.directory.c_str());
  std::fflush(stdout);
  WaitForEnd();
  broker->Drain(absl::Seconds(5));
  return absl::OkStatus();
}

absl::Status RunAttest(const AttestOptions& options) {
  const std::string request((std::istreambuf_iterator<char>(std::cin)), {});
  ASSIGN_OR_RETURN(const std::string evidence, Attest(options, request));
  std::printf("%s\n", evidence.c_str());
  return absl::OkStatus();
}

absl::Status Intercept(const std::string& directory, const std::string& broker_address,
                       const std::string& listen, const std::string& attack_name) {
  HoldEndSignals();
  ASSIGN_OR_RETURN(const Attack attack, ParseAttack(attack_name));
  ASSIGN_OR_RETURN(auto transport, TransportTo(directory, broker_address));
  ASSIGN_OR_RETURN(auto options, InterceptorListener(directory, listen));
  Interceptor interceptor(std::move(transport), attack);
  ASSIGN_OR_RETURN(const auto listener, front::StartGrpcListener(std::move(options), interceptor));
  std::printf("interceptor: listening on port %d\n", listener->port());
  std::fflush(stdout);
  WaitForEnd();
  listener->Drain(absl::Seconds(1));
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  HardenProcess();
  CLI::App app("Latchkey for development: a broker in memory with a software TEE. INSECURE.");
  app.require_subcommand(1);
  absl::Status status;

  DevBrokerOptions broker;
  broker.program = std::filesystem::canonical("/proc/self/exe").string();
  CLI::App* serve =
      app.add_subcommand("serve", "Run the development broker until it is interrupted");
  serve->add_option("--dir", broker.directory, "Directory for what clients need")
      ->capture_default_str();
  serve->add_option("--host", broker.host, "Loopback address to listen on")->capture_default_str();
  serve->add_option("--port", broker.port, "Workload port; 0 picks one")->capture_default_str();
  serve->add_option("--admin-port", broker.admin_port, "Admin port")->capture_default_str();
  serve->add_option("--ops-port", broker.ops_port, "Ops port")->capture_default_str();
  serve->callback([&] { status = Serve(broker); });

  AttestOptions machine;
  std::string directory;
  CLI::App* attest = app.add_subcommand(
      "attest", "Play a confidential VM: evidence on stdout for the request on stdin");
  attest->add_option("--dir", directory, "Directory of the development broker")->required();
  attest->add_option("--measurement", machine.measurement_hex, "Launch measurement, 96 hex digits");
  attest->add_flag("--debug", machine.debug, "A machine that its host can debug");
  attest->callback([&] {
    machine.vendor_directory = directory + "/vendor";
    status = RunAttest(machine);
  });

  std::string broker_address, listen = "127.0.0.1:0", attack;
  CLI::App* intercept = app.add_subcommand(
      "intercept",
      "Play a TLS-terminating proxy in front of the broker: relay, plant, replay or swap");
  intercept->add_option("--dir", directory, "Directory of the development broker")->required();
  intercept->add_option("--broker", broker_address, "host:port of the broker")->required();
  intercept->add_option("--listen", listen, "Address to listen on")->capture_default_str();
  intercept->add_option("attack", attack, "What to do to the traffic")->required();
  intercept->callback([&] { status = Intercept(directory, broker_address, listen, attack); });

  CLI11_PARSE(app, argc, argv);
  if (!status.ok()) {
    std::fprintf(stderr, "latchkeyd-dev: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace latchkey::dev

int main(int argc, char** argv) { return latchkey::dev::Main(argc, argv); }
