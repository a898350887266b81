#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker/server/broker.h"
#include "client/transport.h"

namespace latchkey::dev {

struct DevBrokerOptions {
  std::string directory = "latchkey-dev";  // where clients find what they need; made when absent
  std::string host = "127.0.0.1";
  int port = 0;  // of the workload listener; 0 picks one
  int admin_port = 0;
  int ops_port = 0;
  std::string program;  // this program, which also plays the attester
};

// `DevBroker` is a broker that keeps everything in memory and trusts the software TEE: for
// development and demonstrations, never for keys that matter.
//
// `Start` writes to `directory`: ca.pem, admin.pem, admin.key, the CLI configuration client.yaml
// with a simulated machine as attester, an example policy.yaml, and vendor/ with the software TEE's
// keys (kept from one start to the next).
absl::StatusOr<std::unique_ptr<server::Broker>> StartDevBroker(const DevBrokerOptions& options);

// The listener options of an interceptor beside the broker of `directory`, and its way to that
// broker. The certificate is one that clients of `directory` accept: so is that of whoever
// terminates TLS for them.
absl::StatusOr<front::ListenerOptions> InterceptorListener(const std::string& directory,
                                                           const std::string& address);
absl::StatusOr<std::unique_ptr<client::Transport>> TransportTo(const std::string& directory,
                                                               const std::string& broker_address);

}  // namespace latchkey::dev
