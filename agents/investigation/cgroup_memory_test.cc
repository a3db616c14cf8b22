#include "agents/investigation/cgroup_memory.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "absl/time/clock.h"
#include "common/hash.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;

class CgroupMemoryTest : public testing::Test {
 protected:
  ~CgroupMemoryTest() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void WriteGroup(const std::string& group, const std::string& limit, uint64_t megabytes, uint64_t cached,
                  int kills = 0) const {
    const std::string folder = "/sys/fs/cgroup" + group;
    Write(folder + "/memory.max", limit + "\n");
    Write(folder + "/memory.high", "max\n");
    Write(folder + "/memory.current", fmt::format("{}\n", megabytes * kMegabyte));
    Write(folder + "/memory.stat",
          fmt::format("anon 1\nfile 9\ninactive_file {}\nactive_file 0\n", cached * kMegabyte));
    Write(folder + "/memory.events",
          fmt::format("low 0\nhigh 0\nmax 71\noom {0}\noom_kill {0}\noom_group_kill 0\n", kills));
  }

  const std::string root_ = testing::TempDir() + "cgroups-" + RandomHex(6);
};

TEST_F(CgroupMemoryTest, OfVersionTwo) {
  Write("/proc/7/cgroup", "0::/system.slice/shop.service\n");
  WriteGroup("/system.slice/shop.service", std::to_string(128 * kMegabyte), 126, 2, 3);
  WriteGroup("/system.slice", "max", 900, 0);
  const auto memory = ReadCgroupMemory(7, root_);
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->group, "/system.slice/shop.service");
  EXPECT_EQ(memory->oom_kills, 3u);
  ASSERT_TRUE(memory->tightest.has_value());
  EXPECT_EQ(memory->tightest->limit_bytes, 128 * kMegabyte);
  EXPECT_EQ(memory->tightest->used_bytes, 124 * kMegabyte);
  EXPECT_EQ(memory->tightest->Name(), "memory.max of /system.slice/shop.service");
  EXPECT_LT(absl::Now() - memory->made, absl::Minutes(1));
}

TEST_F(CgroupMemoryTest, TheTightestMayBeAnAncestors) {
  Write("/proc/7/cgroup", "0::/shop.slice/shop.service\n");
  WriteGroup("/shop.slice/shop.service", std::to_string(512 * kMegabyte), 100, 0);
  WriteGroup("/shop.slice", std::to_string(200 * kMegabyte), 198, 0);
  const auto memory = ReadCgroupMemory(7, root_);
  ASSERT_TRUE(memory && memory->tightest);
  EXPECT_EQ(memory->group, "/shop.slice/shop.service");
  EXPECT_EQ(memory->tightest->Name(), "memory.max of /shop.slice");
}

TEST_F(CgroupMemoryTest, HighSlowsDownBeforeMaxKills) {
  Write("/proc/7/cgroup", "0::/a\n");
  WriteGroup("/a", std::to_string(512 * kMegabyte), 100, 0);
  Write("/sys/fs/cgroup/a/memory.high", std::to_string(100 * kMegabyte));
  EXPECT_EQ(ReadCgroupMemory(7, root_)->tightest->Name(), "memory.high of /a");
}

TEST_F(CgroupMemoryTest, OfVersionOne) {
  Write("/proc/7/cgroup", "9:name=systemd:/\n4:memory,hugetlb:/shop\n0::/\n");
  const std::string folder = "/sys/fs/cgroup/memory";
  Write(folder + "/memory.usage_in_bytes", "900");
  Write(folder + "/memory.limit_in_bytes", "9223372036854771712\n");
  Write(folder + "/shop/memory.usage_in_bytes", std::to_string(64 * kMegabyte));
  Write(folder + "/shop/memory.limit_in_bytes", std::to_string(64 * kMegabyte));
  Write(folder + "/shop/memory.stat",
        fmt::format("inactive_file 0\ntotal_inactive_file {0}\ntotal_active_file {0}\n", 16 * kMegabyte));
  Write(folder + "/shop/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  const auto memory = ReadCgroupMemory(7, root_);
  ASSERT_TRUE(memory && memory->tightest);
  EXPECT_EQ(memory->oom_kills, 2u);
  EXPECT_EQ(memory->tightest->used_bytes, 32 * kMegabyte);
  EXPECT_EQ(memory->tightest->Name(), "memory.limit_in_bytes of /shop");
}

// It sees its own part of the tree as the whole, while /proc names the machine's groups.
TEST_F(CgroupMemoryTest, InAContainer) {
  WriteGroup("", std::to_string(64 * kMegabyte), 63, 0, 1);
  for (const char* group : {"0::/docker/0123456789ab\n", "0::/../..\n", "0::/\n"}) {
    Write("/proc/7/cgroup", group);
    const auto memory = ReadCgroupMemory(7, root_);
    ASSERT_TRUE(memory && memory->tightest) << group;
    EXPECT_EQ(memory->group, "/");
    EXPECT_EQ(memory->tightest->Name(), "memory.max of /");
  }
}

TEST_F(CgroupMemoryTest, WhatIsNotThere) {
  EXPECT_FALSE(ReadCgroupMemory(7, root_).has_value());
  Write("/proc/7/cgroup", "0::/gone\n");
  EXPECT_FALSE(ReadCgroupMemory(7, root_).has_value());
  WriteGroup("/gone", "max", 1, 0);
  ASSERT_TRUE(ReadCgroupMemory(7, root_).has_value());
  EXPECT_FALSE(ReadCgroupMemory(7, root_)->tightest.has_value());
  Write("/sys/fs/cgroup/gone/memory.max", "garbage");
  EXPECT_FALSE(ReadCgroupMemory(7, root_)->tightest.has_value());
}

TEST_F(CgroupMemoryTest, OfTheMachine) {
  EXPECT_FALSE(ReadMachineMemory(root_).has_value());
  Write("/proc/meminfo", "MemTotal:       1000 kB\nMemFree:        1 kB\nMemAvailable:   50 kB\n");
  auto memory = ReadMachineMemory(root_);
  ASSERT_TRUE(memory.has_value());
  EXPECT_DOUBLE_EQ(memory->available(), 0.05);
  EXPECT_FALSE(memory->stalled.has_value());
  Write("/proc/pressure/memory",
        "some avg10=70.00 avg60=1.00 avg300=0.00 total=9\nfull avg10=32.50 avg60=0.10 avg300=0.00 total=4\n");
  memory = ReadMachineMemory(root_);
  ASSERT_TRUE(memory && memory->stalled);
  EXPECT_DOUBLE_EQ(*memory->stalled, 0.325);
}

TEST(ReadResidentBytes, OfThisProcess) {
  EXPECT_GT(ReadResidentBytes(getpid()), kMegabyte);
  EXPECT_EQ(ReadResidentBytes(0), 0u);
}

}  // namespace
}  // namespace omnix
