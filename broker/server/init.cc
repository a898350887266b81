#include "broker/server/init.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/audit/audit_log.h"
#include "broker/custody/software_root.h"
#include "broker/server/starter.h"
#include "broker/store/sqlite_store.h"
#include "protocol/names.h"

namespace latchkey::server {
namespace {

namespace fs = std::filesystem;

constexpr char kTenant[] = "default";
constexpr char kRootName[] = "software";

absl::Status WriteText(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat(path.string(), ": cannot be written"));
  return absl::OkStatus();
}

absl::Status MakeEmptyDirectory(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (!failed && !fs::is_empty(path, failed) && !failed) {
    return absl::AlreadyExistsError(absl::StrCat(
        path.string(), ": is not empty; name a new directory, nothing is overwritten"));
  }
  if (!failed) fs::permissions(path, fs::perms::owner_all, failed);
  if (failed) {
    return absl::UnavailableError(absl::StrCat(path.string(), ": ", failed.message()));
  }
  return absl::OkStatus();
}

absl::StatusOr<audit::GenesisResult> MakeRootAndLog(const fs::path& directory,
                                                    const std::string& deployment_id, Clock& clock,
                                                    Random& random) {
  const std::string key_file = (directory / "root.key").string();
  RETURN_IF_ERROR(custody::CreateSoftwareRootFile(key_file, random));
  ASSIGN_OR_RETURN(const auto root, custody::OpenSoftwareRoot(kRootName, key_file, random));
  ASSIGN_OR_RETURN(const auto store, store::OpenSqliteStore((directory / "latchkey.db").string()));
  return audit::CreateTenantLog(*store, *root, random, deployment_id, kTenant, clock.Now());
}

absl::Status WriteCertificates(const fs::path& directory, const StarterPki& pki) {
  RETURN_IF_ERROR(WriteText(directory / "ca.pem", pki.ca_pem));
  RETURN_IF_ERROR(WriteText(directory / "server.pem", pki.server.certificate_pem));
  RETURN_IF_ERROR(WriteSecretFile((directory / "server.key").string(), pki.server.key_pem.view()));
  const fs::path client = directory / "client";
  RETURN_IF_ERROR(MakeEmptyDirectory(client));
  RETURN_IF_ERROR(WriteText(client / "ca.pem", pki.ca_pem));
  RETURN_IF_ERROR(WriteText(client / "admin.pem", pki.administrator.certificate_pem));
  return WriteSecretFile((client / "admin.key").string(), pki.administrator.key_pem.view());
}

std::string AddressOf(const std::string& host, int port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

std::string StarterConfig(const InitOptions& options, const audit::GenesisResult& genesis) {
  const bool is_local = options.host == "localhost" || options.host == "127.0.0.1";
  const std::string host = is_local ? "127.0.0.1" : "0.0.0.0";
  return absl::StrCat(
      "# The configuration of latchkeyd: docs/configuration.md. Relative paths start at this "
      "file's\n"
      "# folder. Check a change with `latchkeyd check-config --config <this file>`.\n"
      "deployment_id: ",
      options.deployment_id, "\n\n",
      "store: {kind: sqlite, path: latchkey.db}\n"
      "root: {name: ",
      kRootName, ", kind: software, key_file: root.key}\n\n",
      "listeners:\n"
      "  workload:\n"
      "    address: ",
      AddressOf(host, options.port), "\n",
      "    certificate_file: server.pem\n"
      "    key_file: server.key\n"
      "  admin:\n"
      "    address: ",
      AddressOf(host, options.admin_port), "\n",
      "    certificate_file: server.pem\n"
      "    key_file: server.key\n"
      "    client_ca_file: ca.pem\n"
      "  ops:\n"
      "    address: ",
      AddressOf("127.0.0.1", options.ops_port), "\n\n",
      "tenants:\n"
      "- name: ",
      kTenant, "\n",
      "  # SHA-256 of leaf 0 of the tenant's log. Another log is refused.\n"
      "  genesis_digest: ",
      HexEncode(genesis.genesis_digest), "\n\n",
      "# Our own verification of SEV-SNP reports: `source: hardware` in policies.\n"
      "snp: {enabled: true}\n\n"
      "# Outside verifiers whose tokens count, by name in policies (`source: maa-weu`).\n"
      "# authorities:\n"
      "# - name: maa-weu\n"
      "#   profile: maa\n"
      "#   issuer: https://sharedweu.weu.attest.azure.net\n"
      "#   jwks_file: maa-weu.jwks.json\n"
      "#   policy_hashes: []        # pin yours: one signing key serves all customers of a "
      "region\n");
}

std::string Report(const InitOptions& options, const fs::path& directory,
                   const audit::GenesisResult& genesis) {
  const std::string at = directory.string();
  return absl::StrCat(
      "made deployment ", options.deployment_id, " in ", at, "\n\n",
      "start the broker:   latchkeyd serve --config ", at, "/latchkeyd.yaml\n",
      "be administrator:   export LATCHKEY_CONFIG=", at, "/client/client.yaml\n\n",
      "back up now, apart from each other:\n"
      "  ",
      at,
      "/root.key      without it every key of this deployment is lost for good;\n"
      "                  with it and a copy of the database, whoever holds both has every key\n"
      "  ",
      at,
      "/latchkey.db   keys (encrypted), policies and the log; back it up again and again\n"
      "move off this host: ",
      at, "/client/ (the first administrator's certificate and its key)\n\n",
      "clients pin, whatever TLS says:\n"
      "  deployment_id:  ",
      options.deployment_id, "\n",
      "  log_public_key: ", Base64Encode(AsBytes(genesis.log_public_key)), "\n",
      "  genesis_digest: ", HexEncode(genesis.genesis_digest), "\n\n",
      "The root key lies on this host: whoever is root here can read every key.\n");
}

}  // namespace

absl::StatusOr<InitResult> InitDeployment(const InitOptions& options, Clock& clock,
                                          Random& random) {
  RETURN_IF_ERROR(protocol::CheckName("deployment id", options.deployment_id));
  if (options.directory.empty()) {
    return absl::InvalidArgumentError("directory: is empty; name one with --dir");
  }
  const fs::path directory = fs::absolute(options.directory).lexically_normal();
  RETURN_IF_ERROR(MakeEmptyDirectory(directory));
  ASSIGN_OR_RETURN(const audit::GenesisResult genesis,
                   MakeRootAndLog(directory, options.deployment_id, clock, random));
  ASSIGN_OR_RETURN(const StarterPki pki, MakeStarterPki(options.host, clock.Now()));
  RETURN_IF_ERROR(WriteCertificates(directory, pki));
  RETURN_IF_ERROR(WriteText(
      directory / "client" / "client.yaml",
      ClientConfigYaml({AddressOf(options.host, options.port),
                        AddressOf(options.host, options.admin_port), options.deployment_id,
                        genesis.log_public_key, ToBytes(genesis.genesis_digest)})));
  const fs::path config = directory / "latchkeyd.yaml";
  RETURN_IF_ERROR(WriteText(config, StarterConfig(options, genesis)));
  return InitResult{config.string(), Report(options, directory, genesis)};
}

}  // namespace latchkey::server
