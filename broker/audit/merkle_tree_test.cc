#include "broker/audit/merkle_tree.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "broker/audit/tree_store.h"
#include "broker/store/memory_store.h"
#include "gtest/gtest.h"
#include "tests/support/matchers.h"

namespace latchkey::audit {
namespace {

Bytes LeafAt(uint64_t index) { return absl::StrCat("leaf ", index); }

// The tree as RFC 6962, 2.1 defines it, word by word.
Hash NaiveRoot(uint64_t first, uint64_t size) {
  if (size == 1) return protocol::LeafHash(AsBytes(LeafAt(first)));
  uint64_t k = 1;
  while (2 * k < size) k *= 2;
  return protocol::NodeHash(NaiveRoot(first, k), NaiveRoot(first + k, size - k));
}

std::vector<Hash> NaivePath(uint64_t index, uint64_t first, uint64_t size) {
  if (size == 1) return {};
  uint64_t k = 1;
  while (2 * k < size) k *= 2;
  std::vector<Hash> path =
      index < k ? NaivePath(index, first, k) : NaivePath(index - k, first + k, size - k);
  path.push_back(index < k ? NaiveRoot(first + k, size - k) : NaiveRoot(first, k));
  return path;
}

TEST(MerkleTreeTest, RootsAreThoseOfTheRfcForEverySize) {
  EXPECT_EQ(RootOf(Frontier{}), protocol::EmptyRoot());
  GrowingTree tree((Frontier()));
  for (uint64_t size = 1; size <= 600; ++size) {
    tree.Append(protocol::LeafHash(AsBytes(LeafAt(size - 1))));
    EXPECT_EQ(RootOf(tree.frontier()), NaiveRoot(0, size)) << size;
  }
}

TEST(MerkleTreeTest, AGroupProvesItsLeavesWhateverCameBefore) {
  for (uint64_t before = 0; before <= 40; ++before) {
    GrowingTree old_tree((Frontier()));
    for (uint64_t i = 0; i < before; ++i) {
      old_tree.Append(protocol::LeafHash(AsBytes(LeafAt(i))));
    }
    for (uint64_t added = 1; added <= 20; ++added) {
      GrowingTree tree(old_tree.frontier());
      for (uint64_t i = before; i < before + added; ++i) {
        tree.Append(protocol::LeafHash(AsBytes(LeafAt(i))));
      }
      const Frontier now = tree.frontier();
      for (uint64_t i = before; i < before + added; ++i) {
        EXPECT_EQ(tree.Prove(i, now), NaivePath(i, 0, before + added))
            << i << " of " << before + added;
      }
    }
  }
}

class TreeStoreTest : public ::testing::Test {
 protected:
  const absl::Time now_ = absl::FromUnixSeconds(1767225600);

  void AppendTo(uint64_t size) {
    EXPECT_THAT(store_->Transact(
                    now_,
                    [&](store::Transaction& t) {
                      while (tree_.size() < size) {
                        const Bytes leaf = LeafAt(tree_.size());
                        EXPECT_THAT(t.Append("log", AsBytes(leaf)), IsOk());
                        EXPECT_THAT(
                            WriteNodes(t, "log", tree_.Append(protocol::LeafHash(AsBytes(leaf)))),
                            IsOk());
                      }
                      return absl::OkStatus();
                    }),
                IsOk());
  }
  absl::Status Read(const std::function<absl::Status(store::ReadTransaction&)>& body) {
    return store_->Read(now_, body);
  }

  std::unique_ptr<store::Store> store_ = store::NewMemoryStore();
  GrowingTree tree_{Frontier()};
};

TEST_F(TreeStoreTest, ProofsOfAllLeavesOfAllSizesTo600VerifyAgainstTheRoot) {
  AppendTo(600);
  // Nodes of the complete tree, once.
  std::map<std::pair<int, uint64_t>, Hash> nodes;
  EXPECT_THAT(Read([&](store::ReadTransaction& t) {
                for (int level = 0; level <= 9; ++level) {
                  for (uint64_t i = 0; i < 600u >> level; ++i) {
                    nodes[{level, i}] = ReadNode(t, "log", level, i).value();
                    EXPECT_EQ(nodes.at({level, i}), NaiveRoot(i << level, 1u << level));
                  }
                }
                return absl::OkStatus();
              }),
              IsOk());
  GrowingTree tree((Frontier()));
  for (uint64_t size = 1; size <= 600; ++size) {
    tree.Append(nodes.at({0, size - 1}));
    const Frontier frontier = tree.frontier();
    const Hash root = RootOf(frontier);
    for (uint64_t i = 0; i < size; ++i) {
      const auto proof =
          InclusionProof(i, frontier, [&](int level, uint64_t index) -> absl::StatusOr<Hash> {
            return nodes.at({level, index});
          });
      ASSERT_THAT(proof, IsOk());
      ASSERT_THAT(protocol::VerifyInclusion(i, size, nodes.at({0, i}), *proof, root), IsOk())
          << i << " of " << size;
      if (size % 97 == 0) {
        ASSERT_EQ(*proof, NaivePath(i, 0, size));
      }
    }
  }
}

TEST_F(TreeStoreTest, TheFrontierReadBackIsTheOneThatGrew) {
  for (const uint64_t size : {1, 2, 255, 256, 257, 511, 512, 1000, 65535, 65536, 66000}) {
    AppendTo(size);
    EXPECT_THAT(Read([&](store::ReadTransaction& t) -> absl::Status {
                  const auto frontier = ReadFrontier(t, "log", size);
                  EXPECT_THAT(frontier, IsOk());
                  EXPECT_EQ(frontier->nodes.size(), tree_.frontier().nodes.size());
                  EXPECT_EQ(RootOf(*frontier), RootOf(tree_.frontier())) << size;
                  return absl::OkStatus();
                }),
                IsOk());
  }
}

TEST_F(TreeStoreTest, AMissingNodeOrLeafIsDataLoss) {
  AppendTo(512);
  const auto read = [&](int level, uint64_t index) {
    absl::StatusOr<Hash> hash = absl::UnknownError("did not run");
    EXPECT_THAT(Read([&](store::ReadTransaction& t) {
                  hash = ReadNode(t, "log", level, index);
                  return absl::OkStatus();
                }),
                IsOk());
    return hash.status();
  };
  EXPECT_THAT(read(9, 0), IsOk());
  EXPECT_THAT(read(3, 64), StatusIs(absl::StatusCode::kDataLoss)) << "past the end";
  EXPECT_THAT(
      store_->Transact(
          now_, [](store::Transaction& t) { return t.Delete("node/log/8/0000000000000000"); }),
      IsOk());
  EXPECT_THAT(read(9, 0), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(read(8, 1), IsOk());
}

}  // namespace
}  // namespace latchkey::audit
