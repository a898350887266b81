#include "broker/server/config.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "tests/support/matchers.h"

namespace latchkey::server {
namespace {

using ::testing::HasSubstr;

constexpr char kFile[] = "/etc/latchkey/latchkeyd.yaml";

std::string Replaced(std::string text, const std::string& old_text, const std::string& new_text) {
  const size_t at = text.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  return text.replace(at, old_text.size(), new_text);
}

class ConfigTest : public testing::Test {
 protected:
  static constexpr char kGood[] = R"(deployment_id: prod
store: {kind: sqlite, path: latchkey.db}
root: {name: software, kind: software, key_file: /keys/root.key}
listeners:
  workload:
    address: 0.0.0.0:8443
    certificate_file: server.pem
    key_file: server.key
  admin:
    address: 127.0.0.1:8444
    certificate_file: server.pem
    key_file: server.key
    client_ca_file: ca.pem
  ops:
    address: 127.0.0.1:9464
tenants:
- name: default
  genesis_digest: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
authorities:
- name: maa-weu
  profile: maa
  issuer: https://sharedweu.weu.attest.azure.net
  jwks: '{"keys": []}'
  policy_hashes: [hash-of-ours]
snp: {enabled: false}
limits: {message_bytes: 100000, challenges_per_second: 50}
challenge_ttl: 2m
)";

  static absl::StatusOr<Config> Parse(const std::string& text) { return ParseConfig(kFile, text); }
  // The good file with one thing changed.
  static absl::StatusOr<Config> With(const std::string& old_text, const std::string& new_text) {
    return Parse(Replaced(kGood, old_text, new_text));
  }
};

TEST_F(ConfigTest, EveryKeyIsRead) {
  const auto config = Parse(kGood);
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->deployment_id, "prod");
  EXPECT_EQ(config->store_path, "/etc/latchkey/latchkey.db");
  EXPECT_EQ(config->root.name, "software");
  EXPECT_EQ(config->root.key_file, "/keys/root.key");
  EXPECT_EQ(config->workload.address, "0.0.0.0:8443");
  EXPECT_EQ(config->admin.client_ca_file, "/etc/latchkey/ca.pem");
  EXPECT_EQ(config->ops_address, "127.0.0.1:9464");
  ASSERT_EQ(config->tenants.size(), 1u);
  EXPECT_EQ(config->tenants[0].digest.size(), 32u);
  ASSERT_EQ(config->authorities.size(), 1u);
  EXPECT_EQ(config->authorities[0].policy_hashes, std::vector<std::string>{"hash-of-ours"});
  EXPECT_FALSE(config->snp_enabled);
  EXPECT_EQ(config->limits.message_bytes, 100000u);
  EXPECT_EQ(config->limits.challenges_per_second, 50);
  EXPECT_EQ(config->challenge_ttl, absl::Minutes(2));
}

TEST_F(ConfigTest, DigestChangesWithTheFile) {
  EXPECT_NE(Parse(kGood)->digest, With("challenge_ttl: 2m", "challenge_ttl: 3m")->digest);
}

// The message of each fault, whole: what an operator reads decides how long the mend takes.
TEST_F(ConfigTest, FaultsAreNamedByFileLineColumnAndKey) {
  struct Case {
    const char* old_text;
    const char* new_text;
    const char* message;
  };
  const Case cases[] = {
      {"deployment_id: prod", "deployment: prod", ":1:1: deployment_id: is missing"},
      {"    certificate_file: server.pem", "    certificate_fil: server.pem",
       ":6:5: listeners.workload.certificate_file: is missing"},
      {"snp: {enabled: false}", "snp: {enable: false}",
       ":25:7: snp.enable: unknown key; did you mean enabled?"},
      {"challenge_ttl: 2m", "challenge_tll: 2m",
       ":27:1: challenge_tll: unknown key; did you mean challenge_ttl?"},
      {"challenge_ttl: 2m", "challenge_ttl: 2h",
       ":27:16: challenge_ttl: write a time from 30s to 15m, as 30s or 5m"},
      {"challenge_ttl: 2m", "snp: {enabled: true}", ":27:1: snp: is there twice; keep one"},
      {"kind: sqlite", "kind: oracle",
       ":2:15: store.kind: \"oracle\" is not supported; write sqlite"},
      {"message_bytes: 100000", "message_bytes: 10",
       ":26:25: limits.message_bytes: write a number from 65536 to 16777216"},
      {"message_bytes: 100000", "message_bytes: 1e6",
       ":26:25: limits.message_bytes: write a number from 65536 to 16777216"},
      {"enabled: false", "enabled: no", ":25:16: snp.enabled: write true or false"},
      {"ccddeeff\n", "ccddee\n",
       ":18:19: tenants[0].genesis_digest: write the 64 hex digits that latchkeyd init printed"},
      {"  profile: maa", "  profile: mea",
       ":21:12: authorities[0].profile: \"mea\" is not supported; write maa"},
      {"  jwks: '{\"keys\": []}'\n", "",
       ":20:3: authorities[0].jwks_file: name a key set, either by jwks_file or inline by jwks"},
      {"policy_hashes: [hash-of-ours]", "policy_hashes: hash-of-ours",
       ":24:18: authorities[0].policy_hashes: is not a list; write [a, b]"},
      {"snp: {enabled: false}", "snp: true", ":25:6: snp: is not a mapping of keys"},
  };
  for (const Case& c : cases) {
    const auto config = With(c.old_text, c.new_text);
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument)) << c.new_text;
    EXPECT_EQ(config.status().message(), std::string(kFile) + c.message);
  }
}

TEST_F(ConfigTest, TextThatIsNoMappingIsRefused) {
  for (const char* text : {"", "- a", "a: b: c", "{a: 1}\n---\n{b: 2}\n"}) {
    EXPECT_THAT(Parse(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(kFile)))
        << text;
  }
}

TEST_F(ConfigTest, FileThatIsNotThereIsNamed) {
  EXPECT_THAT(
      LoadConfig("/nowhere/latchkeyd.yaml"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nowhere/latchkeyd.yaml: cannot be read")));
}

}  // namespace
}  // namespace latchkey::server
