#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "client/admin_client.h"
#include "client/attester.h"
#include "client/key_client.h"

namespace latchkey::cli {

// `Settings` is which broker to talk to and how it is known (docs/cli.md). Files are absolute or
// relative to the settings file.
struct Settings {
  std::string address;        // workload listener
  std::string admin_address;  // admin listener
  std::string ca_file;
  std::string deployment_id;
  std::string log_public_key;  // base64 of 32 bytes
  std::string genesis_digest;  // 64 hex digits
  std::string tenant;          // empty: default
  std::string admin_cert_file;
  std::string admin_key_file;

  struct Attester {
    std::string kind;  // command, configfs_tsm, token_file
    std::vector<std::string> argv;
    std::string token_file;
    std::string recipient_key_file;
  } attester;
};

// `LoadSettings` reads the settings file: `path`, or else $LATCHKEY_CONFIG, or else
// ~/.config/latchkey/config.yaml, which alone may be absent. What stands in `flags` wins.
// InvalidArgument names file, line and key.
absl::StatusOr<Settings> LoadSettings(const std::string& path, const Settings& flags);

// The pinned values, decoded. InvalidArgument names the setting that is missing.
absl::StatusOr<Bytes> LogPublicKey(const Settings& settings);
absl::StatusOr<Bytes> GenesisDigest(const Settings& settings);

absl::StatusOr<std::unique_ptr<client::AdminClient>> ConnectAdmin(const Settings& settings);
absl::StatusOr<std::unique_ptr<client::KeyClient>> ConnectWorkload(const Settings& settings,
                                                                   absl::Duration timeout);
absl::StatusOr<std::unique_ptr<client::Attester>> MakeAttester(const Settings& settings);

}  // namespace latchkey::cli
