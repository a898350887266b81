#include "cli/context.h"

#include <cstdlib>
#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "cli/files.h"
#include "cli/output.h"
#include "client/attesters/command.h"
#include "client/attesters/configfs_tsm.h"
#include "client/attesters/token_file.h"
#include "yaml-cpp/yaml.h"

namespace latchkey::cli {
namespace {

constexpr absl::Duration kAdminTimeout = absl::Seconds(30);

struct Member {
  const char* name;
  std::string Settings::*value;
  bool is_file = false;
};
constexpr Member kMembers[] = {
    {"address", &Settings::address},
    {"admin_address", &Settings::admin_address},
    {"ca_file", &Settings::ca_file, true},
    {"deployment_id", &Settings::deployment_id},
    {"log_public_key", &Settings::log_public_key},
    {"genesis_digest", &Settings::genesis_digest},
    {"tenant", &Settings::tenant},
    {"admin_cert_file", &Settings::admin_cert_file, true},
    {"admin_key_file", &Settings::admin_key_file, true},
};

// Reads one settings file; knows its name for messages and its folder for paths.
class Reader {
 public:
  explicit Reader(std::string path)
      : path_(std::move(path)), folder_(std::filesystem::path(path_).parent_path()) {}

  absl::StatusOr<Settings> Read(const std::string& text) {
    YAML::Node root;
    try {
      root = YAML::Load(text);
    } catch (const YAML::Exception& error) {
      return Fault(error.mark, error.msg);
    }
    Settings settings;
    if (!root.IsMap()) return Fault(root.Mark(), "not a mapping of settings");
    for (const auto& entry : root) {
      const std::string key = entry.first.Scalar();
      if (key == "attester") {
        RETURN_IF_ERROR(ReadAttester(entry.second, settings.attester));
        continue;
      }
      const Member* member = FindMember(key);
      if (member == nullptr)
        return Fault(entry.first.Mark(), absl::StrCat("unknown key `", key, "`"));
      ASSIGN_OR_RETURN(const std::string value, Text(key, entry.second));
      settings.*(member->value) = member->is_file ? Resolve(value) : value;
    }
    return settings;
  }

 private:
  static const Member* FindMember(const std::string& key) {
    for (const Member& member : kMembers) {
      if (key == member.name) return &member;
    }
    return nullptr;
  }

  absl::Status ReadAttester(const YAML::Node& node, Settings::Attester& attester) {
    if (!node.IsMap()) return Fault(node.Mark(), "attester: not a mapping");
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      if (key == "kind") {
        ASSIGN_OR_RETURN(attester.kind, Text(key, entry.second));
      } else if (key == "argv") {
        if (!entry.second.IsSequence()) return Fault(entry.second.Mark(), "argv: not a list");
        for (const YAML::Node& argument : entry.second) {
          ASSIGN_OR_RETURN(const std::string text, Text(key, argument));
          attester.argv.push_back(text);
        }
      } else if (key == "token_file") {
        ASSIGN_OR_RETURN(const std::string file, Text(key, entry.second));
        attester.token_file = Resolve(file);
      } else if (key == "recipient_key_file") {
        ASSIGN_OR_RETURN(const std::string file, Text(key, entry.second));
        attester.recipient_key_file = Resolve(file);
      } else {
        return Fault(entry.first.Mark(), absl::StrCat("attester: unknown key `", key, "`"));
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Text(const std::string& key, const YAML::Node& node) const {
    if (node.IsScalar()) return node.Scalar();
    return Fault(node.Mark(), absl::StrCat(key, ": not a text"));
  }

  std::string Resolve(const std::string& file) const {
    return (folder_ / file).lexically_normal().string();
  }

  absl::Status Fault(const YAML::Mark& mark, const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ":", mark.line + 1, ":", mark.column + 1, ": ", what));
  }

  const std::string path_;
  const std::filesystem::path folder_;
};

absl::StatusOr<Settings> ReadSettingsFile(const std::string& path) {
  std::string file = path;
  if (file.empty()) {
    if (const char* named = std::getenv("LATCHKEY_CONFIG")) file = named;
  }
  if (file.empty()) {
    const char* home = std::getenv("HOME");
    if (home == nullptr) return Settings();
    file = absl::StrCat(home, "/.config/latchkey/config.yaml");
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return Settings();
  }
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file));
  return Reader(file).Read(text);
}

absl::Status EnsureGiven(const std::string& value, const std::string& key,
                         const std::string& flag) {
  if (!value.empty()) return absl::OkStatus();
  return UsageError(absl::StrCat("no ", key, "; give ", flag, " or set `", key,
                                 "` in the settings file (--config FILE or $LATCHKEY_CONFIG)"));
}

}  // namespace

absl::StatusOr<Settings> LoadSettings(const std::string& path, const Settings& flags) {
  ASSIGN_OR_RETURN(Settings settings, ReadSettingsFile(path));
  for (const Member& member : kMembers) {
    if (!(flags.*(member.value)).empty()) settings.*(member.value) = flags.*(member.value);
  }
  if (settings.tenant.empty()) settings.tenant = "default";
  return settings;
}

absl::StatusOr<Bytes> LogPublicKey(const Settings& settings) {
  RETURN_IF_ERROR(EnsureGiven(settings.log_public_key, "log_public_key", "--log-public-key"));
  auto key = Base64Decode(settings.log_public_key);
  if (key.ok() && key->size() == 32) return key;
  return absl::InvalidArgumentError("log_public_key: not base64 of a 32-byte Ed25519 key");
}

absl::StatusOr<Bytes> GenesisDigest(const Settings& settings) {
  RETURN_IF_ERROR(EnsureGiven(settings.genesis_digest, "genesis_digest", "--genesis-digest"));
  auto digest = HexDecode(settings.genesis_digest);
  if (digest.ok() && digest->size() == 32) return digest;
  return absl::InvalidArgumentError("genesis_digest: not 64 hex digits");
}

absl::StatusOr<std::unique_ptr<client::AdminClient>> ConnectAdmin(const Settings& settings) {
  RETURN_IF_ERROR(EnsureGiven(settings.admin_address, "admin_address", "--admin-address"));
  RETURN_IF_ERROR(EnsureGiven(settings.ca_file, "ca_file", "--ca-file"));
  RETURN_IF_ERROR(EnsureGiven(settings.admin_cert_file, "admin_cert_file", "--admin-cert-file"));
  RETURN_IF_ERROR(EnsureGiven(settings.admin_key_file, "admin_key_file", "--admin-key-file"));
  client::GrpcTransportOptions options{.address = settings.admin_address};
  ASSIGN_OR_RETURN(options.ca_pem, ReadTextFile(settings.ca_file));
  ASSIGN_OR_RETURN(options.certificate_pem, ReadTextFile(settings.admin_cert_file));
  ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(settings.admin_key_file));
  options.private_key_pem = AsText(key.view());
  ASSIGN_OR_RETURN(auto transport, client::MakeGrpcTransport(options));
  return std::make_unique<client::AdminClient>(std::move(transport), kAdminTimeout);
}

absl::StatusOr<std::unique_ptr<client::KeyClient>> ConnectWorkload(const Settings& settings,
                                                                   absl::Duration timeout) {
  RETURN_IF_ERROR(EnsureGiven(settings.address, "address", "--address"));
  RETURN_IF_ERROR(EnsureGiven(settings.ca_file, "ca_file", "--ca-file"));
  RETURN_IF_ERROR(EnsureGiven(settings.deployment_id, "deployment_id", "--deployment-id"));
  client::KeyClientOptions options{.address = settings.address};
  ASSIGN_OR_RETURN(options.ca_pem, ReadTextFile(settings.ca_file));
  ASSIGN_OR_RETURN(options.log_public_key, LogPublicKey(settings));
  options.deployment_id = settings.deployment_id;
  options.tenant = settings.tenant;
  options.timeout = timeout;
  return client::KeyClient::Create(options);
}

absl::StatusOr<std::unique_ptr<client::Attester>> MakeAttester(const Settings& settings) {
  const Settings::Attester& attester = settings.attester;
  if (attester.kind == "configfs_tsm") {
    return client::MakeConfigfsTsmAttester(client::KernelTsmReports());
  }
  if (attester.kind == "command") {
    return client::MakeCommandAttester(
        {.argv = attester.argv, .recipient_key_path = attester.recipient_key_file});
  }
  if (attester.kind == "token_file") {
    RETURN_IF_ERROR(EnsureGiven(attester.token_file, "attester.token_file", "it"));
    RETURN_IF_ERROR(EnsureGiven(attester.recipient_key_file, "attester.recipient_key_file", "it"));
    return client::MakeTokenFileAttester(attester.token_file, attester.recipient_key_file);
  }
  return UsageError(absl::StrCat("attester kind `", attester.kind,
                                 "`; set `attester: {kind: configfs_tsm}` (or command, token_file) "
                                 "in the settings file"));
}

}  // namespace latchkey::cli
