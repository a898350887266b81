#include "base/secret_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace latchkey {
namespace {

using ::testing::HasSubstr;

class SecretFileTest : public ::testing::Test {
 protected:
  SecretFileTest() {
    std::string pattern = ::testing::TempDir() + "/latchkey-secret-XXXXXX";
    directory_ = std::filesystem::canonical(mkdtemp(pattern.data()));
    path_ = directory_ + "/key";
    EXPECT_TRUE(WriteSecretFile(path_, AsBytes("secret")).ok());
  }
  ~SecretFileTest() override { std::filesystem::remove_all(directory_); }

  void Chmod(const std::string& path, mode_t mode) { ASSERT_EQ(chmod(path.c_str(), mode), 0); }
  void ExpectReads(const std::string& path) {
    const auto content = ReadSecretFile(path);
    ASSERT_TRUE(content.ok()) << content.status();
    EXPECT_EQ(AsText(content->view()), "secret");
  }
  void ExpectRefused(const std::string& path, const std::string& rule, const std::string& mend) {
    const absl::Status status = ReadSecretFile(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(rule));
    EXPECT_THAT(std::string(status.message()), HasSubstr(mend));
    EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("secret\n")));
  }

  std::string directory_;
  std::string path_;
};

TEST_F(SecretFileTest, AFileForUsAloneIsRead) {
  ExpectReads(path_);
  Chmod(path_, 0600);
  ExpectReads(path_);
}

TEST_F(SecretFileTest, AFileOpenToOthersIsRefused) {
  for (const mode_t mode : {0644, 0604, 0602, 0601}) {
    Chmod(path_, mode);
    ExpectRefused(path_, "open to others", "chmod go= " + path_);
  }
}

TEST_F(SecretFileTest, GroupReadIsForAGroupWeAreIn) {
  ASSERT_EQ(chown(path_.c_str(), -1, getegid()), 0);
  Chmod(path_, 0440);
  ExpectReads(path_);
  Chmod(path_, 0460);
  ExpectRefused(path_, "by its group", "chmod g-wx " + path_);
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file to a group it is not in";
  Chmod(path_, 0440);
  ASSERT_EQ(chown(path_.c_str(), -1, 54321), 0);
  ExpectRefused(path_, "group 54321", "chmod g= " + path_);
}

TEST_F(SecretFileTest, AFileOrDirectoryOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(chown(path_.c_str(), 54321, -1), 0);
  ExpectRefused(path_, "user 54321", "chown");
  ASSERT_EQ(chown(path_.c_str(), 0, -1), 0);
  ASSERT_EQ(chown(directory_.c_str(), 54321, -1), 0);
  ExpectRefused(path_, "user 54321", "chown");
  ASSERT_EQ(chown(directory_.c_str(), 0, -1), 0);
  ExpectReads(path_);
}

TEST_F(SecretFileTest, AParentWritableByOthersIsRefusedUnlessSticky) {
  Chmod(directory_, 0777);
  ExpectRefused(path_, "writable by others", "chmod go-w " + directory_);
  Chmod(directory_, 0770);
  ExpectRefused(path_, "writable by others", "chmod go-w " + directory_);
  Chmod(directory_, 01777);
  ExpectReads(path_);
}

TEST_F(SecretFileTest, AGrandparentCountsToo) {
  const std::string inner = directory_ + "/inner";
  ASSERT_EQ(mkdir(inner.c_str(), 0700), 0);
  ASSERT_TRUE(WriteSecretFile(inner + "/key", AsBytes("secret")).ok());
  ExpectReads(inner + "/key");
  Chmod(directory_, 0777);
  ExpectRefused(inner + "/key", "writable by others", directory_);
}

// As a Kubernetes Secret is mounted: key -> ..data/key, ..data -> ..2026.
TEST_F(SecretFileTest, LinksAreFollowedAndWhatTheyPassIsChecked) {
  const std::string mount = directory_ + "/mount";
  const std::string version = mount + "/..2026";
  ASSERT_EQ(mkdir(mount.c_str(), 0755), 0);
  ASSERT_EQ(mkdir(version.c_str(), 0755), 0);
  ASSERT_TRUE(WriteSecretFile(version + "/key", AsBytes("secret")).ok());
  ASSERT_EQ(symlink("..2026", (mount + "/..data").c_str()), 0);
  ASSERT_EQ(symlink("..data/key", (mount + "/key").c_str()), 0);
  ExpectReads(mount + "/key");
  ASSERT_EQ(symlink((mount + "/key").c_str(), (directory_ + "/absolute").c_str()), 0);
  ExpectReads(directory_ + "/absolute");
  Chmod(version, 0777);
  ExpectRefused(mount + "/key", "writable by others", "chmod go-w");
  Chmod(version, 0755);
  Chmod(version + "/key", 0644);
  ExpectRefused(mount + "/key", "open to others", "chmod go=");
}

TEST_F(SecretFileTest, AParentThatWeMayPassButNotListIsEnough) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Chmod(directory_, 0711);
  ASSERT_EQ(seteuid(54321), 0);
  const absl::Status status = ReadSecretFile(path_).status();
  ASSERT_EQ(seteuid(0), 0);
  // The directory let us pass; the file is root's alone.
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + ": cannot open it"));
}

TEST_F(SecretFileTest, LinksInACircleEnd) {
  ASSERT_EQ(symlink("circle", (directory_ + "/circle").c_str()), 0);
  ExpectRefused(directory_ + "/circle", "too many links", "name the file");
}

TEST_F(SecretFileTest, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  ASSERT_EQ(mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
  ExpectRefused(directory_ + "/fifo", "not a regular file", "name a regular file");
  ExpectRefused(directory_, "not a regular file", "name a regular file");
}

TEST_F(SecretFileTest, SizeIsBoundedAndNothingIsNoSecret) {
  EXPECT_TRUE(ReadSecretFile(path_, 6).ok());
  EXPECT_EQ(ReadSecretFile(path_, 5).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(WriteSecretFile(directory_ + "/empty", {}).ok());
  ExpectRefused(directory_ + "/empty", "empty", "backup");
}

TEST_F(SecretFileTest, AMissingFileIsNotFoundAndAnExistingOneIsKept) {
  EXPECT_EQ(ReadSecretFile(directory_ + "/none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(WriteSecretFile(path_, AsBytes("other")).code(), absl::StatusCode::kAlreadyExists);
  ExpectReads(path_);
}

}  // namespace
}  // namespace latchkey
