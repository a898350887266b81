#include "broker/audit/staged_transaction.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"

namespace latchkey::audit {

absl::StatusOr<std::optional<Bytes>> StagedTransaction::Get(std::string_view key) {
  const auto found = writes_.find(key);
  if (found == writes_.end()) return under_.Get(key);
  return IsLive(found->second) ? found->second.value : std::nullopt;
}

absl::StatusOr<std::vector<store::Entry>> StagedTransaction::Scan(std::string_view prefix,
                                                                  std::string_view after,
                                                                  size_t limit) {
  // Each staged write hides at most one entry below, so this many below are enough.
  const size_t below_limit = limit > SIZE_MAX - writes_.size() ? SIZE_MAX : limit + writes_.size();
  ASSIGN_OR_RETURN(std::vector<store::Entry> entries, under_.Scan(prefix, after, below_limit));
  std::erase_if(entries, [&](const store::Entry& entry) { return writes_.contains(entry.key); });
  for (const auto& [key, write] : writes_) {
    if (IsLive(write) && key.starts_with(prefix) && key > after) {
      entries.push_back({key, *write.value});
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const store::Entry& a, const store::Entry& b) { return a.key < b.key; });
  if (entries.size() > limit) entries.resize(limit);
  return entries;
}

absl::Status StagedTransaction::Put(std::string_view key, ByteView value) {
  return PutExpiring(key, value, absl::InfiniteFuture());
}

absl::Status StagedTransaction::PutExpiring(std::string_view key, ByteView value,
                                            absl::Time expires_at) {
  if (key.empty()) return absl::InvalidArgumentError("store: the key is empty");
  writes_.insert_or_assign(std::string(key), Write{ToBytes(value), expires_at});
  return absl::OkStatus();
}

absl::Status StagedTransaction::Delete(std::string_view key) {
  writes_.insert_or_assign(std::string(key), Write{});
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> StagedTransaction::Append(std::string_view, ByteView) {
  return absl::InternalError("leaves are appended by the audit log; return the leaf instead");
}

absl::Status StagedTransaction::Flush() {
  for (const auto& [key, write] : writes_) {
    if (!write.value) {
      RETURN_IF_ERROR(under_.Delete(key));
    } else if (write.expires_at == absl::InfiniteFuture()) {
      RETURN_IF_ERROR(under_.Put(key, AsBytes(*write.value)));
    } else {
      RETURN_IF_ERROR(under_.PutExpiring(key, AsBytes(*write.value), write.expires_at));
    }
  }
  return absl::OkStatus();
}

}  // namespace latchkey::audit
