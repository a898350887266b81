// The small parts of the edge: rates, metrics, the metered store, the ops port.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "broker/server/metered_store.h"
#include "broker/server/metrics.h"
#include "broker/server/ops_listener.h"
#include "broker/server/rate_limiter.h"
#include "broker/store/memory_store.h"
#include "gmock/gmock.h"
#include "tests/support/matchers.h"

namespace latchkey::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const absl::Time kNow = absl::FromUnixSeconds(1767225600);

TEST(RateLimiterTest, PeerBeyondItsRateWaitsAndOthersDoNot) {
  RateLimiter limiter(2);
  EXPECT_TRUE(limiter.Admit("a", kNow));
  EXPECT_TRUE(limiter.Admit("a", kNow));
  EXPECT_FALSE(limiter.Admit("a", kNow));
  EXPECT_TRUE(limiter.Admit("b", kNow));
  EXPECT_FALSE(limiter.Admit("a", kNow + absl::Milliseconds(499)));
  EXPECT_TRUE(limiter.Admit("a", kNow + absl::Milliseconds(1000)));
}

TEST(RateLimiterTest, ClockThatStepsBackGrantsNothing) {
  RateLimiter limiter(1);
  EXPECT_TRUE(limiter.Admit("a", kNow));
  EXPECT_FALSE(limiter.Admit("a", kNow - absl::Hours(1)));
}

TEST(RateLimiterTest, ZeroIsNoLimit) {
  RateLimiter limiter(0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.Admit("a", kNow));
}

TEST(RateLimiterTest, ConnectionsOfOneHostCountTogether) {
  EXPECT_EQ(RateLimiter::HostOf("ipv4:10.0.0.1:5000"), "ipv4:10.0.0.1");
  EXPECT_EQ(RateLimiter::HostOf("ipv6:%5B::1%5D:5000"), "ipv6:%5B::1%5D");
  EXPECT_EQ(RateLimiter::HostOf(""), "");
}

TEST(MetricsTest, TextIsPrometheusFormat) {
  Metrics metrics;
  metrics.releases.With("released").Add(3);
  metrics.refusals.With("POLICY_REFUSED").Add();
  metrics.commit_seconds.Observe(0.003);
  metrics.log_size.Raise(7);
  metrics.log_size.Raise(5);
  metrics.request_seconds.With("ReleaseKeys").Observe(20);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("latchkey_releases_total{outcome=\"released\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("latchkey_releases_total{outcome=\"refused\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("latchkey_refusals_total{reason=\"POLICY_REFUSED\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("latchkey_store_commit_seconds_bucket{le=\"0.0025\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("latchkey_store_commit_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("latchkey_store_commit_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("latchkey_log_size 7\n"));
  EXPECT_THAT(text,
              HasSubstr("latchkey_request_seconds_bucket{method=\"ReleaseKeys\",le=\"+Inf\"} 1\n"));
}

TEST(MeteredStoreTest, CommitsAreTimedWithTheirLeaves) {
  const auto inner = store::NewMemoryStore();
  Metrics metrics;
  MeteredStore store(*inner, metrics);
  EXPECT_THAT(store.Transact(kNow,
                             [](store::Transaction& transaction) {
                               auto first = transaction.Append("log", AsBytes("a"));
                               return first.ok() ? transaction.Append("log", AsBytes("b")).status()
                                                 : first.status();
                             }),
              IsOk());
  EXPECT_THAT(metrics.Text(), HasSubstr("latchkey_commit_group_size_bucket{le=\"1\"} 0\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("latchkey_commit_group_size_bucket{le=\"2\"} 1\n"));
}

TEST(MeteredStoreTest, StoreThatCannotWriteIsNoticedAndBodysOwnErrorIsNot) {
  const auto inner = store::NewMemoryStore();
  Metrics metrics;
  MeteredStore store(*inner, metrics);
  EXPECT_THAT(store.Transact(kNow, [](auto&) { return absl::AbortedError("no"); }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_TRUE(store.writable());
  EXPECT_THAT(store.Transact(kNow, [](auto&) { return absl::UnavailableError("disk"); }),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(store.writable());
  EXPECT_THAT(store.Transact(kNow, [](auto&) { return absl::OkStatus(); }), IsOk());
  EXPECT_TRUE(store.writable());
}

std::string Fetch(int port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t size; (size = read(fd, buffer, sizeof(buffer))) > 0;) answer.append(buffer, size);
  close(fd);
  return answer;
}

std::string Get(int port, const std::string& path) {
  return Fetch(port, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

TEST(OpsListenerTest, ProbesAndMetricsAreServed) {
  std::atomic<bool> ready = true;
  const auto ops = StartOpsListener(
      "127.0.0.1:0", {[&] { return ready.load(); }, [] { return std::string("latchkey_up 1\n"); }});
  ASSERT_THAT(ops, IsOk());
  const int port = (*ops)->port();
  ASSERT_GT(port, 0);
  EXPECT_THAT(Get(port, "/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get(port, "/readyz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Get(port, "/metrics"), HasSubstr("latchkey_up 1\n"));
  EXPECT_THAT(Get(port, "/etc/passwd"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Fetch(port, "DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 405"));
  ready = false;
  EXPECT_THAT(Get(port, "/readyz"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(Get(port, "/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST(OpsListenerTest, AddressThatIsNoneIsNamed) {
  for (const char* address : {"localhost", "example.com:80", "127.0.0.1:x"}) {
    EXPECT_THAT(StartOpsListener(address, {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(address)));
  }
}

}  // namespace
}  // namespace latchkey::server
