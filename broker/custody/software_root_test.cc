#include "broker/custody/software_root.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/secret_file.h"
#include "gtest/gtest.h"
#include "tests/support/matchers.h"
#include "tests/support/seeded_random.h"

namespace latchkey::custody {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SoftwareRootTest : public ::testing::Test {
 protected:
  SoftwareRootTest() {
    std::string pattern = ::testing::TempDir() + "/latchkey-root-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/root.key";
  }
  ~SoftwareRootTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Root> Make(char byte) {
    return MakeSoftwareRoot("test", SecretBytes::CopyOf(AsBytes(std::string(32, byte))), random_);
  }

  SeededRandom random_;
  std::string directory_;
  std::string path_;
};

TEST_F(SoftwareRootTest, ACreatedFileOpensAndOpensWhatItWrapped) {
  ASSERT_THAT(CreateSoftwareRootFile(path_, random_), IsOk());
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400);
  const auto root = OpenSoftwareRoot("file", path_, random_);
  ASSERT_THAT(root, IsOk());
  EXPECT_EQ((*root)->name(), "file");
  const Bytes wrapped =
      (*root)->Wrap(AsBytes("place"), SecretBytes::CopyOf(AsBytes("secret"))).value();
  const auto again = OpenSoftwareRoot("file", path_, random_).value();
  EXPECT_EQ(AsText(again->Unwrap(AsBytes("place"), AsBytes(wrapped)).value().view()), "secret");
}

TEST_F(SoftwareRootTest, AFileThatIsThereIsNeverOverwritten) {
  ASSERT_THAT(CreateSoftwareRootFile(path_, random_), IsOk());
  const auto before = ReadSecretFile(path_);
  EXPECT_THAT(CreateSoftwareRootFile(path_, random_), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(AsText(ReadSecretFile(path_).value().view()), AsText(before.value().view()));
}

TEST_F(SoftwareRootTest, AFileThatIsNoRootKeyIsRefusedWithoutShowingIt) {
  const std::string good(64, 'a');
  for (const std::string& content : {good + "\n", good, good + "\n\n", "a" + good + "\n",
                                     good.substr(1) + "\n", good.substr(1) + "g\n", good + " "}) {
    std::filesystem::remove(path_);
    ASSERT_THAT(WriteSecretFile(path_, AsBytes(content)), IsOk());
    const auto root = OpenSoftwareRoot("file", path_, random_);
    if (content == good + "\n") {
      EXPECT_THAT(root, IsOk());
    } else {
      EXPECT_THAT(root,
                  StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("64 hex digits")));
      EXPECT_THAT(root.status().message(), Not(HasSubstr("aaaa")));
    }
  }
}

TEST_F(SoftwareRootTest, AFileOpenToOthersIsRefused) {
  ASSERT_THAT(CreateSoftwareRootFile(path_, random_), IsOk());
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  EXPECT_THAT(OpenSoftwareRoot("file", path_, random_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("chmod")));
}

TEST_F(SoftwareRootTest, OtherAssociatedDataOrAnotherRootDoesNotOpen) {
  const auto root = Make('a');
  const Bytes wrapped =
      root->Wrap(AsBytes("place"), SecretBytes::CopyOf(AsBytes("secret"))).value();
  EXPECT_THAT(root->Unwrap(AsBytes("place"), AsBytes(wrapped)), IsOk());
  EXPECT_THAT(root->Unwrap(AsBytes("places"), AsBytes(wrapped)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Make('b')->Unwrap(AsBytes("place"), AsBytes(wrapped)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  for (size_t size = 0; size < wrapped.size(); ++size) {
    EXPECT_THAT(root->Unwrap(AsBytes("place"), AsBytes(wrapped.substr(0, size))),
                StatusIs(absl::StatusCode::kFailedPrecondition));
  }
}

TEST_F(SoftwareRootTest, NothingWrappedComesBackAsNothing) {
  const auto root = Make('a');
  const Bytes wrapped = root->Wrap(AsBytes("place"), SecretBytes()).value();
  EXPECT_TRUE(root->Unwrap(AsBytes("place"), AsBytes(wrapped)).value().empty());
  EXPECT_THAT(root->Unwrap(AsBytes("elsewhere"), AsBytes(wrapped)), Not(IsOk()));
}

TEST_F(SoftwareRootTest, DerivedKeysDependOnPurposeAndRootAlone) {
  const Bytes mac = ToBytes(Make('a')->Derive("mac").value().view());
  EXPECT_EQ(mac.size(), 32);
  EXPECT_EQ(mac, ToBytes(Make('a')->Derive("mac").value().view()));
  EXPECT_NE(mac, ToBytes(Make('a')->Derive("other").value().view()));
  EXPECT_NE(mac, ToBytes(Make('b')->Derive("mac").value().view()));
}

}  // namespace
}  // namespace latchkey::custody
