// The main job over a real network: broker, TLS, client, and a proxy that terminates TLS in
// between.

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/network_fixture.h"
#include "tests/support/matchers.h"

namespace latchkey {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

TEST_F(NetworkTest, VerifiedMachineGetsTheSameDekEachTime) {
  const Bytes wrapped = WrapNewDek();
  const auto client = Client();
  const auto first = client->FetchKey("payments", AsBytes(wrapped), {}, machine_);
  const auto second = client->FetchKey("payments", AsBytes(wrapped), {}, machine_);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->size(), 32u);
  EXPECT_TRUE(ConstantTimeEquals(first->view(), second->view()));
}

TEST_F(NetworkTest, OtherMeasurementAndDebugAreRefusedBesideTheRightMachine) {
  const Bytes wrapped = WrapNewDek();
  dev::ReportFields other_image;
  other_image.measurement = Bytes(48, '\x66');
  SimulatedMachine other(other_image);
  dev::ReportFields debug_fields;
  debug_fields.debug = true;
  SimulatedMachine debuggable(debug_fields);
  const uint64_t size = LogSize();
  EXPECT_THAT(Client()->FetchKey("payments", AsBytes(wrapped), {}, other),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("policy does not permit")));
  EXPECT_THAT(Client()->FetchKey("payments", AsBytes(wrapped), {}, debuggable),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("policy does not permit")));
  EXPECT_THAT(Client()->FetchKey("payments", AsBytes(wrapped), {}, machine_), IsOk());
  EXPECT_EQ(LogSize(), size + 3);
}

TEST_F(NetworkTest, SwappedWrappedDekIsRefused) {
  const Bytes prod = WrapNewDek({{"environment", "prod"}});
  const Bytes test = WrapNewDek({{"environment", "test"}});
  EXPECT_THAT(
      Client()->FetchKey("payments", AsBytes(test), {{"environment", "prod"}}, machine_),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("this key cannot be released")));
  EXPECT_THAT(Client()->FetchKey("payments", AsBytes(prod), {{"environment", "prod"}}, machine_),
              IsOk());
}

TEST_F(NetworkTest, HonestProxyChangesNothing) {
  const Bytes wrapped = WrapNewDek();
  EXPECT_THAT(Client(StartInterceptor(dev::Attack::kRelay))
                  ->FetchKey("payments", AsBytes(wrapped), {}, machine_),
              IsOk());
}

TEST_F(NetworkTest, PlantedDekIsNoticedByTheClient) {
  const Bytes wrapped = WrapNewDek();
  EXPECT_THAT(
      Client(StartInterceptor(dev::Attack::kPlant))
          ->FetchKey("payments", AsBytes(wrapped), {}, machine_),
      StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("not the one that was recorded")));
}

TEST_F(NetworkTest, RequestChangedByTheProxyBreaksTheBinding) {
  const Bytes wrapped = WrapNewDek();
  EXPECT_THAT(Client(StartInterceptor(dev::Attack::kSwap))
                  ->FetchKey("payments", AsBytes(wrapped), {}, machine_),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(NetworkTest, ReplayByTheProxyAddsNoRelease) {
  const Bytes wrapped = WrapNewDek();
  const uint64_t size = LogSize();
  EXPECT_THAT(Client(StartInterceptor(dev::Attack::kReplay))
                  ->FetchKey("payments", AsBytes(wrapped), {}, machine_),
              IsOk());
  EXPECT_EQ(LogSize(), size + 1);
}

TEST_F(NetworkTest, ManyItemsComeUnderOneStatement) {
  std::vector<client::FetchItem> items;
  for (int i = 0; i < 10; ++i)
    items.push_back({.key = "payments", .wrapped_dek = WrapNewDek(), .context = {}});
  items[3].context["unknown"] = "pair";
  items.push_back({.key = "payments", .wrapped_dek = {}, .context = {}, .generate_size_bytes = 32});
  const uint64_t size = LogSize();
  const auto fetched = Client()->FetchKeys(items, machine_);
  ASSERT_THAT(fetched, IsOk());
  ASSERT_THAT(fetched->items, SizeIs(11));
  for (size_t i = 0; i < fetched->items.size(); ++i) {
    EXPECT_EQ(fetched->items[i].ok(), i != 3) << i << ": " << fetched->items[i].status();
  }
  EXPECT_EQ(LogSize(), size + 1);
}

TEST_F(NetworkTest, ClientsAtOnceEachGetTheirOwnRecord) {
  const Bytes wrapped = WrapNewDek();
  const uint64_t size = LogSize();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        EXPECT_THAT(Client()->FetchKey("payments", AsBytes(wrapped), {}, machine_), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(LogSize(), size + 40);
}

TEST_F(NetworkTest, DrainedBrokerAnswersNobody) {
  const Bytes wrapped = WrapNewDek();
  ASSERT_THAT(Client()->FetchKey("payments", AsBytes(wrapped), {}, machine_), IsOk());
  const int port = broker_->workload_port();
  broker_->Drain(absl::Seconds(5));
  EXPECT_THAT(Client(port, absl::Seconds(1))->FetchKey("payments", AsBytes(wrapped), {}, machine_),
              testing::Not(IsOk()));
}

}  // namespace
}  // namespace latchkey
