#include "protocol/merkle.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/strict_json.h"
#include "gtest/gtest.h"
#include "tests/support/matchers.h"

namespace latchkey::protocol {
namespace {

using absl::StatusCode;

Hash HashFromHex(std::string_view hex) {
  const Bytes bytes = HexDecode(hex).value();
  Hash hash;
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

// The definitions of RFC 6962, 2.1, word for word: slow, and independent of the verifier under
// test.
using Leaves = std::span<const Hash>;

size_t SplitPoint(size_t n) {
  size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

Hash Root(Leaves d) {
  if (d.empty()) return EmptyRoot();
  if (d.size() == 1) return d[0];
  const size_t k = SplitPoint(d.size());
  return NodeHash(Root(d.first(k)), Root(d.subspan(k)));
}

std::vector<Hash> Path(size_t m, Leaves d) {
  if (d.size() == 1) return {};
  const size_t k = SplitPoint(d.size());
  std::vector<Hash> path = m < k ? Path(m, d.first(k)) : Path(m - k, d.subspan(k));
  path.push_back(m < k ? Root(d.subspan(k)) : Root(d.first(k)));
  return path;
}

std::vector<Hash> SubProof(size_t m, Leaves d, bool whole) {
  if (m == d.size()) return whole ? std::vector<Hash>{} : std::vector<Hash>{Root(d)};
  const size_t k = SplitPoint(d.size());
  std::vector<Hash> proof =
      m <= k ? SubProof(m, d.first(k), whole) : SubProof(m - k, d.subspan(k), false);
  proof.push_back(m <= k ? Root(d.subspan(k)) : Root(d.first(k)));
  return proof;
}

std::vector<Hash> SomeLeaves(size_t n) {
  std::vector<Hash> leaves;
  for (size_t i = 0; i < n; ++i) leaves.push_back(LeafHash(AsBytes("leaf " + std::to_string(i))));
  return leaves;
}

// The eight leaves and roots that Certificate Transparency implementations test with.
TEST(MerkleTest, RootsAreThoseOfCertificateTransparency) {
  const char* leaves[] = {"",
                          "00",
                          "10",
                          "2021",
                          "3031",
                          "40414243",
                          "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  std::vector<Hash> hashes;
  for (size_t i = 0; i < std::size(leaves); ++i) {
    hashes.push_back(LeafHash(AsBytes(HexDecode(leaves[i]).value())));
    EXPECT_EQ(Root(hashes), HashFromHex(roots[i])) << i + 1;
  }
  EXPECT_EQ(EmptyRoot(),
            HashFromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

TEST(MerkleTest, EveryLeafOfEverySmallTreeIsProven) {
  const std::vector<Hash> all = SomeLeaves(40);
  for (size_t size = 1; size <= all.size(); ++size) {
    const Leaves leaves(all.data(), size);
    for (size_t index = 0; index < size; ++index) {
      EXPECT_THAT(VerifyInclusion(index, size, leaves[index], Path(index, leaves), Root(leaves)),
                  IsOk())
          << index << " of " << size;
    }
  }
}

TEST(MerkleTest, EverySmallTreeIsPrefixOfEveryLargerOne) {
  const std::vector<Hash> all = SomeLeaves(40);
  for (size_t size = 1; size <= all.size(); ++size) {
    const Leaves leaves(all.data(), size);
    for (size_t old_size = 1; old_size <= size; ++old_size) {
      EXPECT_THAT(VerifyConsistency(old_size, Root(leaves.first(old_size)), size, Root(leaves),
                                    SubProof(old_size, leaves, true)),
                  IsOk())
          << old_size << " of " << size;
    }
  }
}

TEST(MerkleTest, InclusionProofWithAnyPartChangedIsRefused) {
  const std::vector<Hash> leaves = SomeLeaves(11);
  const Hash root = Root(leaves);
  const std::vector<Hash> proof = Path(6, leaves);
  ASSERT_THAT(VerifyInclusion(6, 11, leaves[6], proof, root), IsOk());

  for (size_t i = 0; i < proof.size(); ++i) {
    std::vector<Hash> changed = proof;
    changed[i][31] ^= 1;
    EXPECT_THAT(VerifyInclusion(6, 11, leaves[6], changed, root),
                StatusIs(StatusCode::kUnauthenticated))
        << i;
  }
  EXPECT_THAT(VerifyInclusion(6, 11, leaves[5], proof, root),
              StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(VerifyInclusion(6, 11, leaves[6], proof, Root(Leaves(leaves).first(10))),
              StatusIs(StatusCode::kUnauthenticated));
  for (size_t index = 0; index < 11; ++index) {
    EXPECT_EQ(VerifyInclusion(index, 11, leaves[6], proof, root).ok(), index == 6) << index;
  }
}

TEST(MerkleTest, InclusionProofOfAnotherLengthIsMalformed) {
  const std::vector<Hash> leaves = SomeLeaves(11);
  const Hash root = Root(leaves);
  std::vector<Hash> proof = Path(6, leaves);
  proof.push_back(root);
  EXPECT_THAT(VerifyInclusion(6, 11, leaves[6], proof, root),
              StatusIs(StatusCode::kInvalidArgument));
  proof.resize(proof.size() - 2);
  EXPECT_THAT(VerifyInclusion(6, 11, leaves[6], proof, root),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(VerifyInclusion(6, 11, leaves[6], {}, root), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(VerifyInclusion(0, 1, leaves[0], {}, leaves[0]), IsOk());
  EXPECT_THAT(VerifyInclusion(1, 1, leaves[0], {}, leaves[0]),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(VerifyInclusion(0, 0, leaves[0], {}, leaves[0]),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(MerkleTest, LargestTreesEndTheWalk) {
  const Hash leaf = LeafHash(AsBytes("leaf"));
  const std::vector<Hash> proof(64, leaf);
  EXPECT_THAT(VerifyInclusion(0, UINT64_MAX, leaf, proof, leaf),
              StatusIs(StatusCode::kUnauthenticated));
  EXPECT_FALSE(VerifyInclusion(UINT64_MAX - 1, UINT64_MAX, leaf, proof, leaf).ok());
  EXPECT_FALSE(VerifyConsistency(1, leaf, UINT64_MAX, leaf, proof).ok());
  EXPECT_FALSE(VerifyConsistency(UINT64_MAX - 1, leaf, UINT64_MAX, leaf, proof).ok());
}

TEST(MerkleTest, RewrittenHistoryIsNotConsistent) {
  std::vector<Hash> leaves = SomeLeaves(11);
  const Hash old_root = Root(Leaves(leaves).first(6));
  const std::vector<Hash> proof = SubProof(6, leaves, true);
  ASSERT_THAT(VerifyConsistency(6, old_root, 11, Root(leaves), proof), IsOk());

  leaves[2] = LeafHash(AsBytes("another past"));
  EXPECT_THAT(VerifyConsistency(6, old_root, 11, Root(leaves), SubProof(6, leaves, true)),
              StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(VerifyConsistency(6, old_root, 6, Root(Leaves(leaves).first(6)), {}),
              StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(VerifyConsistency(6, old_root, 6, old_root, {}), IsOk());
}

TEST(MerkleTest, ConsistencyProofOfAnotherLengthIsMalformed) {
  const std::vector<Hash> leaves = SomeLeaves(11);
  const Hash root = Root(leaves);
  const Hash old_root = Root(Leaves(leaves).first(6));
  std::vector<Hash> proof = SubProof(6, leaves, true);
  proof.push_back(root);
  EXPECT_THAT(VerifyConsistency(6, old_root, 11, root, proof),
              StatusIs(StatusCode::kInvalidArgument));
  proof.resize(proof.size() - 2);
  EXPECT_THAT(VerifyConsistency(6, old_root, 11, root, proof),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(VerifyConsistency(6, old_root, 11, root, {}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(VerifyConsistency(11, root, 6, old_root, {}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(VerifyConsistency(0, EmptyRoot(), 11, root, {}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(VerifyConsistency(11, root, 11, root, {root}),
              StatusIs(StatusCode::kInvalidArgument));
}

// The vectors of transparency-dev/merkle. Reads null where they are not there.
nlohmann::json Vectors(const std::string& file) {
  const char* root = std::getenv("LATCHKEY_VECTORS");
  std::ifstream in(std::string(root != nullptr ? root : "../shared/vectors") + "/crypto/merkle/" +
                   file);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return text.empty() ? nlohmann::json() : ParseStrictJson(text).value();
}

// Some vectors have hashes of other sizes, which the type `Hash` cannot hold. A digest stands for
// them: equal stays equal, and different stays different.
Hash HashOf(const nlohmann::json& base64) {
  const Bytes bytes = Base64Decode(base64.get<std::string>()).value();
  Hash hash;
  if (bytes.size() != hash.size()) return crypto::Sha256({AsBytes("stand-in"), AsBytes(bytes)});
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

// A vector without a leaf hash or root cannot even be put to the verifier.
bool IsAbsent(const nlohmann::json& hash) {
  return hash.is_null() || hash.get<std::string>().empty();
}

std::vector<Hash> ProofOf(const nlohmann::json& vector) {
  std::vector<Hash> proof;
  for (const auto& hash : vector["proof"]) proof.push_back(HashOf(hash));
  return proof;
}

TEST(MerkleTest, InclusionVectorsHaveTheirVerdict) {
  const nlohmann::json vectors = Vectors("inclusion.json");
  if (vectors.is_null()) GTEST_SKIP() << "no vectors; set LATCHKEY_VECTORS to their folder";
  EXPECT_EQ(vectors.size(), 80u);
  for (const auto& vector : vectors) {
    if (IsAbsent(vector["leafHash"]) || IsAbsent(vector["root"])) {
      EXPECT_TRUE(vector["wantErr"].get<bool>()) << vector["file"];
      continue;
    }
    const absl::Status status =
        VerifyInclusion(vector["leafIdx"].get<uint64_t>(), vector["treeSize"].get<uint64_t>(),
                        HashOf(vector["leafHash"]), ProofOf(vector), HashOf(vector["root"]));
    EXPECT_EQ(status.ok(), !vector["wantErr"].get<bool>()) << vector["file"] << " " << status;
  }
}

TEST(MerkleTest, ConsistencyVectorsHaveTheirVerdict) {
  const nlohmann::json vectors = Vectors("consistency.json");
  if (vectors.is_null()) GTEST_SKIP() << "no vectors; set LATCHKEY_VECTORS to their folder";
  EXPECT_EQ(vectors.size(), 77u);
  for (const auto& vector : vectors) {
    const absl::Status status = VerifyConsistency(
        vector["size1"].get<uint64_t>(), HashOf(vector["root1"]), vector["size2"].get<uint64_t>(),
        HashOf(vector["root2"]), ProofOf(vector));
    EXPECT_EQ(status.ok(), !vector["wantErr"].get<bool>()) << vector["file"] << " " << status;
  }
}

}  // namespace
}  // namespace latchkey::protocol
