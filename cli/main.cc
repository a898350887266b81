#include <cstdio>
#include <string>
#include <vector>

#include <grpc/support/log.h>

#include "CLI/CLI.hpp"
#include "base/secret_bytes.h"
#include "cli/invocation.h"

namespace latchkey::cli {
namespace {

constexpr char kFooter[] =
    "Exit codes: 0 ok, 1 error, 2 usage, 3 refused by policy, 4 attestation or identity not "
    "accepted,\n"
    "5 not found, 6 conflict, 7 unavailable, 8 findings. Data goes to standard output, all else to "
    "standard error.\n"
    "`latchkey NOUN VERB --help` has examples.";

void AddSharedOptions(CLI::App& app, Invocation& invocation) {
  app.add_option("-o,--output", invocation.output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  const auto option = [&](const char* name, std::string& value, const char* description) {
    app.add_option(name, value, description)->group("Broker");
  };
  option("--config", invocation.config_path,
         "settings file; default $LATCHKEY_CONFIG or ~/.config/latchkey/config.yaml");
  option("--address", invocation.flags.address, "workload listener, host:port");
  option("--admin-address", invocation.flags.admin_address, "admin listener, host:port");
  option("--ca-file", invocation.flags.ca_file, "CA certificates of the broker, PEM");
  option("--admin-cert-file", invocation.flags.admin_cert_file, "administrator's certificate, PEM");
  option("--admin-key-file", invocation.flags.admin_key_file, "its key, PEM");
  option("--deployment-id", invocation.flags.deployment_id, "pinned deployment");
  option("--log-public-key", invocation.flags.log_public_key, "pinned log key, base64");
  option("--genesis-digest", invocation.flags.genesis_digest, "pinned leaf 0, hex");
  option("--tenant", invocation.flags.tenant, "tenant; default `default`");
}

ExitCode Run(std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments[0] == "dev") {
    return PrintError(RunDev({arguments.begin() + 1, arguments.end()}));
  }
  Invocation invocation;
  // What follows `--` belongs to another program and is never read as ours.
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] != "--") continue;
    invocation.application.assign(arguments.begin() + i + 1, arguments.end());
    arguments.resize(i);
  }
  CLI::App app("Releases data keys into verified confidential VMs, and nowhere else.", "latchkey");
  app.set_version_flag("--version", "latchkey " LATCHKEY_VERSION);
  app.set_help_flag("-h,--help", "print this help");
  app.footer(kFooter);
  app.fallthrough();
  app.require_subcommand(1);
  AddSharedOptions(app, invocation);
  AddGet(app, invocation);
  AddExec(app, invocation);
  AddKey(app, invocation);
  AddPolicy(app, invocation);
  AddAudit(app, invocation);
  AddInspect(app, invocation);
  AddExplain(app, invocation);
  AddDev(app, invocation);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::kOk : ExitCode::kUsage;
  }
  const absl::Status status = invocation.run();
  if (!status.ok()) return PrintError(status);
  // Data that did not reach its file or pipe is an error, as a full disk.
  if (std::fflush(stdout) != 0) {
    return PrintError(absl::DataLossError("standard output: cannot be written"));
  }
  return ExitCode::kOk;
}

}  // namespace
}  // namespace latchkey::cli

int main(int argc, char** argv) {
  latchkey::HardenProcess();
  // Errors come as statuses; gRPC's own log lines would repeat them for developers of gRPC.
  gpr_set_log_function([](gpr_log_func_args*) {});
  return static_cast<int>(latchkey::cli::Run({argv + 1, argv + argc}));
}
