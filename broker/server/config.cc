#include "broker/server/config.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/server/yaml_mapping.h"
#include "crypto/digest.h"
#include "protocol/names.h"

namespace latchkey::server {
namespace {

constexpr size_t kDigestBytes = 32;
constexpr size_t kMaxFileBytes = 1 << 20;

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof()) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read; does it exist, and may we?"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": larger than ", kMaxFileBytes, " bytes"));
  }
  return text;
}

// `ConfigReader` is one reading of one file.
class ConfigReader {
 public:
  explicit ConfigReader(const std::string& file_name)
      : folder_(std::filesystem::path(file_name).parent_path()),
        fault_{file_name, absl::OkStatus()} {}

  absl::StatusOr<Config> Read(const std::string& text) {
    ASSIGN_OR_RETURN(YAML::Node node, LoadYaml(fault_.file_name, text));
    YamlMapping top(std::move(node), "", fault_);
    digested_ = text;
    Config config;
    config.deployment_id = Name(top, "deployment_id");
    ReadStore(top.Child("store"), config);
    ReadRoot(top.Child("root"), config);
    ReadListeners(top.Child("listeners"), config);
    for (YamlMapping& tenant : top.Children("tenants")) ReadTenant(tenant, config);
    if (config.tenants.empty()) top.Report("tenants", "name at least one; latchkeyd init makes it");
    for (YamlMapping& authority : top.Children("authorities")) ReadAuthority(authority, config);
    YamlMapping snp = top.Child("snp");
    config.snp_enabled = snp.Flag("enabled", true);
    snp.Finish();
    ReadLimits(top.Child("limits"), config.limits);
    config.challenge_ttl =
        top.Duration("challenge_ttl", config.challenge_ttl, absl::Seconds(30), absl::Minutes(15));
    config.drain_grace =
        top.Duration("drain_grace", config.drain_grace, absl::Seconds(0), absl::Minutes(10));
    top.Finish();
    if (!fault_.status.ok()) return fault_.status;
    config.digest = ToBytes(crypto::Sha256(AsBytes(digested_)));
    return config;
  }

 private:
  std::string Name(YamlMapping& mapping, const char* key) {
    std::string name = mapping.Text(key);
    if (const absl::Status checked = protocol::CheckName(key, name);
        !name.empty() && !checked.ok()) {
      mapping.Report(key, std::string(checked.message()));
    }
    return name;
  }

  std::string Path(YamlMapping& mapping, const char* key) {
    const std::string path = mapping.Text(key);
    return path.empty() ? path : (folder_ / path).lexically_normal().string();
  }

  void ExpectKind(YamlMapping& mapping, const char* key, std::string_view only) {
    const std::string kind = mapping.Text(key);
    if (!kind.empty() && kind != only) {
      mapping.Report(key, absl::StrCat("\"", kind, "\" is not supported; write ", ToAbsl(only)));
    }
  }

  void ReadStore(YamlMapping store, Config& config) {
    ExpectKind(store, "kind", "sqlite");
    config.store_path = Path(store, "path");
    store.Finish();
  }

  void ReadRoot(YamlMapping root, Config& config) {
    config.root.name = Name(root, "name");
    ExpectKind(root, "kind", "software");
    config.root.key_file = Path(root, "key_file");
    root.Finish();
  }

  Config::Listener ReadListener(YamlMapping mapping, bool is_admin) {
    Config::Listener listener;
    listener.address = mapping.Text("address");
    listener.certificate_file = Path(mapping, "certificate_file");
    listener.key_file = Path(mapping, "key_file");
    if (is_admin) listener.client_ca_file = Path(mapping, "client_ca_file");
    mapping.Finish();
    return listener;
  }

  void ReadListeners(YamlMapping listeners, Config& config) {
    config.workload = ReadListener(listeners.Child("workload"), false);
    config.admin = ReadListener(listeners.Child("admin"), true);
    if (listeners.Has("ops")) {
      YamlMapping ops = listeners.Child("ops");
      config.ops_address = ops.Text("address");
      ops.Finish();
    }
    listeners.Finish();
  }

  void ReadTenant(YamlMapping& mapping, Config& config) {
    audit::PinnedGenesis tenant{Name(mapping, "name"), ""};
    const std::string digest = mapping.Text("genesis_digest");
    if (auto bytes = HexDecode(digest); bytes.ok() && bytes->size() == kDigestBytes) {
      tenant.digest = *std::move(bytes);
    } else {
      mapping.Report("genesis_digest", "write the 64 hex digits that latchkeyd init printed");
    }
    mapping.Finish();
    if (!tenants_.insert(tenant.tenant).second) {
      mapping.Report("name", absl::StrCat(tenant.tenant, " is there twice"));
    }
    config.tenants.push_back(std::move(tenant));
  }

  void ReadAuthority(YamlMapping& mapping, Config& config) {
    attestation::AuthorityConfig authority;
    authority.name = Name(mapping, "name");
    ExpectKind(mapping, "profile", "maa");
    authority.profile = "maa";
    authority.issuer = mapping.Text("issuer");
    authority.policy_hashes = mapping.Texts("policy_hashes");
    if (mapping.Has("jwks") == mapping.Has("jwks_file")) {
      mapping.Report("jwks_file", "name a key set, either by jwks_file or inline by jwks");
    } else if (mapping.Has("jwks")) {
      authority.jwks = mapping.Text("jwks");
    } else if (const std::string path = Path(mapping, "jwks_file"); !path.empty()) {
      auto jwks = ReadTextFile(path);
      if (!jwks.ok()) mapping.Report("jwks_file", std::string(jwks.status().message()));
      if (jwks.ok()) authority.jwks = *std::move(jwks);
      AppendLp(digested_, authority.jwks);
    }
    mapping.Finish();
    if (!authorities_.insert(authority.name).second) {
      mapping.Report("name", absl::StrCat(authority.name, " is there twice"));
    }
    config.authorities.push_back(std::move(authority));
  }

  static void ReadLimits(YamlMapping mapping, Config::Limits& limits) {
    limits.message_bytes =
        mapping.Number("message_bytes", limits.message_bytes, 64 << 10, 16 << 20);
    limits.streams_per_connection = static_cast<int>(
        mapping.Number("streams_per_connection", limits.streams_per_connection, 1, 10000));
    limits.worker_threads =
        static_cast<int>(mapping.Number("worker_threads", limits.worker_threads, 1, 512));
    limits.queued_calls =
        static_cast<int>(mapping.Number("queued_calls", limits.queued_calls, 1, 1 << 20));
    limits.challenges_per_second =
        static_cast<double>(mapping.Number("challenges_per_second", 0, 0, 1'000'000));
    mapping.Finish();
  }

  const std::filesystem::path folder_;
  YamlFault fault_;
  std::string digested_;
  std::set<std::string> tenants_;
  std::set<std::string> authorities_;
};

}  // namespace

absl::StatusOr<Config> ParseConfig(const std::string& file_name, const std::string& text) {
  return ConfigReader(file_name).Read(text);
}

absl::StatusOr<Config> LoadConfig(const std::string& file_name) {
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file_name));
  return ParseConfig(file_name, text);
}

}  // namespace latchkey::server
