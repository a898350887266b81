#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/attester.h"

namespace latchkey::client {

// `CommandAttesterOptions` names a program that makes evidence.
struct CommandAttesterOptions {
  // The program by absolute path, then its arguments. No shell reads them.
  std::vector<std::string> argv;
  absl::Duration timeout = absl::Seconds(10);
  // Of a platform whose token names an RSA recipient key: that key's PEM file, as in token_file.h.
  // Empty: the client's own fresh key.
  std::string recipient_key_path;
};

// `MakeCommandAttester` runs the program once a fetch. It gets on standard input one JSON object
//   {"report_data": hex of 64 bytes, "nonce": hex of 32, "platform_nonce": hex of 32}
// and answers on standard output, at most 256 KiB, with
//   {"snp_report": base64, "endorsements": [PEM, ...]}   or   {"token": "eyJ..."}.
// Its standard error is the caller's. An exit code other than 0, other output, or taking longer
// than `timeout` is an error.
absl::StatusOr<std::unique_ptr<Attester>> MakeCommandAttester(
    const CommandAttesterOptions& options);

}  // namespace latchkey::client
