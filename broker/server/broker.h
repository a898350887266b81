#pragma once

// broker/server is the core's face: bytes in, bytes out; proto <-> domain; configuration, logs,
// metrics, health. `Broker` assembles the whole of it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/random.h"
#include "broker/attestation/verifier.h"
#include "broker/audit/audit_log.h"
#include "broker/custody/root.h"
#include "broker/front/core.h"
#include "broker/front/grpc_listener.h"
#include "broker/server/metrics.h"
#include "broker/store/store.h"

namespace latchkey::server {

// `BrokerParts` is every concrete part, chosen by the program. `clock`, `random` and `failpoints`
// must outlive the broker.
struct BrokerParts {
  std::string deployment_id;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<custody::Root> root;
  std::unique_ptr<attestation::Verifiers> verifiers;
  // Each tenant's log exists (audit::CreateTenantLog) and starts with the leaf of this digest.
  std::vector<audit::PinnedGenesis> tenants;
  Clock& clock;
  Random& random;
  Failpoints& failpoints;
  absl::Duration challenge_ttl = absl::Minutes(5);
  double challenges_per_second = 0;  // of one peer; 0: no limit
  // SHA-256 of the configuration. When it is another than last time, each tenant's log gets a
  // CONFIG_LOADED leaf; empty: nothing is recorded.
  Bytes config_digest;
};

// Where the broker listens. An absent listener is not started: the cores can also be called in the
// process.
struct BrokerListeners {
  std::optional<front::ListenerOptions> workload;
  // Must require client certificates: they are the administrators' identity.
  std::optional<front::ListenerOptions> admin;
  std::string ops_address;  // empty: none
};

// `Broker` is a running broker. Thread-safe.
class Broker {
 public:
  static absl::StatusOr<std::unique_ptr<Broker>> Start(BrokerParts parts,
                                                       BrokerListeners listeners);
  virtual ~Broker() = default;

  virtual front::Core& workload_core() = 0;
  virtual front::Core& admin_core() = 0;
  virtual audit::AuditLog& audit_log() = 0;
  virtual const Metrics& metrics() const = 0;
  // 0 when that listener is absent.
  virtual int workload_port() const = 0;
  virtual int admin_port() const = 0;
  virtual int ops_port() const = 0;

  // What the background thread does once a minute: removes what has expired and records the
  // attempts that were refused before authentic evidence.
  virtual absl::Status Sweep() = 0;
  // Not ready, then waits for calls in flight up to `grace`, then cuts. Once.
  virtual void Drain(absl::Duration grace) = 0;
};

}  // namespace latchkey::server
