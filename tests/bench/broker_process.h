#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "broker/server/broker.h"
#include "broker/server/starter.h"
#include "tests/bench/workload.h"

namespace latchkey::bench {

// `StartBroker` assembles a broker for `workload` over a SQLite file in `directory`; with TLS on
// loopback when `listen`.
struct StartedBroker {
  std::unique_ptr<server::Broker> broker;
  server::StarterPki pki;
};
StartedBroker StartBroker(const Workload& workload, const std::string& directory, bool listen);

// `BrokerProcess` is a broker in a process of its own, so that its CPU can be told from the load's.
// Fork it before the first use of gRPC here.
class BrokerProcess {
 public:
  // Also starts, in the same process, a second listener whose core answers every call with nothing:
  // the floor of a TLS call.
  BrokerProcess(Workload& workload, const std::string& directory);
  ~BrokerProcess();

  int port() const { return port_; }
  int empty_port() const { return empty_port_; }
  const std::string& ca_pem() const { return ca_pem_; }
  // User and system time of the process so far.
  double CpuSeconds();
  // Mean leaves of a commit since the start.
  double MeanGroupSize();

 private:
  std::string Command(char command);

  pid_t child_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  int port_ = 0;
  int empty_port_ = 0;
  std::string ca_pem_;
};

// User and system time of this process.
double SelfCpuSeconds();

}  // namespace latchkey::bench
