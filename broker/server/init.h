#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/random.h"

namespace latchkey::server {

struct InitOptions {
  std::string directory;  // made when absent; must be empty
  std::string deployment_id;
  std::string host = "127.0.0.1";  // the name or address under which clients reach the broker
  int port = 8443;
  int admin_port = 8444;
  int ops_port = 9464;
};

// What `InitDeployment` made, in words for the operator: where it lies, what to back up and what to
// pin.
struct InitResult {
  std::string config_file;
  std::string report;
};

// `InitDeployment` makes a deployment: the root key, the database with the log of the tenant
// `default` (its key and leaf 0), TLS certificates of a CA whose key is forgotten at once,
// latchkeyd.yaml, and the folder client/ for the first administrator. Nothing that exists is
// overwritten: AlreadyExists when the directory holds anything.
absl::StatusOr<InitResult> InitDeployment(const InitOptions& options, Clock& clock, Random& random);

}  // namespace latchkey::server
