// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/run_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "troupe/ipc/address.h"
#include "troupe/runtime/base/error.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

namespace fs = std::filesystem;

// Sets a variable for one test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

struct RunDirectoryTest : ::testing::Test {
  RunDirectoryTest() {
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
  }
  ~RunDirectoryTest() override { fs::remove_all(home); }

  // What is said of `path` as runtime directory.
  std::string refusal(const fs::path& path) {
    const Variable variable("TROUPE_RUNTIME_DIR", path);
    try {
      user_runtime_directory();
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("TROUPE_RUNTIME_DIR"), std::string::npos)
          << error.what();
      return error.what();
    }
    return "no error";
  }
  static mode_t mode_of(const fs::path& path) {
    struct stat info {};
    ::stat(path.c_str(), &info);
    return info.st_mode & 0777;
  }

  fs::path home;
};

TEST_F(RunDirectoryTest, IsMadePrivate) {
  const Variable variable("TROUPE_RUNTIME_DIR", home / "mine");
  EXPECT_EQ(user_runtime_directory(), home / "mine");
  EXPECT_EQ(mode_of(home / "mine"), 0700u);
  EXPECT_EQ(user_runtime_directory(), home / "mine");
}

TEST_F(RunDirectoryTest, TheFolderOfTheSessionIsPreferredToTmp) {
  const Variable none("TROUPE_RUNTIME_DIR", "");
  const Variable session("XDG_RUNTIME_DIR", home.string() + "//");
  EXPECT_EQ(user_runtime_directory(), home / "troupe");
}

TEST_F(RunDirectoryTest, WithoutAFolderOfTheSessionItIsInTmp) {
  const Variable none("TROUPE_RUNTIME_DIR", "");
  const Variable session("XDG_RUNTIME_DIR", home / "missing");
  EXPECT_EQ(user_runtime_directory(), "/tmp/troupe-" + std::to_string(::getuid()));
}

// IPC-08: a symbolic link, a file, a directory behind a symbolic link: refused, and left alone.
TEST_F(RunDirectoryTest, LinksAndFilesAreRefusedAndLeftAlone) {
  fs::create_directory(home / "target");
  fs::create_directory_symlink(home / "target", home / "link");
  std::ofstream(home / "file") << "precious";
  EXPECT_NE(refusal(home / "link").find("not a directory of this user"), std::string::npos);
  EXPECT_NE(refusal(home / "file").find("not a directory of this user"), std::string::npos);
  const std::string behind = refusal(home / "link" / "mine");
  EXPECT_NE(behind.find((home / "target" / "mine").string()), std::string::npos) << behind;
  EXPECT_TRUE(fs::is_empty(home / "target"));
  EXPECT_EQ(fs::file_size(home / "file"), 8u);
}

// IPC-08: a directory that belongs to another user.
TEST_F(RunDirectoryTest, DirectoriesOfOthersAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  fs::create_directory(home / "theirs");
  ASSERT_EQ(::chmod((home / "theirs").c_str(), 0700), 0);
  ASSERT_EQ(::chown((home / "theirs").c_str(), 1, 1), 0);
  EXPECT_NE(refusal(home / "theirs").find("not a directory of this user"), std::string::npos);
}

// That of another user's session, which `sudo -E` keeps in the environment, is his.
TEST_F(RunDirectoryTest, TheFolderOfAnotherUsersSessionIsNotUsed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give directories away";
  const Variable none("TROUPE_RUNTIME_DIR", "");
  fs::create_directory(home / "his");
  ASSERT_EQ(::chown((home / "his").c_str(), 1, 1), 0);
  const Variable session("XDG_RUNTIME_DIR", home / "his");
  EXPECT_EQ(user_runtime_directory(), "/tmp/troupe-" + std::to_string(::getuid()));
  EXPECT_TRUE(fs::is_empty(home / "his"));
}

// IPC-09: a directory of one's own that others could enter is refused, not repaired: they may have
// put something into it.
TEST_F(RunDirectoryTest, DirectoriesThatOthersCanEnterAreRefused) {
  fs::create_directory(home / "open");
  ASSERT_EQ(::chmod((home / "open").c_str(), 0755), 0);
  EXPECT_NE(refusal(home / "open").find("0700"), std::string::npos);
  EXPECT_EQ(mode_of(home / "open"), 0755u);
}

TEST_F(RunDirectoryTest, RelativePathsAreRefused) {
  EXPECT_NE(refusal("somewhere").find("not absolute"), std::string::npos);
}

// IPC-07: where there is no room for the names of sockets another directory is used, or an error
// says so.
TEST_F(RunDirectoryTest, PathsWithoutRoomForSocketsAreNotUsed) {
  EXPECT_NE(refusal(home / std::string(80, 'x')).find("no room"), std::string::npos);
  const Variable none("TROUPE_RUNTIME_DIR", "");
  fs::create_directory(home / std::string(80, 'x'));
  const Variable session("XDG_RUNTIME_DIR", home / std::string(80, 'x'));
  EXPECT_EQ(user_runtime_directory(), "/tmp/troupe-" + std::to_string(::getuid()));
}

// IPC-10: whatever an actor's name is, its socket lies in the run's directory, under a name that
// fits.
TEST_F(RunDirectoryTest, NamesOfActorsDoNotBecomePaths) {
  const Variable variable("TROUPE_RUNTIME_DIR", home / "mine");
  open_root_actor({}, [&] {
    open_nursery([&](ActorNursery& n) {
      for (const std::string& name : {std::string("../../escape"), std::string("/etc/passwd"),
                                      std::string("d\u00e9j\u00e0 vu"), std::string(255, 'x')}) {
        const Portal portal = n.start_actor(name);
        const fs::path path = portal.address().path();
        EXPECT_EQ(path.parent_path().parent_path(), home / "mine") << path;
        EXPECT_LE(path.string().size(), Address::max_path);
        EXPECT_EQ(portal.uid().name, name);
      }
      n.cancel();
    });
  });
  EXPECT_TRUE(fs::is_empty(home / "mine"));
}

// IPC-13: a later root sweeps the directories of roots that are gone, and no others.
TEST_F(RunDirectoryTest, OnlyAbandonedRunsAreSwept) {
  const Variable variable("TROUPE_RUNTIME_DIR", home / "mine");
  const RunDirectory living;
  fs::create_directory(home / "mine" / "run-abcdef");
  std::ofstream(home / "mine" / "run-abcdef" / "socket") << "";
  std::ofstream(home / "mine" / "key") << "";
  const RunDirectory next;
  EXPECT_TRUE(fs::exists(living.path()));
  EXPECT_TRUE(fs::exists(next.path()));
  EXPECT_FALSE(fs::exists(home / "mine" / "run-abcdef"));
  EXPECT_TRUE(fs::exists(home / "mine" / "key"));
}

}  // namespace
}  // namespace troupe
