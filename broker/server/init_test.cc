#include "broker/server/init.h"

#include <filesystem>
#include <fstream>

#include "broker/custody/software_root.h"
#include "broker/server/broker.h"
#include "broker/server/config.h"
#include "broker/server/listener_files.h"
#include "broker/store/sqlite_store.h"
#include "crypto/system_random.h"
#include "gmock/gmock.h"
#include "tests/support/matchers.h"

namespace latchkey::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class InitTest : public testing::Test {
 protected:
  InitTest() {
    fs::remove_all(directory_);
    options_.directory = directory_.string();
    options_.deployment_id = "trial";
    options_.port = options_.admin_port = options_.ops_port = 0;
  }
  ~InitTest() override { fs::remove_all(directory_); }

  // Starts a broker as latchkeyd does.
  absl::StatusOr<std::unique_ptr<Broker>> Serve() {
    auto config = LoadConfig((directory_ / "latchkeyd.yaml").string());
    if (!config.ok()) return config.status();
    auto listeners = ReadListeners(*config, clock_.Now());
    if (!listeners.ok()) return listeners.status();
    auto root = custody::OpenSoftwareRoot(config->root.name, config->root.key_file, random_);
    if (!root.ok()) return root.status();
    auto store = store::OpenSqliteStore(config->store_path);
    if (!store.ok()) return store.status();
    BrokerParts parts{.deployment_id = config->deployment_id,
                      .store = *std::move(store),
                      .root = *std::move(root),
                      .verifiers = attestation::MakeVerifiers({}, {}).value(),
                      .tenants = config->tenants,
                      .clock = clock_,
                      .random = random_,
                      .failpoints = failpoints_,
                      .config_digest = config->digest};
    return Broker::Start(std::move(parts), *std::move(listeners));
  }
  static uint64_t LogSize(Broker& broker) { return broker.audit_log().Read("default", 0, 1)->size; }

  const fs::path directory_ = fs::path(testing::TempDir()) / "latchkey_init_test";
  InitOptions options_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  NoFailpoints failpoints_;
};

TEST_F(InitTest, DeploymentServesAndRecordsItsConfigurationOnce) {
  ASSERT_THAT(InitDeployment(options_, clock_, random_), IsOk());
  {
    const auto broker = Serve();
    ASSERT_THAT(broker, IsOk());
    EXPECT_GT((*broker)->workload_port(), 0);
    EXPECT_GT((*broker)->admin_port(), 0);
    EXPECT_GT((*broker)->ops_port(), 0);
    EXPECT_EQ(LogSize(**broker), 2u);
    (*broker)->Drain(absl::Seconds(1));
  }
  const auto again = Serve();
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(LogSize(**again), 2u);
}

TEST_F(InitTest, ReportSaysWhatToBackUpAndToPin) {
  const auto made = InitDeployment(options_, clock_, random_);
  ASSERT_THAT(made, IsOk());
  for (const char* said : {"root.key", "back up", "log_public_key", "genesis_digest", "client/"}) {
    EXPECT_THAT(made->report, HasSubstr(said));
  }
}

TEST_F(InitTest, NothingThatExistsIsOverwritten) {
  ASSERT_THAT(InitDeployment(options_, clock_, random_), IsOk());
  EXPECT_THAT(InitDeployment(options_, clock_, random_),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("is not empty")));
}

TEST_F(InitTest, LogOfAnotherDeploymentIsRefused) {
  ASSERT_THAT(InitDeployment(options_, clock_, random_), IsOk());
  const fs::path file = directory_ / "latchkeyd.yaml";
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const size_t digest = text.find("genesis_digest: ") + 16;
  text[digest] = text[digest] == '0' ? '1' : '0';
  std::ofstream(file) << text;
  EXPECT_THAT(Serve(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(InitTest, KeyOfAnotherCertificateIsNamed) {
  ASSERT_THAT(InitDeployment(options_, clock_, random_), IsOk());
  fs::remove(directory_ / "server.key");
  fs::copy_file(directory_ / "client" / "admin.key", directory_ / "server.key");
  EXPECT_THAT(Serve(), StatusIs(absl::StatusCode::kInvalidArgument,
                                HasSubstr("server.key: is not the key of")));
}

}  // namespace
}  // namespace latchkey::server
