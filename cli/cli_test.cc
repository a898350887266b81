#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CliTest : public testing::Test {
 protected:
  CliTest() : folder_(absl::StrCat(testing::TempDir(), "/latchkey_cli_", getpid())) {
    std::filesystem::create_directories(folder_);
    // The settings of whoever runs the test stay out of it.
    setenv("HOME", folder_.c_str(), 1);
    unsetenv("LATCHKEY_CONFIG");
  }
  ~CliTest() override { std::filesystem::remove_all(folder_); }

  Outcome Run(const std::string& arguments) {
    const std::string err_file = folder_ + "/stderr";
    const std::string command =
        absl::StrCat(LATCHKEY_PROGRAM, " ", arguments, " 2>", err_file, " </dev/null");
    Outcome outcome;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (const size_t count = fread(buffer.data(), 1, buffer.size(), pipe)) {
      outcome.out.append(buffer.data(), count);
    }
    outcome.exit_code = WEXITSTATUS(pclose(pipe));
    outcome.err = Read(err_file);
    return outcome;
  }

  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

  const std::string folder_;
};

TEST_F(CliTest, HelpGoesToStandardOutputWithExamples) {
  const Outcome top = Run("--help");
  EXPECT_EQ(top.exit_code, 0);
  EXPECT_THAT(top.out, HasSubstr("Exit codes: 0 ok, 1 error, 2 usage, 3 refused by policy"));
  for (const char* verb :
       {"key create", "key rotate", "key list", "key show", "key generate", "key wrap",
        "policy put", "policy check", "policy show", "get", "exec", "audit list", "audit show",
        "audit explain", "audit verify", "inspect", "explain"}) {
    const Outcome outcome = Run(absl::StrCat(verb, " --help"));
    EXPECT_EQ(outcome.exit_code, 0) << verb;
    EXPECT_THAT(outcome.out, HasSubstr(absl::StrCat("latchkey ", verb))) << verb;
    EXPECT_THAT(outcome.out, HasSubstr("Example")) << verb;
  }
}

TEST_F(CliTest, VersionIsPrinted) {
  const Outcome outcome = Run("--version");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, StartsWith("latchkey 0."));
}

TEST_F(CliTest, WrongUsageExitsWithTwoAndLeavesStandardOutputEmpty) {
  for (const char* arguments :
       {"", "keys", "key", "key create", "get payments", "inspect", "policy check",
        "key generate payments --size 17", "audit show x", "-o xml key list",
        "exec payments --wrapped x", "get payments --wrapped x",
        "get payments --wrapped x --reveal --out y", "get payments --wrapped x --fd 77",
        "inspect --token x", "key list"}) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << arguments << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_NE(outcome.err, "") << arguments;
  }
}

TEST_F(CliTest, AMissingSettingIsNamedWithItsFlag) {
  EXPECT_THAT(Run("key list").err, HasSubstr("--admin-address"));
}

TEST_F(CliTest, AnUnknownSettingIsNamedWithItsLine) {
  const std::string file = Write("config.yaml", "address: localhost:1\nadress: localhost:2\n");
  const Outcome outcome = Run("key list --config " + file);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("config.yaml:2:1: unknown key `adress`"));
}

TEST_F(CliTest, ABrokerThatCannotBeAskedIsAnError) {
  const std::string key = Write("key.pem", "k");
  ASSERT_EQ(chmod(key.c_str(), 0600), 0);
  const Outcome outcome = Run(absl::StrCat("key list --admin-address localhost:1 --ca-file ", key,
                                           " --admin-cert-file ", key, " --admin-key-file ", key));
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, StartsWith("error: "));
}

constexpr char kPolicy[] = R"(apiVersion: latchkey.dev/v1
kind: ReleasePolicy
metadata: {name: payments-prod}
spec:
  guards: [payments]
  rules:
  - name: snp
    effect: permit
    source: hardware
    conditions:
    - expression: tee.type == "snp" && !tee.debug
    - expression: request.context["environment"] == "prod"
    admitsStrangers: true
)";

TEST_F(CliTest, ACleanPolicyChecksAndABrokenOneIsAFinding) {
  // Tied to its owner, so that there is nothing to say about it.
  std::string tied = kPolicy;
  const std::string admits = "    admitsStrangers: true\n";
  tied.replace(
      tied.find(admits), admits.size(),
      absl::StrCat("    - expression: snp.measurement == \"", std::string(96, 'a'), "\"\n"));
  const std::string good = Write("good.yaml", tied);
  const Outcome clean = Run("policy check " + good);
  EXPECT_EQ(clean.exit_code, 0) << clean.out;
  EXPECT_THAT(clean.out, HasSubstr("good.yaml: ok"));

  std::string broken = kPolicy;
  broken.replace(broken.find("tee.debug"), 9, "tee.debgu");
  const std::string bad = Write("bad.yaml", broken);
  const Outcome findings = Run("policy check " + bad);
  EXPECT_EQ(findings.exit_code, 8);
  EXPECT_THAT(findings.out, HasSubstr("bad.yaml:11:"));
  EXPECT_THAT(findings.out, HasSubstr("tee.debug"));
  EXPECT_THAT(Run("policy check -o json " + bad).out, HasSubstr("\"line\": 11"));
}

TEST_F(CliTest, EvidenceThatIsNoneIsNotAccepted) {
  const Outcome outcome = Run("inspect --evidence " + Write("report", "no report"));
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.err, StartsWith("refused: MALFORMED"));
  EXPECT_EQ(outcome.out, "");
}

// Real evidence, with the verdicts of the README beside it.
class RealEvidenceTest : public CliTest {
 protected:
  void SetUp() override {
    const char* named = std::getenv("LATCHKEY_VECTORS");
    vectors_ = named != nullptr ? named : "../shared/vectors";
    if (!std::filesystem::exists(vectors_ + "/snp")) {
      GTEST_SKIP() << vectors_
                   << " is not there; set LATCHKEY_VECTORS to the folder of real evidence";
    }
  }

  Outcome Snp(const std::string& report, const std::string& certificates,
              const std::string& more = "", const std::string& verb = "inspect") {
    std::string arguments =
        absl::StrCat(verb, " --evidence ", vectors_, "/snp/", report, " ", more);
    if (!certificates.empty()) {
      absl::StrAppend(&arguments, " --endorsements ", vectors_, "/snp/", certificates);
    }
    return Run(arguments);
  }
  Outcome Maa(const std::string& token, const std::string& jwks, const std::string& at,
              const std::string& more = "") {
    return Run(absl::StrCat("inspect --token ", vectors_, "/maa/tokens/", token, " --jwks ",
                            vectors_, "/maa/jwks/", jwks, " --at ", at, " ", more));
  }

  std::string vectors_;
};

TEST_F(RealEvidenceTest, GenuineSnpReportsAreAccepted) {
  const std::array<std::array<const char*, 3>, 8> cases = {{
      {"milan_v2_debug.report.bin", "milan_v2_debug.vcek.pem", ""},
      {"milan_v2.report.bin", "milan_v2.vcek.der", ""},
      {"milan_v2_virtee.report.hex", "milan_v2_virtee.vcek.der", ""},
      {"milan_v3_aci.report.bin", "milan_v3_aci.vcek.pem", ""},
      {"turin_v5_aci.report.bin", "turin_v5_aci.vcek.pem", ""},
      {"bergamo_v5.report.bin", "bergamo_v5.vcek.der", ""},
      {"genoa_v3_tsm.json", "", ""},
      {"milan_v3_vlek_aws.report.bin", "milan_v3_vlek_aws.vlek.der", "--at 2025-01-01"},
  }};
  for (const auto& [report, certificates, more] : cases) {
    const Outcome outcome = Snp(report, certificates, more);
    EXPECT_EQ(outcome.exit_code, 0) << report << ": " << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("snp.measurement")) << report;
    EXPECT_THAT(outcome.out, HasSubstr("not judged")) << report;
    EXPECT_THAT(outcome.out, HasSubstr("CRL")) << report;
  }
}

TEST_F(RealEvidenceTest, WrongSnpEvidenceIsNotAccepted) {
  const std::array<std::array<const char*, 2>, 6> cases = {{
      {"milan_v2.report.bin", "milan_v2.wrong_vcek_legacy.der"},
      {"milan_v2.report.bin", "milan_v2.wrong_vcek_octetstring.der"},
      {"turin_v5_aci.report.bin", "turin_other_chip.vcek.der"},
      {"malformed_short.report.bin", "milan_v2.vcek.der"},
      {"malformed_extra_byte.report.bin", "milan_v2.vcek.der"},
      {"milan_v3_vlek_aws.report.bin", "milan_v3_vlek_aws.vlek.der"},  // expired 2025-12-10
  }};
  for (const auto& [report, certificates] : cases) {
    const Outcome outcome = Snp(report, certificates, "--at 2026-11-01");
    EXPECT_EQ(outcome.exit_code, 4) << report << " " << certificates << ": " << outcome.out;
    EXPECT_THAT(outcome.err, StartsWith("refused: ")) << report;
    EXPECT_EQ(outcome.out, "") << report;
  }
}

TEST_F(RealEvidenceTest, GenuineMaaTokensAreAcceptedAtTheirTimeAndNotLater) {
  const std::array<std::array<const char*, 3>, 3> cases = {{
      {"cvm-snp-linux-sharedwus-202209.jwt", "sharedwus-20220531.json", "2022-09-07T22:00:00Z"},
      {"cvm-snp-linux-sharedweu-202212.jwt", "sharedweu-202304.json", "2022-12-24T00:00:00Z"},
      {"cvm-snp-linux-sharedeus2-202512.jwt", "sharedeus2-recovered.json", "2025-12-15T20:00:00Z"},
  }};
  for (const auto& [token, jwks, at] : cases) {
    const Outcome then = Maa(token, jwks, at);
    EXPECT_EQ(then.exit_code, 0) << token << ": " << then.err;
    EXPECT_THAT(then.err, HasSubstr("the issuer was taken from the token itself")) << token;
    EXPECT_THAT(then.out, HasSubstr("not judged")) << token;
    const Outcome later = Maa(token, jwks, "2026-11-01");
    EXPECT_EQ(later.exit_code, 4) << token;
    EXPECT_THAT(later.err, HasSubstr("refused: TIME_INVALID")) << token;
    EXPECT_EQ(later.out, "") << token;
  }
}

TEST_F(RealEvidenceTest, ATokenOfAnotherCustomerUnderTheSameKeyIsNotAccepted) {
  const Outcome outcome =
      Maa("sgx-runtimejson-othertenant-samekey-wus-202205.jwt", "sharedwus-20220531.json",
          "2022-05-31T23:00:00Z", "--issuer https://sharedwus.wus.attest.azure.net");
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.err, StartsWith("refused: ISSUER_UNKNOWN"));
}

TEST_F(RealEvidenceTest, AnUnsignedTokenIsNotAccepted) {
  const Outcome outcome = Maa("sgx-draftpolicy-ALGNONE-sharedwus-202205.jwt",
                              "sharedwus-20220531.json", "2022-05-31T23:00:00Z");
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.err, HasSubstr("refused: "));
}

TEST_F(RealEvidenceTest, ExplainPermitsAProductionGuestAndRefusesADebuggableOne) {
  const std::string policy = Write("policy.yaml", kPolicy);
  const std::string asked = absl::StrCat("--policy ", policy, " --context environment=prod");
  const Outcome permitted = Snp("milan_v2.report.bin", "milan_v2.vcek.der", asked, "explain");
  EXPECT_EQ(permitted.exit_code, 0) << permitted.err;
  EXPECT_THAT(permitted.out, HasSubstr("permitted"));
  EXPECT_THAT(permitted.out, HasSubstr("supposed"));

  const Outcome debug =
      Snp("milan_v2_debug.report.bin", "milan_v2_debug.vcek.pem", asked, "explain");
  EXPECT_EQ(debug.exit_code, 3);
  EXPECT_THAT(debug.err, StartsWith("refused: POLICY_DENIED_NO_RULE"));
  EXPECT_THAT(debug.out, HasSubstr("tee.debug is true"));

  const Outcome elsewhere =
      Snp("milan_v2.report.bin", "milan_v2.vcek.der",
          absl::StrCat("--policy ", policy, " --context environment=test"), "explain");
  EXPECT_EQ(elsewhere.exit_code, 3);
  EXPECT_THAT(elsewhere.out, HasSubstr("\"test\""));
}

}  // namespace
}  // namespace latchkey::cli
