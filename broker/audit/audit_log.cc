#include "broker/audit/audit_log.h"

#include <deque>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "broker/audit/log_key.h"
#include "broker/audit/merkle_tree.h"
#include "broker/audit/staged_transaction.h"
#include "broker/audit/tree_store.h"
#include "protocol/checkpoint.h"

namespace latchkey::audit {

// Makes DurableAnswers for the log below; nothing outside this file can.
class AnswerMaker {
 public:
  static DurableAnswer Make(Bytes payload, v1::Receipt receipt) {
    return DurableAnswer(std::move(payload), std::move(receipt));
  }
};

namespace {

// Bounds the time a group holds the store and the memory of its answers.
constexpr size_t kMaxGroupSize = 256;

// `TreeHead` is one committed state of a log, signed.
struct TreeHead {
  Frontier frontier;
  std::string checkpoint;
};

// `LogState` is a log as last seen; both parts are immutable and shared with whoever still reads
// them.
struct LogState {
  std::shared_ptr<const TenantLog> log;
  std::shared_ptr<const TreeHead> head;
};

std::shared_ptr<const TreeHead> SignHead(const TenantLog& log, Frontier frontier) {
  const protocol::Checkpoint checkpoint{log.origin, frontier.size, RootOf(frontier)};
  return std::make_shared<const TreeHead>(
      TreeHead{std::move(frontier), protocol::SignCheckpoint(checkpoint, log.key)});
}

v1::Receipt MakeReceipt(uint64_t leaf_index, const std::vector<Hash>& proof,
                        const std::string& checkpoint) {
  v1::Receipt receipt;
  receipt.set_leaf_index(leaf_index);
  for (const Hash& hash : proof) receipt.add_inclusion_proof(hash.data(), hash.size());
  receipt.set_checkpoint(checkpoint);
  return receipt;
}

absl::Status EnsureNotShrunk(std::string_view tenant, uint64_t stored, uint64_t known) {
  if (stored >= known) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("log ", ToAbsl(tenant), ": the store has ", stored,
                                          " leaves, but ", known,
                                          " were committed: an older database was put in its "
                                          "place; restore the newest"));
}

// One caller of Append, on its own stack. The leader of its group fills it; `done` is guarded by
// the log's mutex.
struct Waiter {
  std::string_view tenant;
  const EntryBody* body;
  CondVar wake = {};
  bool done = false;
  // Of the group's transaction: what the body returned.
  absl::Status refused = absl::OkStatus();
  uint64_t leaf_index = 0;
  Bytes payload = {};
  absl::StatusOr<DurableAnswer> answer = absl::UnknownError("not answered");
};

// One log in one group.
struct GroupLog {
  std::shared_ptr<const TenantLog> log;
  GrowingTree tree;
};

class AuditLogImpl final : public AuditLog {
 public:
  AuditLogImpl(store::Store& store, custody::Root& root, Clock& clock, Failpoints& failpoints,
               std::string deployment_id)
      : store_(store),
        root_(root),
        clock_(clock),
        failpoints_(failpoints),
        deployment_id_(std::move(deployment_id)) {}

  absl::StatusOr<DurableAnswer> Append(std::string_view tenant, const EntryBody& body) override {
    Waiter waiter{tenant, &body};
    MutexLock lock(mutex_);
    queue_.push_back(&waiter);
    while (!waiter.done) {
      if (leading_) {
        waiter.wake.Wait(mutex_);
      } else {
        LeadGroup();
      }
    }
    return std::move(waiter.answer);
  }

  absl::StatusOr<DurableAnswer> Again(std::string_view tenant, uint64_t leaf_index,
                                      Bytes payload) override {
    ASSIGN_OR_RETURN(v1::Receipt receipt, Prove(tenant, leaf_index));
    return AnswerMaker::Make(std::move(payload), std::move(receipt));
  }

  absl::StatusOr<std::string> Checkpoint(std::string_view tenant) override {
    ASSIGN_OR_RETURN(const LogState state, Current(tenant));
    return state.head->checkpoint;
  }

  absl::StatusOr<v1::Receipt> Prove(std::string_view tenant, uint64_t leaf_index) override {
    ASSIGN_OR_RETURN(const LogState state, Current(tenant));
    const Frontier& frontier = state.head->frontier;
    if (leaf_index >= frontier.size) {
      return absl::OutOfRangeError(absl::StrCat("log ", ToAbsl(tenant), " has ", frontier.size,
                                                " leaves; there is no leaf ", leaf_index));
    }
    std::vector<Hash> proof;
    RETURN_IF_ERROR(store_.Read(clock_.Now(), [&](store::ReadTransaction& t) -> absl::Status {
      ASSIGN_OR_RETURN(proof, InclusionProof(leaf_index, frontier, [&](int level, uint64_t index) {
                         return ReadNode(t, tenant, level, index);
                       }));
      return absl::OkStatus();
    }));
    return MakeReceipt(leaf_index, proof, state.head->checkpoint);
  }

  absl::StatusOr<Leaves> Read(std::string_view tenant, uint64_t first, size_t count) override {
    ASSIGN_OR_RETURN(const LogState state, Current(tenant));
    Leaves result;
    RETURN_IF_ERROR(store_.Read(clock_.Now(), [&](store::ReadTransaction& t) -> absl::Status {
      ASSIGN_OR_RETURN(result.leaves, t.ReadLog(tenant, first, count));
      ASSIGN_OR_RETURN(result.size, t.LogSize(tenant));
      return absl::OkStatus();
    }));
    return result;
  }

  absl::StatusOr<crypto::PublicKey> PublicKey(std::string_view tenant) override {
    ASSIGN_OR_RETURN(const LogState state, Current(tenant));
    return state.log->key.public_key();
  }

  // Reads `pinned`'s log, and refuses it when it begins otherwise.
  absl::Status EnsureGenesis(const PinnedGenesis& pinned) {
    const auto state = Current(pinned.tenant);
    if (absl::IsNotFound(state.status())) {
      return absl::DataLossError(absl::StrCat(
          "log ", pinned.tenant, ": its genesis is pinned, but it is not in the store"));
    }
    RETURN_IF_ERROR(state.status());
    if (state->log->genesis_digest == pinned.digest) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("log ", pinned.tenant, ": leaf 0 has digest ",
                                            HexEncode(AsBytes(state->log->genesis_digest)),
                                            ", pinned is ", HexEncode(AsBytes(pinned.digest)),
                                            "; this is another log, or the pin is wrong"));
  }

 private:
  using Group = std::vector<Waiter*>;
  using GroupLogs = std::map<std::string, GroupLog, std::less<>>;

  // The first waiting caller does the work for all who wait by now.
  void LeadGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    leading_ = true;
    Group group;
    while (!queue_.empty() && group.size() < kMaxGroupSize) {
      group.push_back(queue_.front());
      queue_.pop_front();
    }
    mutex_.Unlock();
    RunGroup(group);
    mutex_.Lock();
    leading_ = false;
    for (Waiter* waiter : group) {
      waiter->done = true;
      waiter->wake.NotifyOne();
    }
    if (!queue_.empty()) queue_.front()->wake.NotifyOne();  // the next leader
  }

  // Leaves are committed first, the root of the committed leaves is signed after: a signed root
  // that is not durable would be a fork.
  void RunGroup(const Group& group) {
    GroupLogs logs;
    absl::Status status = CommitGroup(group, logs);
    if (!status.ok()) {
      const std::string message =
          absl::StrCat("audit: the entry was not recorded: ", status.message());
      FailGroup(group, absl::IsDataLoss(status) ? absl::DataLossError(message)
                                                : absl::UnavailableError(message));
      return;
    }
    status = failpoints_.Reach("audit.after_commit");
    if (status.ok()) status = failpoints_.Reach("audit.before_sign");
    if (!status.ok()) {
      // The tree in memory stays behind; the next group notices and reads the store.
      FailGroup(group,
                absl::UnavailableError(absl::StrCat(
                    "audit: recorded, but without a receipt; ask again: ", status.message())));
      return;
    }
    AnswerGroup(group, logs);
  }

  // On a failed commit nobody's answer stands, not even a refusal: it may rest on a neighbour's
  // write.
  static void FailGroup(const Group& group, const absl::Status& status) {
    for (Waiter* waiter : group) waiter->answer = status;
  }

  absl::Status CommitGroup(const Group& group, GroupLogs& logs) {
    const absl::Time now = clock_.Now();
    return store_.Transact(now, [&](store::Transaction& transaction) -> absl::Status {
      logs.clear();
      for (Waiter* waiter : group) {
        RETURN_IF_ERROR(AppendEntry(transaction, now, *waiter, logs));
      }
      return failpoints_.Reach("audit.before_commit");
    });
  }

  // An error of this function is the store's and ends the group; the entry's own goes to
  // waiter.refused.
  absl::Status AppendEntry(store::Transaction& transaction, absl::Time now, Waiter& waiter,
                           GroupLogs& logs) {
    auto log = logs.find(waiter.tenant);
    if (log == logs.end()) {
      auto loaded = LoadGroupLog(transaction, waiter.tenant);
      waiter.refused = loaded.status();
      if (!loaded.ok()) return absl::OkStatus();
      log = logs.emplace(std::string(waiter.tenant), *std::move(loaded)).first;
    }
    GrowingTree& tree = log->second.tree;
    StagedTransaction staged(transaction, now);
    auto entry = (*waiter.body)(staged, tree.size());
    waiter.refused = entry.status();
    if (!entry.ok()) return absl::OkStatus();
    RETURN_IF_ERROR(staged.Flush());
    ASSIGN_OR_RETURN(waiter.leaf_index, transaction.Append(waiter.tenant, AsBytes(entry->leaf)));
    if (waiter.leaf_index != tree.size()) {
      return absl::DataLossError(absl::StrCat("log ", ToAbsl(waiter.tenant), ": leaf ",
                                              waiter.leaf_index, " appended where ", tree.size(),
                                              " was due"));
    }
    waiter.payload = std::move(entry->payload);
    return WriteNodes(transaction, waiter.tenant,
                      tree.Append(protocol::LeafHash(AsBytes(entry->leaf))));
  }

  // The tree to grow: the one in memory, or the store's when another replica has appended.
  absl::StatusOr<GroupLog> LoadGroupLog(store::ReadTransaction& transaction,
                                        std::string_view tenant) {
    LogState state = Known(tenant);
    if (state.log == nullptr) {
      ASSIGN_OR_RETURN(TenantLog log, ReadTenantLog(transaction, root_, deployment_id_, tenant));
      state.log = std::make_shared<const TenantLog>(std::move(log));
    }
    ASSIGN_OR_RETURN(const uint64_t size, transaction.LogSize(tenant));
    if (state.head != nullptr) {
      RETURN_IF_ERROR(EnsureNotShrunk(tenant, size, state.head->frontier.size));
      if (size == state.head->frontier.size) {
        return GroupLog{state.log, GrowingTree(state.head->frontier)};
      }
    }
    ASSIGN_OR_RETURN(const Frontier frontier, ReadFrontier(transaction, tenant, size));
    return GroupLog{state.log, GrowingTree(frontier)};
  }

  void AnswerGroup(const Group& group, const GroupLogs& logs) {
    std::map<std::string_view, std::shared_ptr<const TreeHead>> heads;
    for (const auto& [tenant, grown] : logs) {
      heads[tenant] = SignHead(*grown.log, grown.tree.frontier());
      Publish(tenant, {grown.log, heads[tenant]});
    }
    for (Waiter* waiter : group) {
      if (!waiter->refused.ok()) {
        waiter->answer = waiter->refused;
        continue;
      }
      const TreeHead& head = *heads.at(waiter->tenant);
      const GrowingTree& tree = logs.find(waiter->tenant)->second.tree;
      const std::vector<Hash> proof = tree.Prove(waiter->leaf_index, head.frontier);
      waiter->answer = AnswerMaker::Make(std::move(waiter->payload),
                                         MakeReceipt(waiter->leaf_index, proof, head.checkpoint));
    }
  }

  LogState Known(std::string_view tenant) {
    MutexLock lock(mutex_);
    const auto found = logs_.find(tenant);
    return found == logs_.end() ? LogState{} : found->second;
  }

  void Publish(std::string_view tenant, const LogState& state) {
    MutexLock lock(mutex_);
    LogState& known = logs_[std::string(tenant)];
    if (known.head == nullptr || known.head->frontier.size < state.head->frontier.size) {
      known = state;
    }
  }

  // The log with all its committed leaves.
  absl::StatusOr<LogState> Current(std::string_view tenant) {
    LogState state = Known(tenant);
    Frontier frontier;
    RETURN_IF_ERROR(store_.Read(clock_.Now(), [&](store::ReadTransaction& t) -> absl::Status {
      ASSIGN_OR_RETURN(frontier.size, t.LogSize(tenant));
      if (state.log == nullptr) {
        ASSIGN_OR_RETURN(TenantLog log, ReadTenantLog(t, root_, deployment_id_, tenant));
        state.log = std::make_shared<const TenantLog>(std::move(log));
      } else {
        RETURN_IF_ERROR(EnsureNotShrunk(tenant, frontier.size, state.head->frontier.size));
        if (frontier.size == state.head->frontier.size) return absl::OkStatus();
      }
      ASSIGN_OR_RETURN(frontier, ReadFrontier(t, tenant, frontier.size));
      return absl::OkStatus();
    }));
    if (state.head == nullptr || state.head->frontier.size < frontier.size) {
      state.head = SignHead(*state.log, std::move(frontier));
      Publish(tenant, state);
    }
    return state;
  }

  store::Store& store_;
  custody::Root& root_;
  Clock& clock_;
  Failpoints& failpoints_;
  const std::string deployment_id_;

  Mutex mutex_;
  std::deque<Waiter*> queue_ ABSL_GUARDED_BY(mutex_);
  bool leading_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, LogState, std::less<>> logs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> OpenAuditLog(store::Store& store, custody::Root& root,
                                                       Clock& clock, Failpoints& failpoints,
                                                       std::string deployment_id,
                                                       const std::vector<PinnedGenesis>& pinned) {
  auto log =
      std::make_unique<AuditLogImpl>(store, root, clock, failpoints, std::move(deployment_id));
  for (const PinnedGenesis& genesis : pinned) RETURN_IF_ERROR(log->EnsureGenesis(genesis));
  return log;
}

}  // namespace latchkey::audit
