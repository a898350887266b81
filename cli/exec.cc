#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/fetch.h"
#include "cli/files.h"
#include "cli/invocation.h"

namespace latchkey::cli {
namespace {

struct ExecOptions {
  FetchOptions fetch;
  int descriptor = -1;
  std::string variable;
};

// A file in memory that holds the key: it has no name, and nobody can change it any more.
absl::StatusOr<int> MakeKeyFile(const SecretBytes& dek) {
  const int file = memfd_create("latchkey-dek", MFD_ALLOW_SEALING);
  if (file < 0) return absl::ErrnoToStatus(errno, "memfd_create");
  RETURN_IF_ERROR(WriteAll(file, dek.view()));
  if (fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0 ||
      lseek(file, 0, SEEK_SET) != 0) {
    return absl::ErrnoToStatus(errno, "cannot seal the memory file");
  }
  return file;
}

absl::Status HandOver(const SecretBytes& dek, const ExecOptions& options) {
  if (!options.variable.empty()) {
    // Asked for by name. The environment is readable by whoever may debug the program.
    return setenv(options.variable.c_str(), Base64Encode(dek.view()).c_str(), 1) == 0
               ? absl::OkStatus()
               : absl::InvalidArgumentError("--env: not a name for a variable");
  }
  ASSIGN_OR_RETURN(int file, MakeKeyFile(dek));
  if (options.descriptor >= 0 && options.descriptor != file) {
    if (dup2(file, options.descriptor) < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("--fd ", options.descriptor));
    }
    close(file);
    file = options.descriptor;
  }
  setenv("LATCHKEY_DEK_FD", absl::StrCat(file).c_str(), 1);
  setenv("LATCHKEY_DEK_FILE", absl::StrCat("/proc/self/fd/", file).c_str(), 1);
  return absl::OkStatus();
}

absl::Status Exec(const Invocation& invocation, const ExecOptions& options) {
  if (invocation.application.empty()) {
    return UsageError("name the program to run after `--`: latchkey exec KEY ... -- APP ARGS");
  }
  std::vector<std::string> arguments = invocation.application;
  {
    ASSIGN_OR_RETURN(const SecretBytes dek, FetchDek(invocation, options.fetch));
    RETURN_IF_ERROR(HandOver(dek, options));
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  return absl::ErrnoToStatus(errno, absl::StrCat(arguments[0], ": cannot be started"));
}

}  // namespace

void AddExec(CLI::App& app, Invocation& invocation) {
  CLI::App* exec = app.add_subcommand(
      "exec", "Attest, fetch a DEK and start a program that gets it in a memory file");
  const auto options = std::make_shared<ExecOptions>();
  AddFetchOptions(*exec, options->fetch);
  CLI::Option* descriptor = exec->add_option("--fd", options->descriptor,
                                             "number of the descriptor; default: any free one")
                                ->check(CLI::Range(3, 1023));
  exec->add_option("--env", options->variable,
                   "put the key itself, base64, into this variable instead of a memory file")
      ->excludes(descriptor);
  exec->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return Exec(invocation, *options); };
  });
  exec->footer(
      "The program finds the descriptor's number in LATCHKEY_DEK_FD and its path in "
      "LATCHKEY_DEK_FILE.\n"
      "Examples:\n"
      "  latchkey exec payments --wrapped payments.dek --context environment=prod -- ./card-vault "
      "--port 8443\n"
      "  latchkey exec payments --wrapped payments.dek -- sh -c 'openssl dgst "
      "\"$LATCHKEY_DEK_FILE\"'");
}

}  // namespace latchkey::cli
