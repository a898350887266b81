#pragma once

// What a new deployment starts with: TLS certificates of its own and the CLI's configuration.
// `latchkeyd init` writes it to files; the development broker makes it anew at each start.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace latchkey::server {

struct StarterIdentity {
  std::string certificate_pem;
  SecretBytes key_pem;
};

// One CA, whose key is forgotten at once, and the three certificates that it signed for a year.
struct StarterPki {
  std::string ca_pem;
  StarterIdentity server;         // both gRPC listeners
  StarterIdentity administrator;  // the first administrator's client certificate
};

// `host` is a DNS name or an IP address; localhost and 127.0.0.1 are always in the certificate too.
absl::StatusOr<StarterPki> MakeStarterPki(std::string_view host, absl::Time now);

// `StarterClientConfig` is the CLI's configuration file (docs/cli.md), with files beside it:
// ca.pem, admin.pem, admin.key.
struct StarterClientConfig {
  std::string address;        // host:port of the workload listener
  std::string admin_address;  // of the admin listener
  std::string deployment_id;
  Bytes log_public_key;
  Bytes genesis_digest;
};
std::string ClientConfigYaml(const StarterClientConfig& config);

}  // namespace latchkey::server
