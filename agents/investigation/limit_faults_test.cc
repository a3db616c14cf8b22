// Diagnoses of services that meet limits of their machine: folders and descriptors.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_system.h"
#include "agents/investigation/process_limits.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

// Once it serves, since what Python still loads may be for root alone.
constexpr char kAsNobody[] =
    "        if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    "        self.answer(200 if self.path == '/health' else 500)";

class LimitFaultsTest : public FaultySystem {
 protected:
  v1::Service* AddShop(const std::string& body, const std::string& before) {
    const int port = FreePort();
    Serve(port, body, before);
    v1::Service* shop = AddService("shop", port, {"/items", "/photos", "/health"});
    shop->add_logs()->set_path(Path("shop.log"));
    shop->add_depends_on("cache");
    v1::Service* cache = case_.system.add_services();
    cache->set_name("cache");
    cache->set_kind("cache");
    return shop;
  }
  void MakeUploads(unsigned mode) {
    std::filesystem::create_directories(Path("uploads"));
    ASSERT_EQ(chmod(Path("uploads").c_str(), mode), 0);
  }
  // One line for each of two requests that fail for different reasons.
  void WriteLog() {
    Write("shop.log", Now() + " ERROR GET /items failed | OOM command not allowed when used memory > 'maxmemory'.\n" +
                          Now() + " ERROR GET /photos failed | PermissionError: [Errno 13] Permission denied: '" +
                          Path("uploads/1.jpg") + "'\n");
    case_.now = absl::Now();
  }
};

TEST_F(LimitFaultsTest, AFolderThatTheServicesUserMayNotWriteBesideAFullCache) {
  AddShop(kAsNobody, "import os\n");
  MakeUploads(0555);
  WriteLog();
  const v1::Diagnosis diagnosis = Run();
  std::map<std::string, v1::Hypothesis> by_kind;
  for (const v1::Hypothesis& h : diagnosis.hypotheses()) by_kind[h.kind()] = h;
  ASSERT_TRUE(by_kind.contains("path.not_writable")) << All(diagnosis);
  ASSERT_TRUE(by_kind.contains("cache.memory_exhausted")) << All(diagnosis);
  const v1::Hypothesis& folder = by_kind["path.not_writable"];
  EXPECT_EQ(folder.component(), "shop");
  EXPECT_GE(folder.confidence(), 0.8) << All(diagnosis);
  // Each explains its own request.
  for (const std::string& id : folder.symptom_ids()) {
    for (const v1::Symptom& symptom : diagnosis.symptoms())
      EXPECT_TRUE(symptom.id() != id || symptom.summary().find("/photos") != std::string::npos) << symptom.summary();
  }
  EXPECT_GT(by_kind["cache.memory_exhausted"].confidence(), 0.5) << All(diagnosis);
}

TEST_F(LimitFaultsTest, AFolderThatMayBeWrittenNowIsDoubted) {
  AddShop(kAsNobody, "import os\n");
  MakeUploads(0777);
  WriteLog();
  const v1::Diagnosis diagnosis = Run();
  for (const v1::Hypothesis& h : diagnosis.hypotheses())
    EXPECT_TRUE(h.kind() != "path.not_writable" || h.confidence() < 0.5) << All(diagnosis);
}

TEST_F(LimitFaultsTest, NoDescriptorIsLeft) {
  AddShop(
      "        while len(os.listdir('/proc/self/fd')) < 255: held.append(open('/dev/null'))\n"
      "        self.answer(200 if self.path == '/health' else 500)",
      "import os, resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\nheld = []\n");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "descriptors.exhausted") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "shop");
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("of 256 file descriptors"));
}

TEST_F(LimitFaultsTest, ManyDescriptorsBelowTheLimitAreNoCause) {
  AddShop(
      "        while len(os.listdir('/proc/self/fd')) < 200: held.append(open('/dev/null'))\n"
      "        self.answer(200 if self.path == '/health' else 500)",
      "import os, resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\nheld = []\n");
  EXPECT_THAT(All(Run()), Not(HasSubstr("descriptors.exhausted")));
}

TEST(ProcessLimits, OfThisProcess) {
  const auto use = ReadDescriptorUse(getpid());
  ASSERT_TRUE(use.has_value());
  EXPECT_GE(use->open, 3u);
  EXPECT_GT(use->limit, use->open);
  const auto identity = ReadIdentity(getpid());
  ASSERT_TRUE(identity.has_value());
  EXPECT_EQ(identity->user, geteuid());
  EXPECT_FALSE(ReadIdentity(0).has_value());
}

TEST(MayWrite, GoesByOwnerThenGroupThenOthers) {
  struct stat info {};
  info.st_uid = 10;
  info.st_gid = 20;
  info.st_mode = 0575;
  EXPECT_FALSE(MayWrite(info, {10, 20, {}}));
  EXPECT_TRUE(MayWrite(info, {11, 30, {20}}));
  EXPECT_FALSE(MayWrite(info, {11, 30, {}}));
  EXPECT_TRUE(MayWrite(info, {0, 0, {}}));
}

}  // namespace
}  // namespace omnix
