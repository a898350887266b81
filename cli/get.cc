#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "cli/fetch.h"
#include "cli/files.h"
#include "cli/invocation.h"

namespace latchkey::cli {
namespace {

struct GetOptions {
  FetchOptions fetch;
  std::string out;
  int descriptor = -1;
  bool reveal = false;
};

// Everything that can be wrong with the destination is found before a key is asked for.
absl::Status EnsureDestination(const GetOptions& options) {
  const int ways =
      (options.out.empty() ? 0 : 1) + (options.descriptor >= 0 ? 1 : 0) + (options.reveal ? 1 : 0);
  if (ways != 1) return UsageError("give exactly one of --out FILE, --fd N and --reveal");
  if (options.descriptor < 0) return absl::OkStatus();
  if (fcntl(options.descriptor, F_GETFD) < 0) {
    return UsageError(absl::StrCat("--fd ", options.descriptor, ": no such open descriptor"));
  }
  if (isatty(options.descriptor)) {
    return UsageError(
        absl::StrCat("--fd ", options.descriptor, " is a terminal; --reveal shows a key on one"));
  }
  return absl::OkStatus();
}

absl::Status Get(const Invocation& invocation, const GetOptions& options) {
  RETURN_IF_ERROR(EnsureDestination(options));
  ASSIGN_OR_RETURN(const SecretBytes dek, FetchDek(invocation, options.fetch));
  if (!options.out.empty()) return WriteSecretFile(options.out, dek.view());
  if (options.descriptor >= 0) return WriteAll(options.descriptor, dek.view());
  // Digit by digit from locked memory: no copy of the key is left in a string.
  constexpr char kDigits[] = "0123456789abcdef";
  SecretBytes hex(dek.size() * 2 + 1);
  for (size_t i = 0; i < dek.size(); ++i) {
    hex.mutable_view()[2 * i] = kDigits[dek.view()[i] >> 4];
    hex.mutable_view()[2 * i + 1] = kDigits[dek.view()[i] & 15];
  }
  hex.mutable_view()[dek.size() * 2] = '\n';
  return WriteAll(STDOUT_FILENO, hex.view());
}

}  // namespace

void AddGet(CLI::App& app, Invocation& invocation) {
  CLI::App* get = app.add_subcommand("get", "Attest this machine and fetch a DEK");
  const auto options = std::make_shared<GetOptions>();
  AddFetchOptions(*get, options->fetch);
  get->add_option("--out", options->out, "new file for the raw key, mode 0400");
  get->add_option("--fd", options->descriptor, "open descriptor to write the raw key to")
      ->check(CLI::NonNegativeNumber);
  get->add_flag("--reveal", options->reveal, "print the key in hex on standard output");
  get->callback([&invocation, options] {
    invocation.run = [&invocation, options] { return Get(invocation, *options); };
  });
  get->footer(
      "Examples:\n"
      "  latchkey get payments --wrapped payments.dek --context environment=prod --out "
      "/run/payments.key\n"
      "  latchkey get payments --wrapped payments.dek --fd 3 3> >(cryptsetup open /dev/sdb data "
      "--key-file -)");
}

}  // namespace latchkey::cli
