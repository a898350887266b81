#include "broker/store/memory_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/mutex.h"

namespace latchkey::store {
namespace {

struct Record {
  Bytes value;
  std::optional<int64_t> expires_us;

  bool IsLive(int64_t now_us) const { return !expires_us || *expires_us > now_us; }
};

// What a transaction wrote; nullopt marks a deletion.
struct Changes {
  std::map<std::string, std::optional<Record>, std::less<>> records;
  std::map<std::string, std::vector<Bytes>, std::less<>> appended;
};

// `Versions` keeps every record in the versions that a running reader may still ask for, so that
// readers never wait for the body of a writer. Thread-safe; each call holds the lock for a moment
// only.
class Versions {
 public:
  uint64_t Pin() {
    MutexLock lock(mutex_);
    pinned_.insert(committed_);
    return committed_;
  }

  void Unpin(uint64_t version) {
    MutexLock lock(mutex_);
    pinned_.erase(pinned_.find(version));
  }

  std::optional<Record> Get(std::string_view key, uint64_t version) {
    MutexLock lock(mutex_);
    const auto found = records_.find(key);
    if (found == records_.end()) return std::nullopt;
    return At(found->second, version);
  }

  // The first live record whose key is `key` or sorts after it, and starts with `prefix`.
  std::optional<std::pair<std::string, Record>> LowerBound(std::string_view key,
                                                           std::string_view prefix,
                                                           uint64_t version, int64_t now_us) {
    MutexLock lock(mutex_);
    for (auto it = records_.lower_bound(key); it != records_.end(); ++it) {
      if (!it->first.starts_with(prefix)) break;
      std::optional<Record> record = At(it->second, version);
      if (record && record->IsLive(now_us)) return std::pair(it->first, *std::move(record));
    }
    return std::nullopt;
  }

  uint64_t LogSize(std::string_view log, uint64_t version) {
    MutexLock lock(mutex_);
    return SizeAt(log, version);
  }

  std::vector<Bytes> ReadLog(std::string_view log, uint64_t first, size_t count, uint64_t version) {
    MutexLock lock(mutex_);
    std::vector<Bytes> leaves;
    const uint64_t size = SizeAt(log, version);
    const auto found = logs_.find(log);
    for (uint64_t i = first; i < size && leaves.size() < count; ++i) {
      leaves.push_back(found->second[i].bytes);
    }
    return leaves;
  }

  std::vector<std::string> Expired(int64_t now_us, size_t limit) {
    MutexLock lock(mutex_);
    std::vector<std::string> keys;
    for (auto it = expiries_.begin(); it != expiries_.end() && keys.size() < limit; ++it) {
      if (it->first > now_us) break;
      keys.push_back(it->second);
    }
    return keys;
  }

  void Commit(Changes&& changes) {
    MutexLock lock(mutex_);
    ++committed_;
    for (auto& [key, record] : changes.records) Replace(key, std::move(record));
    for (auto& [log, leaves] : changes.appended) {
      for (Bytes& leaf : leaves) logs_[log].push_back({committed_, std::move(leaf)});
    }
    Prune();
  }

 private:
  struct Version {
    uint64_t number;
    std::optional<Record> record;
  };
  struct Leaf {
    uint64_t number;
    Bytes bytes;
  };

  static std::optional<Record> At(const std::vector<Version>& history, uint64_t version) {
    for (auto it = history.rbegin(); it != history.rend(); ++it) {
      if (it->number <= version) return it->record;
    }
    return std::nullopt;
  }

  uint64_t SizeAt(std::string_view log, uint64_t version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = logs_.find(log);
    if (found == logs_.end()) return 0;
    const std::vector<Leaf>& leaves = found->second;
    return std::partition_point(leaves.begin(), leaves.end(),
                                [&](const Leaf& leaf) { return leaf.number <= version; }) -
           leaves.begin();
  }

  void Replace(const std::string& key, std::optional<Record> record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<Version>& history = records_[key];
    if (!history.empty() && history.back().record && history.back().record->expires_us) {
      expiries_.erase({*history.back().record->expires_us, key});
    }
    if (record && record->expires_us) expiries_.insert({*record->expires_us, key});
    history.push_back({committed_, std::move(record)});
    to_prune_.insert(key);
  }

  // Drops the versions that no running or later reader can see.
  void Prune() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const uint64_t oldest = pinned_.empty() ? committed_ : *pinned_.begin();
    for (auto it = to_prune_.begin(); it != to_prune_.end();) {
      std::vector<Version>& history = records_[*it];
      while (history.size() > 1 && history[1].number <= oldest) history.erase(history.begin());
      const bool deleted = history.size() == 1 && !history[0].record;
      const bool settled = history.size() == 1 && history[0].number <= oldest;
      if (deleted && settled) records_.erase(*it);
      it = settled ? to_prune_.erase(it) : std::next(it);
    }
  }

  Mutex mutex_;
  uint64_t committed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::vector<Version>, std::less<>> records_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<Leaf>, std::less<>> logs_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<int64_t, std::string>> expiries_ ABSL_GUARDED_BY(mutex_);
  std::multiset<uint64_t> pinned_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> to_prune_ ABSL_GUARDED_BY(mutex_);
};

class MemoryTransaction final : public Transaction {
 public:
  MemoryTransaction(Versions& versions, absl::Time now)
      : versions_(versions), version_(versions.Pin()), now_us_(absl::ToUnixMicros(now)) {}
  ~MemoryTransaction() override { versions_.Unpin(version_); }
  MemoryTransaction(const MemoryTransaction&) = delete;
  MemoryTransaction& operator=(const MemoryTransaction&) = delete;

  absl::StatusOr<std::optional<Bytes>> Get(std::string_view key) override {
    const auto own = changes_.records.find(key);
    std::optional<Record> record =
        own != changes_.records.end() ? own->second : versions_.Get(key, version_);
    if (!record || !record->IsLive(now_us_)) return std::nullopt;
    return std::move(record->value);
  }

  absl::StatusOr<std::vector<Entry>> Scan(std::string_view prefix, std::string_view after,
                                          size_t limit) override {
    std::vector<Entry> entries;
    // The first key that sorts after `after` is `after` and a zero byte.
    std::string from = std::max(std::string(prefix), std::string(after) + '\0');
    while (entries.size() < limit) {
      auto next = Next(from, prefix);
      if (!next) break;
      from = next->first + '\0';
      entries.push_back({std::move(next->first), std::move(next->second.value)});
    }
    return entries;
  }

  absl::StatusOr<uint64_t> LogSize(std::string_view log) override {
    const auto own = changes_.appended.find(log);
    return versions_.LogSize(log, version_) +
           (own != changes_.appended.end() ? own->second.size() : 0);
  }

  absl::StatusOr<std::vector<Bytes>> ReadLog(std::string_view log, uint64_t first,
                                             size_t count) override {
    std::vector<Bytes> leaves = versions_.ReadLog(log, first, count, version_);
    const auto own = changes_.appended.find(log);
    if (own == changes_.appended.end()) return leaves;
    const uint64_t committed = versions_.LogSize(log, version_);
    for (uint64_t i = std::max(first, committed) - committed;
         i < own->second.size() && leaves.size() < count; ++i) {
      leaves.push_back(own->second[i]);
    }
    return leaves;
  }

  absl::Status Put(std::string_view key, ByteView value) override {
    return Set(key, Record{ToBytes(value), std::nullopt});
  }

  absl::Status PutExpiring(std::string_view key, ByteView value, absl::Time expires_at) override {
    return Set(key, Record{ToBytes(value), absl::ToUnixMicros(expires_at)});
  }

  absl::Status Delete(std::string_view key) override { return Set(key, std::nullopt); }

  absl::StatusOr<uint64_t> Append(std::string_view log, ByteView leaf) override {
    std::vector<Bytes>& own = changes_.appended[std::string(log)];
    own.push_back(ToBytes(leaf));
    return versions_.LogSize(log, version_) + own.size() - 1;
  }

  Changes TakeChanges() { return std::move(changes_); }

 private:
  absl::Status Set(std::string_view key, std::optional<Record> record) {
    if (key.empty()) return absl::InvalidArgumentError("store: an empty key; give it a name");
    changes_.records.insert_or_assign(std::string(key), std::move(record));
    return absl::OkStatus();
  }

  // The first live record at or after `from` under `prefix`, our own changes laid over the
  // committed ones.
  std::optional<std::pair<std::string, Record>> Next(std::string from, std::string_view prefix) {
    while (true) {
      auto committed = versions_.LowerBound(from, prefix, version_, now_us_);
      auto own = changes_.records.lower_bound(from);
      const bool has_own = own != changes_.records.end() && own->first.starts_with(prefix);
      if (!has_own || (committed && committed->first < own->first)) return committed;
      if (own->second && own->second->IsLive(now_us_)) return std::pair(own->first, *own->second);
      from = own->first + '\0';  // deleted or expired by us: look behind it
    }
  }

  Versions& versions_;
  const uint64_t version_;
  const int64_t now_us_;
  Changes changes_;
};

class MemoryStore final : public Store {
 public:
  absl::Status Transact(absl::Time now,
                        absl::FunctionRef<absl::Status(Transaction&)> body) override {
    MutexLock lock(write_mutex_);
    Changes changes;
    {
      MemoryTransaction transaction(versions_, now);
      if (absl::Status status = body(transaction); !status.ok()) return status;
      changes = transaction.TakeChanges();
    }
    versions_.Commit(std::move(changes));
    return absl::OkStatus();
  }

  absl::Status Read(absl::Time now,
                    absl::FunctionRef<absl::Status(ReadTransaction&)> body) override {
    MemoryTransaction transaction(versions_, now);
    return body(transaction);
  }

  absl::StatusOr<size_t> RemoveExpired(absl::Time now, size_t limit) override {
    MutexLock lock(write_mutex_);
    const std::vector<std::string> keys = versions_.Expired(absl::ToUnixMicros(now), limit);
    if (keys.empty()) return 0;
    Changes changes;
    for (const std::string& key : keys) changes.records.emplace(key, std::nullopt);
    versions_.Commit(std::move(changes));
    return keys.size();
  }

 private:
  Mutex write_mutex_;  // one writing transaction at a time
  Versions versions_;
};

}  // namespace

std::unique_ptr<Store> NewMemoryStore() { return std::make_unique<MemoryStore>(); }

}  // namespace latchkey::store
