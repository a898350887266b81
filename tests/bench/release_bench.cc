// The release benchmark (docs/performance.md): per profile the floor, the in-process releaser and
// the whole broker. It mints first, then measures; every release has its own challenge and binding.
// Ratios of one run count; absolutes are printed with the machine.

#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "crypto/system_random.h"
#include "latchkey/v1/key_release.pb.h"
#include "tests/bench/broker_process.h"
#include "tests/bench/floor.h"
#include "tests/bench/load.h"
#include "tests/bench/must.h"
#include "tests/bench/workload.h"

namespace latchkey::bench {
namespace {

constexpr char kIssueChallenge[] = "/latchkey.v1.KeyRelease/IssueChallenge";
constexpr char kReleaseKeys[] = "/latchkey.v1.KeyRelease/ReleaseKeys";
constexpr int kOutstanding = 64;
constexpr int kCores = 2;

std::string Machine() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string model = "unknown CPU";
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) == 0) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  utsname system{};
  uname(&system);
  return absl::StrCat(model, ", ", std::thread::hardware_concurrency(), " cores, Linux ",
                      system.release);
}

double Quantile(std::vector<absl::Duration>& latencies, double quantile) {
  if (latencies.empty()) return 0;
  std::sort(latencies.begin(), latencies.end());
  const size_t index = std::min(
      latencies.size() - 1, static_cast<size_t>(quantile * static_cast<double>(latencies.size())));
  return absl::ToDoubleMilliseconds(latencies[index]);
}

void EnsureAllOk(const LoadResult& result, const char* what) {
  if (result.failed > 0)
    Die(absl::StrCat(what, ": ", result.failed, " failed, first: ", result.first_error));
}

// A benchmark of refusals would be fast: every answer must hold a sealed DEK.
void EnsureReleased(const Bytes& answer) {
  v1::ReleaseKeysResponse response;
  if (!response.ParseFromString(answer) || response.items_size() != 1 ||
      !response.items(0).has_released()) {
    Die(absl::StrCat("an answer released nothing: ", response.ShortDebugString()));
  }
}

std::vector<Bytes> Mint(Workload& workload, const std::vector<Bytes>& challenge_answers) {
  std::vector<Bytes> requests;
  for (const Bytes& answer : challenge_answers) {
    v1::IssueChallengeResponse issued;
    if (!issued.ParseFromString(answer)) Die("a challenge does not parse");
    requests.push_back(workload.Mint(issued.challenge()));
  }
  return requests;
}

// The core without a network, from several threads: microseconds of CPU a release.
double InProcess(Workload& workload, const std::string& directory, int count) {
  StartedBroker started = StartBroker(workload, directory, /*listen=*/false);
  workload.SetUp(started.broker->admin_core());
  front::Core& core = started.broker->workload_core();
  const absl::Time deadline = absl::Now() + absl::Minutes(10);
  std::vector<Bytes> challenges;
  for (int i = 0; i < count; ++i) {
    challenges.push_back(core.Handle(kIssueChallenge, {}, {"127.0.0.1:1", ""}, deadline).message);
  }
  const std::vector<Bytes> requests = Mint(workload, challenges);
  std::atomic<size_t> next = 0;
  const double before = SelfCpuSeconds();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (size_t mine; (mine = next.fetch_add(1)) < requests.size();) {
        const auto reply =
            core.Handle(kReleaseKeys, AsBytes(requests[mine]), {"127.0.0.1:1", ""}, deadline);
        if (reply.grpc_code != 0) Die(reply.error_message);
        EnsureReleased(reply.message);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return (SelfCpuSeconds() - before) / count * 1e6;
}

void Run(Profile profile, int count, const std::filesystem::path& directory) {
  crypto::SystemRandom random;
  Workload workload(profile, random);
  std::filesystem::create_directories(directory / "process");
  std::filesystem::create_directories(directory / "core");
  BrokerProcess broker(workload, directory / "process");
  const LoadTarget issue{broker.port(), broker.ca_pem(), kIssueChallenge};
  const LoadTarget release{broker.port(), broker.ca_pem(), kReleaseKeys};
  const LoadTarget empty{broker.empty_port(), broker.ca_pem(), "/bench/Empty"};
  const size_t total = static_cast<size_t>(count);
  const auto per_call = [&](double cpu, size_t calls) {
    return cpu / static_cast<double>(calls) * 1e6;
  };

  // Warm-up: connections, caches, the allocator.
  EnsureAllOk(ClosedLoop(empty, std::vector<Bytes>(200), kOutstanding), "warm-up");
  double mark = broker.CpuSeconds();
  EnsureAllOk(ClosedLoop(empty, std::vector<Bytes>(total), kOutstanding), "empty calls");
  const double empty_us = per_call(broker.CpuSeconds() - mark, total);

  mark = broker.CpuSeconds();
  LoadResult issued = ClosedLoop(issue, std::vector<Bytes>(2 * total), kOutstanding, true);
  EnsureAllOk(issued, "IssueChallenge");
  const double issue_us = per_call(broker.CpuSeconds() - mark, 2 * total);

  std::vector<Bytes> requests = Mint(workload, issued.answers);
  const std::vector<Bytes> second_half(requests.begin() + count, requests.end());
  requests.resize(total);
  EnsureAllOk(ClosedLoop(empty, std::vector<Bytes>(200), kOutstanding), "warm-up");
  mark = broker.CpuSeconds();
  LoadResult closed = ClosedLoop(release, requests, kOutstanding, true);
  EnsureAllOk(closed, "ReleaseKeys");
  for (const Bytes& answer : closed.answers) EnsureReleased(answer);
  const double release_us = per_call(broker.CpuSeconds() - mark, total);
  const double group_size = broker.MeanGroupSize();
  const double saturation = static_cast<double>(total) / absl::ToDoubleSeconds(closed.elapsed);

  LoadResult open = OpenLoop(release, second_half, saturation / 2);
  EnsureAllOk(open, "ReleaseKeys, open loop");

  std::vector<FloorPart> parts = MeasureFloor(workload, group_size, directory);
  parts.push_back({"two empty TLS calls", 2 * empty_us});
  double floor = 0;
  std::printf("\n%s\n", std::string(ProfileName(profile)).c_str());
  for (const FloorPart& part : parts) {
    std::printf("  %-44s %8.1f us\n", part.name.c_str(), part.microseconds);
    floor += part.microseconds;
  }
  const double in_process = InProcess(workload, directory / "core", count);
  const double whole = issue_us + release_us;
  std::printf("  %-44s %8.1f us\n", "floor", floor);
  std::printf("  %-44s %8.1f us\n", "in-process release, CPU", in_process);
  std::printf("  %-44s %8.1f us\n", "broker: IssueChallenge, CPU", issue_us);
  std::printf("  %-44s %8.1f us\n", "broker: ReleaseKeys, CPU", release_us);
  std::printf("  %-44s %8.2f\n", "broker CPU / floor", whole / floor);
  std::printf("  %-44s %8.0f releases/s\n", "capacity of 2 cores (cores / CPU)",
              kCores / whole * 1e6);
  std::printf("  %-44s %8.0f releases/s\n", "closed loop beside its load generator", saturation);
  std::printf("  %-44s %8.1f\n", "mean leaves a commit", group_size);
  std::printf("  open loop at half of that: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms\n",
              Quantile(open.latencies, 0.5), Quantile(open.latencies, 0.99),
              Quantile(open.latencies, 0.999));
}

int Main(int argc, char** argv) {
  CLI::App app("Measures releases: the floor, the in-process releaser, the whole broker.");
  int count = 3000;
  std::string only;
  app.add_option("--count", count, "releases per phase")->check(CLI::Range(10, 200000));
  app.add_option("--profile", only, "maa-rsa or snp-hpke; both when absent");
  CLI11_PARSE(app, argc, argv);
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / absl::StrCat("latchkey-bench-", getpid());
  std::printf("machine: %s\n%d releases per phase, one DEK each, SQLite with synchronous FULL\n",
              Machine().c_str(), count);
  std::fflush(stdout);
  for (const Profile profile : {Profile::kMaaRsa, Profile::kSnpHpke}) {
    if (!only.empty() && only != ProfileName(profile)) continue;
    // Each in a process of its own, because gRPC does not survive the fork of the next broker.
    const pid_t child = fork();
    if (child == 0) {
      Run(profile, count, directory / std::string(ProfileName(profile)));
      std::fflush(stdout);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) return 1;
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace latchkey::bench

int main(int argc, char** argv) { return latchkey::bench::Main(argc, argv); }
