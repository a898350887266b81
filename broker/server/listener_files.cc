#include "broker/server/listener_files.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/secret_file.h"
#include "base/status_macros.h"
#include "crypto/signature.h"
#include "crypto/x509.h"

namespace latchkey::server {
namespace {

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read; does it exist, and may we?"));
  }
  const auto certificates = crypto::Certificate::ParsePem(text.str());
  if (!certificates.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", certificates.status().message(),
                                                   "; a PEM certificate is expected"));
  }
  return text.str();
}

// gRPC reports a wrong pair only as a handshake that fails later, for somebody else.
absl::Status EnsurePair(const Config::Listener& listener, const front::ListenerOptions& options,
                        absl::Time now) {
  ASSIGN_OR_RETURN(const auto chain, crypto::Certificate::ParsePem(options.certificate_pem));
  if (const absl::Status dates = chain.front().CheckDates(now); !dates.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(listener.certificate_file, ": ", dates.message(), "; renew it"));
  }
  const auto key = crypto::PrivateKey::FromPem(AsText(options.private_key_pem.view()));
  if (!key.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(listener.key_file, ": ", key.status().message()));
  }
  if (key->public_key().SpkiDer() != chain.front().public_key().SpkiDer()) {
    return absl::InvalidArgumentError(
        absl::StrCat(listener.key_file, ": is not the key of ", listener.certificate_file));
  }
  return absl::OkStatus();
}

absl::StatusOr<front::ListenerOptions> ReadListener(const Config::Listener& listener,
                                                    const Config::Limits& limits, absl::Time now) {
  front::ListenerOptions options;
  options.address = listener.address;
  ASSIGN_OR_RETURN(options.certificate_pem, ReadPem(listener.certificate_file));
  ASSIGN_OR_RETURN(options.private_key_pem, ReadSecretFile(listener.key_file));
  RETURN_IF_ERROR(EnsurePair(listener, options, now));
  if (!listener.client_ca_file.empty()) {
    ASSIGN_OR_RETURN(options.client_ca_pem, ReadPem(listener.client_ca_file));
    options.require_client_certificate = true;
  }
  options.max_message_bytes = limits.message_bytes;
  options.max_concurrent_streams = limits.streams_per_connection;
  options.threads = limits.worker_threads;
  options.max_queued = limits.queued_calls;
  return options;
}

}  // namespace

absl::StatusOr<BrokerListeners> ReadListeners(const Config& config, absl::Time now) {
  BrokerListeners listeners;
  ASSIGN_OR_RETURN(listeners.workload, ReadListener(config.workload, config.limits, now));
  ASSIGN_OR_RETURN(listeners.admin, ReadListener(config.admin, config.limits, now));
  listeners.ops_address = config.ops_address;
  return listeners;
}

}  // namespace latchkey::server
