// The contract of Store (store.h), run on every implementation.

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/store/memory_store.h"
#include "broker/store/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
const absl::Duration kTick = absl::Microseconds(1);

std::vector<std::string> KeysOf(const std::vector<Entry>& entries) {
  std::vector<std::string> keys;
  for (const Entry& entry : entries) keys.push_back(entry.key);
  return keys;
}

class StoreContractTest : public ::testing::TestWithParam<std::string> {
 protected:
  StoreContractTest() {
    std::string pattern = ::testing::TempDir() + "/latchkey-contract-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    store_ = GetParam() == "memory" ? NewMemoryStore()
                                    : OpenSqliteStore(directory_ + "/store.db").value();
  }
  ~StoreContractTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Write(const std::function<absl::Status(Transaction&)>& body, absl::Time now = kNow) {
    const absl::Status status = store_->Transact(now, body);
    EXPECT_TRUE(status.ok()) << status;
  }
  void Put(std::string_view key, std::string_view value) {
    Write([&](Transaction& t) { return t.Put(key, AsBytes(value)); });
  }

  void Read(const std::function<void(ReadTransaction&)>& body, absl::Time now = kNow) {
    const absl::Status status = store_->Read(now, [&](ReadTransaction& t) {
      body(t);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  std::optional<Bytes> Get(std::string_view key, absl::Time now = kNow) {
    std::optional<Bytes> value;
    Read([&](ReadTransaction& t) { value = t.Get(key).value(); }, now);
    return value;
  }
  std::vector<std::string> Keys(std::string_view prefix, std::string_view after = "",
                                size_t limit = 100, absl::Time now = kNow) {
    std::vector<std::string> keys;
    Read([&](ReadTransaction& t) { keys = KeysOf(t.Scan(prefix, after, limit).value()); }, now);
    return keys;
  }
  std::vector<Bytes> Log(std::string_view log, uint64_t first = 0, size_t count = 100) {
    std::vector<Bytes> leaves;
    Read([&](ReadTransaction& t) { leaves = t.ReadLog(log, first, count).value(); });
    return leaves;
  }

  std::string directory_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreContractTest, AnEmptyStoreHasNothing) {
  EXPECT_EQ(Get("key"), std::nullopt);
  EXPECT_THAT(Keys(""), IsEmpty());
  EXPECT_THAT(Log("log"), IsEmpty());
  Read([](ReadTransaction& t) { EXPECT_EQ(t.LogSize("log").value(), 0); });
}

TEST_P(StoreContractTest, APutValueIsReadUntilReplacedOrDeleted) {
  Put("key", "one");
  EXPECT_EQ(Get("key"), "one");
  Put("key", "two");
  EXPECT_EQ(Get("key"), "two");
  Write([](Transaction& t) { return t.Delete("key"); });
  EXPECT_EQ(Get("key"), std::nullopt);
  Write([](Transaction& t) { return t.Delete("key"); });  // deleting nothing is fine
}

TEST_P(StoreContractTest, KeysAndValuesAreAnyBytes) {
  const std::string key("\0\xff\0k", 4);
  const std::string value("\0\x80\xff\0", 4);
  Put(key, value);
  Put("empty", "");
  EXPECT_EQ(Get(key), value);
  EXPECT_EQ(Get("empty"), "");
  EXPECT_EQ(Get(std::string_view("\0\xff", 2)), std::nullopt);
}

TEST_P(StoreContractTest, AnEmptyKeyIsRefusedAndAOneByteKeyIsNot) {
  const absl::Status refused =
      store_->Transact(kNow, [](Transaction& t) { return t.Put("", AsBytes("value")); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  Put(std::string_view("\0", 1), "value");
  EXPECT_EQ(Keys("").size(), 1);
}

TEST_P(StoreContractTest, ATransactionSeesItsOwnWrites) {
  Put("a", "old");
  Put("b", "old");
  Write([](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(t.Put("a", AsBytes("new")));
    RETURN_IF_ERROR(t.Delete("b"));
    RETURN_IF_ERROR(t.Put("c", AsBytes("new")));
    EXPECT_EQ(t.Get("a").value(), "new");
    EXPECT_EQ(t.Get("b").value(), std::nullopt);
    EXPECT_THAT(KeysOf(t.Scan("", "", 10).value()), ElementsAre("a", "c"));
    EXPECT_EQ(t.Append("log", AsBytes("leaf")).value(), 0);
    EXPECT_EQ(t.LogSize("log").value(), 1);
    EXPECT_THAT(t.ReadLog("log", 0, 10).value(), ElementsAre("leaf"));
    return absl::OkStatus();
  });
}

TEST_P(StoreContractTest, NothingOfARefusedTransactionRemains) {
  Put("kept", "value");
  const absl::Status status = store_->Transact(kNow, [](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(t.Put("new", AsBytes("value")));
    RETURN_IF_ERROR(t.Delete("kept"));
    RETURN_IF_ERROR(t.Append("log", AsBytes("leaf")).status());
    return absl::AbortedError("changed my mind");
  });
  EXPECT_EQ(status, absl::AbortedError("changed my mind"));
  EXPECT_EQ(Get("new"), std::nullopt);
  EXPECT_EQ(Get("kept"), "value");
  EXPECT_THAT(Log("log"), IsEmpty());
  Write([](Transaction& t) {
    auto index = t.Append("log", AsBytes("leaf"));
    EXPECT_EQ(index.value(), 0) << "the refused append left a gap";
    return index.status();
  });
}

TEST_P(StoreContractTest, TheErrorOfAReadersBodyIsReturned) {
  EXPECT_EQ(store_->Read(kNow, [](ReadTransaction&) { return absl::NotFoundError("no such key"); }),
            absl::NotFoundError("no such key"));
  EXPECT_EQ(Get("key"), std::nullopt) << "and the store goes on";
}

TEST_P(StoreContractTest, AnEntryIsAbsentFromItsExpiryOn) {
  const absl::Time expiry = kNow + absl::Seconds(60);
  Write([&](Transaction& t) { return t.PutExpiring("key", AsBytes("value"), expiry); });
  EXPECT_EQ(Get("key", expiry - kTick), "value");
  EXPECT_EQ(Get("key", expiry), std::nullopt);
  EXPECT_EQ(Get("key", expiry + kTick), std::nullopt);
  EXPECT_THAT(Keys("k", "", 10, expiry - kTick), ElementsAre("key"));
  EXPECT_THAT(Keys("k", "", 10, expiry), IsEmpty());
}

TEST_P(StoreContractTest, APutTakesTheExpiryAwayAndAnotherMovesIt) {
  Write([&](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(t.PutExpiring("forever", AsBytes("a"), kNow + kTick));
    RETURN_IF_ERROR(t.PutExpiring("longer", AsBytes("b"), kNow + kTick));
    RETURN_IF_ERROR(t.Put("forever", AsBytes("c")));
    return t.PutExpiring("longer", AsBytes("d"), kNow + 2 * kTick);
  });
  EXPECT_EQ(Get("forever", kNow + absl::Hours(1000)), "c");
  EXPECT_EQ(Get("longer", kNow + kTick), "d");
  EXPECT_EQ(Get("longer", kNow + 2 * kTick), std::nullopt);
  EXPECT_EQ(store_->RemoveExpired(kNow + absl::Hours(1), 10).value(), 1);
  EXPECT_EQ(Get("forever", kNow + absl::Hours(1000)), "c");
}

TEST_P(StoreContractTest, RemoveExpiredTakesTheExpiredUpToTheLimit) {
  Put("stays", "value");
  Write([&](Transaction& t) -> absl::Status {
    for (int i = 0; i < 5; ++i) {
      RETURN_IF_ERROR(t.PutExpiring(absl::StrCat("e", i), AsBytes("v"), kNow + i * kTick));
    }
    return absl::OkStatus();
  });
  const absl::Time now = kNow + 3 * kTick;
  EXPECT_EQ(store_->RemoveExpired(now, 3).value(), 3);
  EXPECT_EQ(store_->RemoveExpired(now, 3).value(), 1);
  EXPECT_EQ(store_->RemoveExpired(now, 3).value(), 0);
  EXPECT_THAT(Keys("", "", 10, kNow), ElementsAre("e4", "stays"));
}

TEST_P(StoreContractTest, ScansAreInBytewiseOrderUnderThePrefix) {
  for (const char* key : {"b", "a/2", "a/10", "a", "a/\xc3\xa4", "a/\x7f", "a0", "A/1"}) {
    Put(key, "v");
  }
  EXPECT_THAT(Keys("a/"), ElementsAre("a/10", "a/2", "a/\x7f", "a/\xc3\xa4"));
  EXPECT_THAT(Keys("a/", "a/2"), ElementsAre("a/\x7f", "a/\xc3\xa4"));
  EXPECT_THAT(Keys("a/", "a/1"), ElementsAre("a/10", "a/2", "a/\x7f", "a/\xc3\xa4"));
  EXPECT_THAT(Keys("a/", "", 2), ElementsAre("a/10", "a/2"));
  EXPECT_THAT(Keys("a/", "", 0), IsEmpty());
  EXPECT_THAT(Keys("a/", "b"), IsEmpty());
  EXPECT_THAT(Keys("a/", "A"), ElementsAre("a/10", "a/2", "a/\x7f", "a/\xc3\xa4"));
  EXPECT_EQ(Keys("").size(), 8);
  EXPECT_THAT(Keys("c"), IsEmpty());
}

TEST_P(StoreContractTest, APrefixOfTheHighestBytesHasNoUpperNeighbour) {
  Put("\xff", "v");
  Put("\xff\xff", "v");
  Put("\xff\xff\x01", "v");
  Put("\xfe", "v");
  EXPECT_THAT(Keys("\xff\xff"), ElementsAre("\xff\xff", "\xff\xff\x01"));
  EXPECT_THAT(Keys("\xff\xff", "\xff\xff"), ElementsAre("\xff\xff\x01"));
}

TEST_P(StoreContractTest, APagedScanSeesEveryKeyOnce) {
  for (int i = 0; i < 50; ++i) Put(absl::StrCat("k/", i), "v");
  std::vector<std::string> paged;
  for (std::string after;;) {
    const std::vector<std::string> page = Keys("k/", after, 7);
    if (page.empty()) break;
    paged.insert(paged.end(), page.begin(), page.end());
    after = page.back();
  }
  EXPECT_EQ(paged, Keys("k/"));
  EXPECT_EQ(paged.size(), 50);
}

TEST_P(StoreContractTest, LogsGrowByOneAndDoNotMix) {
  Write([](Transaction& t) -> absl::Status {
    EXPECT_EQ(t.Append("one", AsBytes("a")).value(), 0);
    EXPECT_EQ(t.Append("two", AsBytes("x")).value(), 0);
    EXPECT_EQ(t.Append("one", AsBytes("b")).value(), 1);
    return absl::OkStatus();
  });
  Write([](Transaction& t) -> absl::Status {
    EXPECT_EQ(t.Append("one", AsBytes("")).value(), 2);
    return absl::OkStatus();
  });
  EXPECT_THAT(Log("one"), ElementsAre("a", "b", ""));
  EXPECT_THAT(Log("two"), ElementsAre("x"));
  Read([](ReadTransaction& t) { EXPECT_EQ(t.LogSize("one").value(), 3); });
}

TEST_P(StoreContractTest, ALogIsReadInPartsAndEndsWhereItEnds) {
  Write([](Transaction& t) -> absl::Status {
    for (int i = 0; i < 10; ++i) {
      RETURN_IF_ERROR(t.Append("log", AsBytes(absl::StrCat(i))).status());
    }
    EXPECT_THAT(t.ReadLog("log", 8, 5).value(), ElementsAre("8", "9"));
    return absl::OkStatus();
  });
  Write([](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(t.Append("log", AsBytes("10")).status());
    EXPECT_THAT(t.ReadLog("log", 9, 5).value(), ElementsAre("9", "10"));
    EXPECT_THAT(t.ReadLog("log", 9, 1).value(), ElementsAre("9"));
    return absl::OkStatus();
  });
  EXPECT_THAT(Log("log", 3, 2), ElementsAre("3", "4"));
  EXPECT_THAT(Log("log", 10, 100), ElementsAre("10"));
  EXPECT_THAT(Log("log", 11, 100), IsEmpty());
  EXPECT_THAT(Log("log", UINT64_MAX, 100), IsEmpty());
  EXPECT_THAT(Log("log", 0, 0), IsEmpty());
}

TEST_P(StoreContractTest, AReaderKeepsItsStateWhileWritersCommit) {
  Put("key", "old");
  Put("deleted", "old");
  Read([&](ReadTransaction& t) {
    EXPECT_EQ(t.Get("key").value(), "old");
    std::thread([&] {
      Write([](Transaction& w) -> absl::Status {
        RETURN_IF_ERROR(w.Put("key", AsBytes("new")));
        RETURN_IF_ERROR(w.Put("added", AsBytes("new")));
        RETURN_IF_ERROR(w.Delete("deleted"));
        return w.Append("log", AsBytes("leaf")).status();
      });
    }).join();
    EXPECT_EQ(t.Get("key").value(), "old");
    EXPECT_EQ(t.Get("deleted").value(), "old");
    EXPECT_EQ(t.Scan("", "", 10).value().size(), 2);
    EXPECT_EQ(t.LogSize("log").value(), 0);
    EXPECT_THAT(t.ReadLog("log", 0, 10).value(), IsEmpty());
  });
  EXPECT_EQ(Get("key"), "new");
  EXPECT_THAT(Keys(""), ElementsAre("added", "key"));
}

TEST_P(StoreContractTest, AReaderDoesNotWaitForAWriterNorSeeWhatItHasNotCommitted) {
  Put("key", "old");
  Write([&](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(t.Put("key", AsBytes("new")));
    std::thread([&] { EXPECT_EQ(Get("key"), "old"); }).join();
    return absl::OkStatus();
  });
  EXPECT_EQ(Get("key"), "new");
}

TEST_P(StoreContractTest, WritersAreSerializedAndReadersSeeWholeTransactions) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        Write([](Transaction& t) -> absl::Status {
          // The counter and the log move together.
          ASSIGN_OR_RETURN(const std::optional<Bytes> counter, t.Get("counter"));
          const int next = (counter ? std::stoi(*counter) : 0) + 1;
          RETURN_IF_ERROR(t.Put("counter", AsBytes(absl::StrCat(next))));
          return t.Append("log", AsBytes(absl::StrCat(next))).status();
        });
        Read([](ReadTransaction& t) {
          EXPECT_EQ(absl::StrCat(t.LogSize("log").value()), t.Get("counter").value());
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get("counter"), absl::StrCat(kThreads * kRounds));
  EXPECT_EQ(Log("log", 0, 1000).size(), kThreads * kRounds);
}

// Random operations, committed or refused at random, against the simplest model there is.
class Model {
 public:
  struct Value {
    std::string bytes;
    absl::Time expires_at = absl::InfiniteFuture();
  };
  std::map<std::string, Value> records;
  std::vector<std::string> log;

  std::vector<std::pair<std::string, std::string>> Live(absl::Time now) const {
    std::vector<std::pair<std::string, std::string>> live;
    for (const auto& [key, value] : records) {
      if (value.expires_at > now) live.emplace_back(key, value.bytes);
    }
    return live;
  }
};

std::vector<std::pair<std::string, std::string>> Everything(ReadTransaction& t) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto entries = t.Scan("", "", SIZE_MAX);
  for (const Entry& entry : entries.value()) all.emplace_back(entry.key, entry.value);
  return all;
}

absl::Status RandomStep(std::mt19937& random, absl::Time now, Model& model, Transaction& t) {
  const std::string key(1 + random() % 2, "ab\xff"[random() % 3]);
  const std::string value = absl::StrCat(random() % 1000);
  switch (random() % 5) {
    case 0:
      model.records[key] = {value};
      return t.Put(key, AsBytes(value));
    case 1: {
      const absl::Time expires_at = now + (static_cast<int>(random() % 8) - 2) * kTick;
      model.records[key] = {value, expires_at};
      return t.PutExpiring(key, AsBytes(value), expires_at);
    }
    case 2:
      model.records.erase(key);
      return t.Delete(key);
    case 3:
      model.log.push_back(value);
      EXPECT_EQ(t.Append("log", AsBytes(value)).value(), model.log.size() - 1);
      return absl::OkStatus();
    default: {
      const auto found = model.records.find(key);
      const bool live = found != model.records.end() && found->second.expires_at > now;
      EXPECT_EQ(t.Get(key).value(),
                live ? std::optional<Bytes>(found->second.bytes) : std::nullopt);
      return absl::OkStatus();
    }
  }
}

TEST_P(StoreContractTest, BehavesAsASimpleModelUnderRandomTransactions) {
  std::mt19937 random(20240229);
  Model model;
  absl::Time now = kNow;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    Model changed = model;
    const bool refuse = random() % 4 == 0;
    const absl::Status status = store_->Transact(now, [&](Transaction& t) -> absl::Status {
      for (int step = 0; step < 6; ++step) RETURN_IF_ERROR(RandomStep(random, now, changed, t));
      EXPECT_EQ(Everything(t), changed.Live(now));
      return refuse ? absl::AbortedError("refused") : absl::OkStatus();
    });
    ASSERT_EQ(status.ok(), !refuse) << status;
    if (!refuse) model = changed;
    now += (random() % 3) * kTick;
    if (random() % 8 == 0) {
      ASSERT_TRUE(store_->RemoveExpired(now, 2).ok());
    }
    Read([&](ReadTransaction& t) { EXPECT_EQ(Everything(t), model.Live(now)); }, now);
    ASSERT_EQ(Log("log", 0, SIZE_MAX), model.log);
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContractTest, ::testing::Values("memory", "sqlite"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace latchkey::store
