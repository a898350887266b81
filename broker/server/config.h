#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "broker/attestation/verifier.h"
#include "broker/audit/audit_log.h"

namespace latchkey::server {

// `Config` is the one configuration file of latchkeyd (docs/configuration.md). Paths are as they
// are used: relative ones were taken from the folder of the file.
struct Config {
  struct Root {
    std::string name;
    std::string key_file;
  };
  struct Listener {
    std::string address;
    std::string certificate_file;
    std::string key_file;
    std::string client_ca_file;  // of the admin listener
  };
  struct Limits {
    size_t message_bytes = 4 << 20;
    int streams_per_connection = 100;
    int worker_threads = 64;
    int queued_calls = 1024;
    double challenges_per_second = 0;  // of one peer; 0: no limit
  };

  std::string deployment_id;
  std::string store_path;
  Root root;
  Listener workload;
  Listener admin;
  std::string ops_address;  // empty: none
  std::vector<audit::PinnedGenesis> tenants;
  std::vector<attestation::AuthorityConfig> authorities;
  bool snp_enabled = true;
  Limits limits;
  absl::Duration challenge_ttl = absl::Minutes(5);
  absl::Duration drain_grace = absl::Seconds(20);
  Bytes digest;  // SHA-256 of the file and of the key sets it names
};

// `ParseConfig` reads the text of `file_name`. Unknown and repeated keys, wrong types and values
// out of range are InvalidArgument in one line: "file:line:column: key: fault; mend". Key sets are
// read from their files; secret files are not touched.
absl::StatusOr<Config> ParseConfig(const std::string& file_name, const std::string& text);

// Reads the file, then the same.
absl::StatusOr<Config> LoadConfig(const std::string& file_name);

}  // namespace latchkey::server
