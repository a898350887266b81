#include "tests/bench/broker_process.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "broker/custody/software_root.h"
#include "broker/front/grpc_listener.h"
#include "broker/store/sqlite_store.h"
#include "crypto/system_random.h"
#include "tests/bench/must.h"

namespace latchkey::bench {
namespace {

// Answers everything with nothing.
class EmptyCore final : public front::Core {
 public:
  front::CoreReply Handle(std::string_view, ByteView, const front::PeerHint&, absl::Time) override {
    return {};
  }
};

front::ListenerOptions OptionsOf(const server::StarterIdentity& identity) {
  front::ListenerOptions options;
  options.address = "127.0.0.1:0";
  options.certificate_pem = identity.certificate_pem;
  options.private_key_pem = SecretBytes::CopyOf(identity.key_pem.view());
  return options;
}

double Cpu(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The sum and count of the group size histogram, from the metrics' text.
double GroupSize(const server::Metrics& metrics) {
  double sum = 0, count = 0;
  for (absl::string_view line : absl::StrSplit(metrics.Text(), '\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    if (parts.size() != 2) continue;
    if (absl::StrContains(parts[0], "group_size_sum")) sum = std::stod(parts[1]);
    if (absl::StrContains(parts[0], "group_size_count")) count = std::stod(parts[1]);
  }
  return count == 0 ? 1 : sum / count;
}

void WriteAll(int fd, const std::string& text) {
  if (write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    Die("pipe: write failed");
}

std::string ReadBlock(int fd) {
  uint32_t size = 0;
  if (read(fd, &size, sizeof size) != sizeof size) Die("broker process: ended early");
  std::string block(size, '\0');
  for (size_t got = 0; got < size;) {
    const ssize_t part = read(fd, block.data() + got, size - got);
    if (part <= 0) Die("broker process: ended early");
    got += static_cast<size_t>(part);
  }
  return block;
}

void WriteBlock(int fd, const std::string& block) {
  const uint32_t size = static_cast<uint32_t>(block.size());
  WriteAll(fd, std::string(reinterpret_cast<const char*>(&size), sizeof size) + block);
}

[[noreturn]] void ServeChild(Workload& workload, const std::string& directory, int in, int out) {
  StartedBroker started = StartBroker(workload, directory, /*listen=*/true);
  workload.SetUp(started.broker->admin_core());
  EmptyCore empty_core;
  auto empty = Must(front::StartGrpcListener(OptionsOf(started.pki.server), empty_core));
  WriteBlock(out, absl::StrCat(started.broker->workload_port()));
  WriteBlock(out, absl::StrCat(empty->port()));
  WriteBlock(out, started.pki.ca_pem);
  WriteBlock(out, workload.wrapped_dek());
  for (char command = 0; read(in, &command, 1) == 1;) {
    WriteBlock(out, absl::StrCat(command == 'c' ? SelfCpuSeconds()
                                                : GroupSize(started.broker->metrics())));
  }
  _exit(0);
}

}  // namespace

StartedBroker StartBroker(const Workload& workload, const std::string& directory, bool listen) {
  static SystemClock clock;
  static crypto::SystemRandom random;
  static NoFailpoints failpoints;
  auto root = custody::MakeSoftwareRoot(
      "bench", SecretBytes::CopyOf(AsBytes(RandomBytes(random, 32))), random);
  auto store = Must(store::OpenSqliteStore(directory + "/bench.sqlite"));
  const audit::GenesisResult genesis =
      Must(audit::CreateTenantLog(*store, *root, random, kDeployment, kTenant, clock.Now()));
  server::BrokerParts parts{.deployment_id = kDeployment,
                            .store = std::move(store),
                            .root = std::move(root),
                            .verifiers = workload.MakeVerifiers(),
                            .tenants = {{kTenant, ToBytes(genesis.genesis_digest)}},
                            .clock = clock,
                            .random = random,
                            .failpoints = failpoints,
                            .config_digest = {}};
  server::BrokerListeners listeners;
  StartedBroker started;
  if (listen) {
    started.pki = Must(server::MakeStarterPki("localhost", clock.Now()));
    listeners.workload = OptionsOf(started.pki.server);
  }
  started.broker = Must(server::Broker::Start(std::move(parts), std::move(listeners)));
  return started;
}

BrokerProcess::BrokerProcess(Workload& workload, const std::string& directory) {
  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0) Die("pipe failed");
  child_ = fork();
  if (child_ < 0) Die("fork failed");
  if (child_ == 0) {
    close(down[1]);
    close(up[0]);
    ServeChild(workload, directory, down[0], up[1]);
  }
  close(down[0]);
  close(up[1]);
  to_child_ = down[1];
  from_child_ = up[0];
  port_ = std::stoi(ReadBlock(from_child_));
  empty_port_ = std::stoi(ReadBlock(from_child_));
  ca_pem_ = ReadBlock(from_child_);
  workload.set_wrapped_dek(ReadBlock(from_child_));
}

BrokerProcess::~BrokerProcess() {
  close(to_child_);
  waitpid(child_, nullptr, 0);
  close(from_child_);
}

std::string BrokerProcess::Command(char command) {
  WriteAll(to_child_, std::string(1, command));
  return ReadBlock(from_child_);
}

double BrokerProcess::CpuSeconds() { return std::stod(Command('c')); }
double BrokerProcess::MeanGroupSize() { return std::stod(Command('g')); }

double SelfCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Cpu(usage);
}

}  // namespace latchkey::bench
