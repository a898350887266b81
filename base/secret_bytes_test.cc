#include "base/secret_bytes.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <type_traits>
#include <vector>

namespace latchkey {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);

bool AllZero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

TEST(SecretBytes, NewSecretsAreZeroEvenWhereAnOldOneWas) {
  for (const size_t size : {1, 32, 33, 100, 512, 2000, 8192, 100000}) {
    for (int round = 0; round < 2; ++round) {
      SecretBytes secret(size);
      EXPECT_EQ(secret.size(), size);
      EXPECT_TRUE(AllZero(secret.view()));
      std::ranges::fill(secret.mutable_view(), 0xaa);
    }
  }
}

TEST(SecretBytes, FreedMemoryIsWiped) {
  const uint8_t* where = nullptr;
  {
    SecretBytes secret = SecretBytes::CopyOf(AsBytes("0123456789abcdef0123456789abcdef"));
    where = secret.view().data();
  }
  // The block stays mapped in the arena after it is freed.
  EXPECT_TRUE(AllZero({where, 32}));
}

TEST(SecretBytes, MovesLeaveTheSourceEmpty) {
  SecretBytes a = SecretBytes::CopyOf(AsBytes("secret"));
  SecretBytes b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(AsText(b.view()), "secret");
  SecretBytes c = SecretBytes::CopyOf(AsBytes("other"));
  c = std::move(b);
  EXPECT_EQ(AsText(c.view()), "secret");
}

TEST(SecretBytes, TruncateWipesTheTail) {
  SecretBytes secret = SecretBytes::CopyOf(AsBytes("secret"));
  const uint8_t* data = secret.view().data();
  secret.Truncate(2);
  EXPECT_EQ(AsText(secret.view()), "se");
  EXPECT_TRUE(AllZero({data + 2, 4}));
}

TEST(SecretBytes, AForkedChildSeesZeros) {
  const SecretBytes secret = SecretBytes::CopyOf(AsBytes("secret"));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(AllZero(secret.view()) ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(AsText(secret.view()), "secret");
}

TEST(SecretBytes, ThreadsNeverShareABlock) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 2000; ++i) {
        SecretBytes secret(48);
        std::ranges::fill(secret.mutable_view(), static_cast<uint8_t>(t + 1));
        for (const uint8_t byte : secret.view()) ASSERT_EQ(byte, t + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void AskForMoreThanMayBeLocked() {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_MEMLOCK, &none);
  // Root may lock without limit.
  if (setuid(65534) != 0) return;
  SecretBytes secret(1 << 20);
}

void WritePastALargeSecret() {
  SecretBytes secret(16384);
  volatile uint8_t* data = secret.mutable_view().data();
  data[16384] = 1;
}

void ExitWithZeroWhenHardened() {
  HardenProcess();
  rlimit limit = {1, 1};
  getrlimit(RLIMIT_CORE, &limit);
  _exit(limit.rlim_max == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1);
}

TEST(SecretBytesDeathTest, WithoutLockedMemoryTheProcessSaysWhatToRaise) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers make mlock do nothing";
#endif
  EXPECT_DEATH(AskForMoreThanMayBeLocked(), "raise RLIMIT_MEMLOCK");
}

TEST(SecretBytesDeathTest, WritingPastALargeSecretHitsTheGuardPage) {
  EXPECT_DEATH(WritePastALargeSecret(), "");
}

TEST(HardenProcessDeathTest, MakesTheProcessUndumpableAndItsCoreLimitZero) {
  EXPECT_EXIT(ExitWithZeroWhenHardened(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace latchkey
