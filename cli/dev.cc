#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "cli/invocation.h"

namespace latchkey::cli {

absl::Status RunDev(const std::vector<std::string>& arguments) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::InternalError("cannot find this program's own folder in /proc/self/exe");
  std::string program = (self.parent_path() / "latchkeyd-dev").string();
  std::string verb = "serve";
  std::vector<char*> argv = {program.data(), verb.data()};
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  return absl::ErrnoToStatus(errno,
                             absl::StrCat(program, ": cannot be started; build latchkeyd-dev"));
}

void AddDev(CLI::App& app, Invocation& invocation) {
  CLI::App* dev = app.add_subcommand(
      "dev", "Start latchkeyd-dev: a broker with simulated confidential VMs, for trying out");
  dev->callback([&] { invocation.run = [] { return RunDev({}); }; });
}

}  // namespace latchkey::cli
