#include "agents/sources/held_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/hash.h"
#include "fmt/format.h"

namespace omnix {
namespace {

class HeldValuesTest : public testing::Test {
 protected:
  HeldValuesTest() : folder_(testing::TempDir() + "held-" + RandomHex(6)) {
    std::filesystem::create_directories(folder_ + "/secrets");
  }
  ~HeldValuesTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  // "KEY=VALUE" of those that are held apart.
  std::vector<std::string> Held(const std::string& name, const std::string& text) {
    const auto config = ReadConfigValues(Write(name, text), "");
    EXPECT_TRUE(config.ok()) << config.status();
    std::vector<std::string> held;
    for (const ConfigValue& value : config->values) {
      if (!value.held_apart) continue;
      EXPECT_TRUE(IsSecret(value));
      held.push_back(value.key + "=" + value.value);
    }
    return held;
  }

  const std::string folder_;
};

TEST_F(HeldValuesTest, AreReadByTheKeysThatNameFiles) {
  const std::string one = Write("one", "s3cret\n"), two = Write("secrets/two", "  k  ");
  EXPECT_THAT(Held("a.env", fmt::format("DB_PASSWORD_FILE={}\nUSER=x\nCLE={}\n", one, two)),
              testing::ElementsAre("DB_PASSWORD=s3cret", "CLE=k"));
  EXPECT_THAT(Held("a.json", fmt::format(R"({{"db": {{"passwordFile": "{}", "salt-file": "{}"}}}})", one, one)),
              testing::ElementsAre("db.password=s3cret", "db.salt=s3cret"));
  const auto config = ReadConfigValues(folder_ + "/a.env", "");
  EXPECT_EQ(config->values.back().location.file(), two);
  EXPECT_EQ(config->values.back().location.line(), 1u);
}

TEST_F(HeldValuesTest, WhatIsNoLineOfTextIsLeft) {
  const std::string key = Write("key.pem", "-----BEGIN\nabc\n"), empty = Write("empty", "\n");
  const std::string large = Write("large", std::string(kMaxHeldBytes + 1, 'x')), binary = Write("binary", "a\x01z");
  for (const std::string& path : {key, empty, large, binary, folder_, folder_ + "/none", std::string("/dev/zero")})
    EXPECT_THAT(Held("b.env", "TOKEN_FILE=" + path + "\n"), testing::IsEmpty()) << path;
  EXPECT_THAT(Held("b.env", "PID_FILE=" + Write("pid", "12345\n") + "\n"), testing::IsEmpty()) << "no secret";
  EXPECT_THAT(Held("b.env", "PROFILE=" + Write("plain", "x") + "\n"), testing::IsEmpty());
}

}  // namespace
}  // namespace omnix
