#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/secret_bytes.h"
#include "cli/invocation.h"

namespace latchkey::cli {

// What `get` and `exec` share: which DEK is asked for.
struct FetchOptions {
  std::string key;
  std::string wrapped_file;
  std::vector<std::string> context;
  int timeout_seconds = 30;
};
void AddFetchOptions(CLI::App& app, FetchOptions& options);

// `FetchDek` attests, asks, checks the whole answer and opens it.
absl::StatusOr<SecretBytes> FetchDek(const Invocation& invocation, const FetchOptions& options);

}  // namespace latchkey::cli
