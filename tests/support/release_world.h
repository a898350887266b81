#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/audit/audit_log.h"
#include "broker/custody/keyring.h"
#include "broker/release/releaser.h"
#include "broker/store/store.h"
#include "crypto/hpke.h"
#include "dev/software_tee/maa_issuer.h"
#include "dev/software_tee/software_tee.h"
#include "latchkey/storage/v1/records.pb.h"
#include "tests/support/failpoint_plan.h"
#include "tests/support/manual_clock.h"
#include "tests/support/seeded_random.h"

namespace latchkey {

// `ReleaseWorld` is a whole broker core without a network: real custody, policies, log and
// verifiers over a store, the software TEE as vendor, and a workload that knows how to ask. Each
// test changes one thing.
class ReleaseWorld {
 public:
  static constexpr char kDeployment[] = "test-deployment";
  static constexpr char kTenant[] = "default";

  // In `store`, or in memory when it is null.
  explicit ReleaseWorld(std::unique_ptr<store::Store> store = nullptr);

  // The vendor and the token authority, made once per process: RSA-4096 keys take seconds.
  static const dev::SoftwareTee& Tee();
  static const dev::MaaIssuer& Maa();

  // Administration, as the admin API does it: each in one transaction with its record.
  absl::Status PutPolicy(std::string_view document);
  absl::Status CreateKey(const std::string& name, const std::string& policy);
  absl::Status DisableVersion(const std::string& name, uint32_t version);
  Bytes WrapNewDek(const std::string& name, const protocol::Context& context = {});

  // A policy that permits the software TEE's default machine with debug off, for every key in
  // `guards`.
  static std::string SnpPolicy(const std::string& name, const std::vector<std::string>& guards);
  static std::string MaaPolicy(const std::string& name, const std::vector<std::string>& guards);

  // The workload: `Ask` makes a request with a fresh challenge and recipient key and a genuine
  // report for it.
  struct Asked {
    release::ReleaseRequest request;
    Bytes transcript;
    std::shared_ptr<crypto::HpkePrivateKey> recipient;
  };
  Asked Ask(std::vector<protocol::RequestItem> items, dev::ReportFields fields = {});
  // The same with a MAA token; the recipient is an RSA key of the platform.
  Asked AskWithToken(std::vector<protocol::RequestItem> items);
  static protocol::RequestItem Unwrap(const std::string& key, Bytes wrapped,
                                      protocol::Context context = {});
  static protocol::RequestItem Generate(const std::string& key, protocol::Context context = {});

  absl::StatusOr<audit::DurableAnswer> Release(const Asked& asked) {
    return releaser->Release(asked.request);
  }
  static storage::v1::KeptAnswer Parse(const audit::DurableAnswer& answer);
  // Opens item 0 as the workload does, from the statement it came with.
  static absl::StatusOr<SecretBytes> OpenFirst(const Asked& asked,
                                               const storage::v1::KeptAnswer& answer);
  uint64_t LogSize();

  ManualClock clock;
  SeededRandom random;
  FailpointPlan failpoints;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<custody::Root> root;
  std::unique_ptr<custody::Keyring> keyring;
  std::unique_ptr<audit::AuditLog> audit_log;
  std::unique_ptr<release::PolicyBook> policies;
  std::unique_ptr<release::Challenges> challenges;
  std::unique_ptr<attestation::Verifiers> verifiers;
  std::unique_ptr<release::Releaser> releaser;
  Bytes log_public_key;
  Bytes genesis_digest;

 private:
  absl::Status Act(const audit::EntryBody& body);
};

}  // namespace latchkey
