#include "cli/fetch.h"

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/files.h"

namespace latchkey::cli {
namespace {

// `key generate` and `key wrap` write raw bytes to a file and base64 to standard output; both are
// read back.
absl::StatusOr<Bytes> ReadWrappedDek(const std::string& file) {
  ASSIGN_OR_RETURN(Bytes content, ReadTextFile(file));
  if (content.empty()) return absl::InvalidArgumentError(absl::StrCat(file, ": empty"));
  const std::string trimmed(absl::StripAsciiWhitespace(content));
  if (auto decoded = Base64Decode(trimmed); decoded.ok()) return *std::move(decoded);
  return content;
}

}  // namespace

void AddFetchOptions(CLI::App& app, FetchOptions& options) {
  app.add_option("KEY", options.key, "key: NAME or tenants/T/keys/NAME")->required();
  app.add_option("--wrapped", options.wrapped_file,
                 "file with the wrapped DEK; `-`: standard input")
      ->required();
  app.add_option("--context", options.context, "name=value, as when it was wrapped; repeatable")
      ->take_all()
      ->expected(1);
  app.add_option("--timeout", options.timeout_seconds, "seconds for everything, retries included")
      ->check(CLI::Range(1, 3600));
}

absl::StatusOr<SecretBytes> FetchDek(const Invocation& invocation, const FetchOptions& options) {
  ASSIGN_OR_RETURN(const Settings settings, invocation.settings());
  ASSIGN_OR_RETURN(const protocol::Context context, ParsePairs("--context", options.context));
  ASSIGN_OR_RETURN(const Bytes wrapped, ReadWrappedDek(options.wrapped_file));
  ASSIGN_OR_RETURN(const auto attester, MakeAttester(settings));
  ASSIGN_OR_RETURN(const auto client,
                   ConnectWorkload(settings, absl::Seconds(options.timeout_seconds)));
  return client->FetchKey(options.key, AsBytes(wrapped), context, *attester);
}

}  // namespace latchkey::cli
