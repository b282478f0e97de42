// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/key_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using testing::failure_of;
using testing::SocketDirectory;

constexpr const char* secret = "0123456789abcdef0123456789abcdef";

struct KeyFileTest : ::testing::Test {
  std::string file(const std::string& content, mode_t mode = 0600) {
    const std::string path = directory.path("token");
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  // What is said of a file with that content.
  std::string refusal(const std::string& content, mode_t mode = 0600) {
    const std::string path = file(content, mode);
    const std::string text = failure_of([&] { read_key_file(path); });
    EXPECT_NE(text.find(path), std::string::npos) << text;
    return text;
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path("."))) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  SocketDirectory directory;
};

TEST_F(KeyFileTest, TheSameSecretIsTheSameKey) {
  const Key key = read_key_file(file(secret));
  EXPECT_EQ(read_key_file(file(secret)), key);
  EXPECT_EQ(read_key_file(file(std::string(secret) + "\r\n")), key) << "as an editor leaves it";
  EXPECT_FALSE(read_key_file(file(std::string(secret) + "x")) == key);
  EXPECT_EQ(read_key_file(file(secret, 0400)), key);
}

TEST_F(KeyFileTest, AnyOctetsAreASecret) {
  std::string octets(32, '\0');
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<char>(i * 37);
  EXPECT_EQ(read_key_file(file(octets)), Key::from_secret(octets));
}

TEST_F(KeyFileTest, TooShortTooLongAndEmptyFilesAreRefused) {
  EXPECT_NE(refusal("").find("too few"), std::string::npos);
  EXPECT_NE(refusal("short\n\n\n\n\n\n\n\n\n\n\n\n\n").find("its 5 octets"), std::string::npos);
  EXPECT_NE(refusal(std::string(5000, 'x')).find("4096"), std::string::npos);
}

TEST_F(KeyFileTest, FilesThatOthersCanReadOrWriteAreRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0666, 0601}) {
    EXPECT_NE(refusal(secret, mode).find("chmod 600"), std::string::npos) << std::oct << mode;
  }
}

TEST_F(KeyFileTest, FilesOfOthersAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const std::string path = file(secret);
  ASSERT_EQ(::chown(path.c_str(), 1, 1), 0);
  EXPECT_NE(failure_of([&] { read_key_file(path); }).find("another user"), std::string::npos);
}

TEST_F(KeyFileTest, WhatIsNoRegularFileIsRefused) {
  EXPECT_NE(failure_of([&] { read_key_file(directory.path(".")); }).find("no regular file"),
            std::string::npos);
  ASSERT_EQ(::mkfifo(directory.path("pipe").c_str(), 0600), 0);
  EXPECT_NE(failure_of([&] { read_key_file(directory.path("pipe")); }).find("no regular file"),
            std::string::npos);
}

TEST_F(KeyFileTest, SymbolicLinksAreRefused) {
  const std::string target = file(secret);
  ASSERT_EQ(::symlink(target.c_str(), directory.path("link").c_str()), 0);
  EXPECT_NE(failure_of([&] { read_key_file(directory.path("link")); }).find("symbolic link"),
            std::string::npos);
}

TEST_F(KeyFileTest, AMissingOrUnreadableFileIsNamed) {
  EXPECT_NE(failure_of([&] { read_key_file(directory.path("none")); }).find("does not exist"),
            std::string::npos);
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  EXPECT_NE(refusal(secret, 0000).find("cannot be opened"), std::string::npos);
}

// ---- The user's own ----

TEST_F(KeyFileTest, TheUsersKeyIsMadeOnceAndPrivate) {
  const Key key = user_key(directory.path(""));
  EXPECT_EQ(user_key(directory.path("")), key);
  struct stat info {};
  ASSERT_EQ(::stat(directory.path("key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(files(), std::vector<std::string>{"key"}) << "no temporary file is left";
}

TEST_F(KeyFileTest, TheUsersMaskDoesNotMatter) {
  const mode_t before = ::umask(0777);
  EXPECT_NO_THROW(user_key(directory.path("")));
  ::umask(before);
}

TEST_F(KeyFileTest, ItCanBeCopiedToAnotherHost) {
  const Key key = user_key(directory.path(""));
  EXPECT_EQ(read_key_file(directory.path("key")), key);
}

// Programs that start at once agree on one key.
TEST_F(KeyFileTest, AllWhoAskAtOnceGetTheSameKey) {
  for (int round = 0; round < 50; ++round) {
    const SocketDirectory fresh;
    std::vector<Bytes> keys(8);
    {
      std::vector<std::jthread> programs;
      for (Bytes& key : keys) {
        programs.emplace_back([&] { key = Bytes(user_key(fresh.path("")).bytes()); });
      }
    }
    for (const Bytes& key : keys) ASSERT_EQ(key, keys.front());
  }
}

// A file size limit of zero stands for a full disk.
TEST_F(KeyFileTest, AFullDiskIsReportedAndLeavesNothing) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &none);
  const std::string text = failure_of([&] { user_key(directory.path("")); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_NE(text.find("TROUPE_RUNTIME_DIR"), std::string::npos) << text;
  EXPECT_TRUE(files().empty());
  EXPECT_NO_THROW(user_key(directory.path("")));
}

TEST_F(KeyFileTest, ABrokenKeyFileIsNotReplaced) {
  std::ofstream(directory.path("key")) << "short";
  ::chmod(directory.path("key").c_str(), 0600);
  EXPECT_NE(failure_of([&] { user_key(directory.path("")); }).find("too few"), std::string::npos);
}

}  // namespace
}  // namespace troupe
