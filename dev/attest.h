#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace latchkey::dev {

// `AttestOptions` is the machine to pretend to be; the defaults are those of dev/software_tee.
struct AttestOptions {
  std::string vendor_directory;  // where latchkeyd-dev keeps the software TEE's keys
  std::string measurement_hex;   // 96 digits; empty: the default measurement
  bool debug = false;
};

// `Attest` plays the attester of a simulated confidential VM: it reads the client's attestation
// request (docs/client.md, `command`) and returns the evidence as that protocol's JSON.
absl::StatusOr<std::string> Attest(const AttestOptions& options, std::string_view request_json);

}  // namespace latchkey::dev
