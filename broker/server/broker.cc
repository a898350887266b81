#include "broker/server/broker.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/custody/keyring.h"
#include "broker/release/challenges.h"
#include "broker/release/policy_book.h"
#include "broker/release/releaser.h"
#include "broker/server/admin_act.h"
#include "broker/server/admin_core.h"
#include "broker/server/log.h"
#include "broker/server/metered_store.h"
#include "broker/server/ops_listener.h"
#include "broker/server/status_to_grpc.h"
#include "broker/server/sweeper.h"
#include "broker/server/workload_core.h"

namespace latchkey::server {
namespace {

constexpr absl::Duration kSweepInterval = absl::Minutes(1);
constexpr char kIncarnationKey[] = "incarnation";
constexpr size_t kIncarnationBytes = 16;

// The store's incarnation: challenges of one life of the store are worth nothing in another.
absl::StatusOr<Bytes> ReadOrMakeIncarnation(store::Store& store, Random& random, absl::Time now) {
  Bytes incarnation;
  RETURN_IF_ERROR(store.Transact(now, [&](store::Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<Bytes> stored, transaction.Get(kIncarnationKey));
    if (stored.has_value()) {
      incarnation = *stored;
      return absl::OkStatus();
    }
    incarnation = RandomBytes(random, kIncarnationBytes);
    return transaction.Put(kIncarnationKey, AsBytes(incarnation));
  }));
  return incarnation;
}

std::set<std::string, std::less<>> NamesOf(const std::vector<audit::PinnedGenesis>& tenants) {
  std::set<std::string, std::less<>> names;
  for (const audit::PinnedGenesis& tenant : tenants) names.insert(tenant.tenant);
  return names;
}

// Members are declared in the order of dependence: each outlives those below it.
class BrokerImpl final : public Broker {
 public:
  explicit BrokerImpl(BrokerParts parts)
      : parts_(std::move(parts)),
        tenants_(NamesOf(parts_.tenants)),
        store_(*parts_.store, metrics_) {}
  ~BrokerImpl() override { Drain(absl::ZeroDuration()); }

  absl::Status Assemble();
  absl::Status Listen(BrokerListeners listeners);

  front::Core& workload_core() override { return *workload_core_; }
  front::Core& admin_core() override { return *admin_core_; }
  audit::AuditLog& audit_log() override { return *audit_log_; }
  const Metrics& metrics() const override { return metrics_; }
  int workload_port() const override { return workload_ ? workload_->port() : 0; }
  int admin_port() const override { return admin_ ? admin_->port() : 0; }
  int ops_port() const override { return ops_ ? ops_->port() : 0; }
  absl::Status Sweep() override { return sweeper_->Sweep(); }
  void Drain(absl::Duration grace) override;

 private:
  absl::Status RecordConfig(const std::string& tenant);
  absl::Status ReadLogSizes();
  bool Ready() const { return serving_.load() && store_.writable(); }

  BrokerParts parts_;
  const std::set<std::string, std::less<>> tenants_;
  Metrics metrics_;
  MeteredStore store_;
  std::unique_ptr<audit::AuditLog> audit_log_;
  std::unique_ptr<custody::Keyring> keyring_;
  std::unique_ptr<release::PolicyBook> policies_;
  std::unique_ptr<release::Challenges> challenges_;
  std::unique_ptr<release::Releaser> releaser_;
  std::unique_ptr<WorkloadCore> workload_core_;
  std::unique_ptr<AdminCore> admin_core_;
  std::unique_ptr<Sweeper> sweeper_;
  std::atomic<bool> serving_ = false;
  std::unique_ptr<OpsListener> ops_;
  std::unique_ptr<front::GrpcListener> admin_;
  std::unique_ptr<front::GrpcListener> workload_;
};

absl::Status BrokerImpl::Assemble() {
  if (tenants_.empty()) return absl::InvalidArgumentError("tenants: name at least one");
  ASSIGN_OR_RETURN(audit_log_,
                   audit::OpenAuditLog(store_, *parts_.root, parts_.clock, parts_.failpoints,
                                       parts_.deployment_id, parts_.tenants));
  ASSIGN_OR_RETURN(keyring_, custody::MakeKeyring(*parts_.root, parts_.random));
  ASSIGN_OR_RETURN(policies_, release::PolicyBook::Create(*parts_.root));
  ASSIGN_OR_RETURN(Bytes incarnation,
                   ReadOrMakeIncarnation(store_, parts_.random, parts_.clock.Now()));
  ASSIGN_OR_RETURN(challenges_,
                   release::Challenges::Create(*parts_.root, parts_.random, parts_.deployment_id,
                                               std::move(incarnation), parts_.challenge_ttl));
  releaser_ = std::make_unique<release::Releaser>(release::Releaser::Parts{
      parts_.deployment_id, store_, *parts_.verifiers, *keyring_, *policies_, *challenges_,
      *audit_log_, parts_.clock, parts_.random, parts_.failpoints});
  workload_core_ = std::make_unique<WorkloadCore>(
      WorkloadCore::Parts{parts_.deployment_id, tenants_, *releaser_, parts_.clock, metrics_,
                          parts_.challenges_per_second});
  admin_core_ = std::make_unique<AdminCore>(AdminParts{parts_.deployment_id, tenants_, store_,
                                                       *keyring_, *policies_, *audit_log_,
                                                       parts_.clock, parts_.failpoints, metrics_});
  for (const std::string& tenant : tenants_) RETURN_IF_ERROR(RecordConfig(tenant));
  RETURN_IF_ERROR(ReadLogSizes());
  sweeper_ = std::make_unique<Sweeper>(
      Sweeper::Parts{store_, *audit_log_, releaser_->attempts(), parts_.clock, metrics_,
                     tenants_.contains("default") ? "default" : *tenants_.begin()},
      kSweepInterval);
  return absl::OkStatus();
}

// Authorities and limits live in the configuration: a change of them is an administrative act like
// any other.
absl::Status BrokerImpl::RecordConfig(const std::string& tenant) {
  if (parts_.config_digest.empty()) return absl::OkStatus();
  const std::string key = absl::StrCat("config_digest/", tenant);
  std::optional<Bytes> last;
  RETURN_IF_ERROR(store_.Read(parts_.clock.Now(), [&](store::ReadTransaction& transaction) {
    auto stored = transaction.Get(key);
    if (stored.ok()) last = *std::move(stored);
    return stored.status();
  }));
  if (last == parts_.config_digest) return absl::OkStatus();
  const auto recorded = audit_log_->Append(
      tenant, [&](store::Transaction& transaction, uint64_t) -> absl::StatusOr<audit::Entry> {
        RETURN_IF_ERROR(transaction.Put(key, AsBytes(parts_.config_digest)));
        ASSIGN_OR_RETURN(const uint64_t epoch, audit::AdvanceEpoch(transaction, tenant));
        const Act act{"CONFIG_LOADED", absl::StrCat("tenants/", tenant), parts_.config_digest, ""};
        const v1::Leaf leaf =
            MakeActLeaf(parts_.deployment_id, tenant, parts_.clock.Now(), act, "broker", epoch);
        return audit::Entry{leaf.SerializeAsString(), Bytes()};
      });
  return recorded.status();
}

absl::Status BrokerImpl::ReadLogSizes() {
  for (const std::string& tenant : tenants_) {
    ASSIGN_OR_RETURN(const audit::AuditLog::Leaves leaves, audit_log_->Read(tenant, 0, 1));
    metrics_.log_size.Raise(static_cast<int64_t>(leaves.size));
  }
  return absl::OkStatus();
}

absl::Status BrokerImpl::Listen(BrokerListeners listeners) {
  // The same for every turned-away call, and made without the core's help while it is busy.
  const Bytes overload =
      ErrorReply(absl::ResourceExhaustedError("the broker is busy"), Audience::kWorkload)
          .error_details;
  if (!listeners.ops_address.empty()) {
    ASSIGN_OR_RETURN(
        ops_, StartOpsListener(listeners.ops_address,
                               {[this] { return Ready(); }, [this] { return metrics_.Text(); }}));
  }
  if (listeners.admin.has_value()) {
    if (!listeners.admin->require_client_certificate) {
      return absl::InvalidArgumentError(
          "admin listener: must require client certificates; they are who an administrator is");
    }
    listeners.admin->overload_details = overload;
    ASSIGN_OR_RETURN(admin_, front::StartGrpcListener(*std::move(listeners.admin), *admin_core_));
  }
  if (listeners.workload.has_value()) {
    listeners.workload->overload_details = overload;
    ASSIGN_OR_RETURN(workload_,
                     front::StartGrpcListener(*std::move(listeners.workload), *workload_core_));
  }
  serving_ = true;
  return absl::OkStatus();
}

void BrokerImpl::Drain(absl::Duration grace) {
  const absl::Time until = absl::Now() + grace;
  serving_ = false;
  if (workload_ != nullptr) workload_->Drain(grace);
  if (admin_ != nullptr) {
    admin_->Drain(std::max(until - absl::Now(), absl::ZeroDuration()));
  }
  if (sweeper_ != nullptr) {
    // Counts that no leaf holds would be lost with the process.
    if (const absl::Status swept = sweeper_->Sweep(); !swept.ok()) {
      Log(LogLevel::kError, "last housekeeping failed", {{"message", ToStd(swept.message())}});
    }
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Broker>> Broker::Start(BrokerParts parts,
                                                      BrokerListeners listeners) {
  auto broker = std::make_unique<BrokerImpl>(std::move(parts));
  RETURN_IF_ERROR(broker->Assemble());
  RETURN_IF_ERROR(broker->Listen(std::move(listeners)));
  return broker;
}

}  // namespace latchkey::server
