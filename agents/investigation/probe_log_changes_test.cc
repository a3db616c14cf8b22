#include "agents/investigation/probe_log_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agents/investigation/explain.h"

namespace omnix {
namespace {

using testing::HasSubstr;

class ProbeLogChangesTest : public testing::Test {
 protected:
  ProbeLogChangesTest() {
    case_.now = absl::FromUnixSeconds(1756970000);
    case_.started_at = case_.now - absl::Minutes(2);
    v1::Service* service = case_.system.add_services();
    service->set_name("orders");
    path_ = testing::TempDir() + "probe_log_changes_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    service->add_logs()->set_path(path_);
  }
  // A line a second for an hour, and what else the test wants, by seconds before now.
  void Write(const std::vector<std::pair<int, std::string>>& more) {
    std::ofstream file(path_);
    for (int ago = 3600; ago > 0; --ago) {
      Line(&file, ago, "INFO served an order");
      for (const auto& [when, text] : more) {
        if (when == ago) Line(&file, ago, text);
      }
    }
  }
  void Line(std::ofstream* file, int ago, const std::string& text) const {
    *file << absl::FormatTime(absl::RFC3339_sec, case_.now - absl::Seconds(ago), absl::UTCTimeZone()) << " " << text
          << "\n";
  }

  Case case_;
  std::string path_;
  EvidenceBook book_{case_};
  HttpBroker http_{case_.system, {}, case_.cancelled};
  Prober prober_{case_, &book_, &http_};
  Scene scene_{case_, &book_, &http_, &prober_};
};

TEST_F(ProbeLogChangesTest, GivesNewErrorsAsEvidence) {
  Write({{100, "ERROR no stock table, password=hunter2"},
         {90, "ERROR no stock table, password=hunter2"},
         {170, "ERROR relation 7 does not exist"}});
  ProbeLogChanges(&scene_);
  ASSERT_EQ(book_.all().size(), 2u);
  const v1::Evidence& first = book_.all()[0];
  EXPECT_EQ(first.source(), kLogChanges);
  EXPECT_EQ(first.component(), "orders");
  EXPECT_EQ(first.location().file(), path_);
  EXPECT_THAT(first.summary(), HasSubstr("new error, once at"));
  EXPECT_THAT(first.excerpt(), HasSubstr("ERROR relation 7 does not exist"));
  EXPECT_EQ(first.attributes().at("change"), "new");
  EXPECT_EQ(book_.all()[1].attributes().at("count"), "2");
  for (const v1::Evidence& evidence : book_.all()) {
    EXPECT_THAT(evidence.DebugString(), testing::Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(FirstLoggedError(scene_, "orders"), HasSubstr("relation <num> does not exist"));
  EXPECT_EQ(FirstLoggedError(scene_, "other"), "");
}

TEST_F(ProbeLogChangesTest, AnUnexplainedSymptomPointsToTheFirstError) {
  Write({{100, "ERROR no stock table"}});
  ProbeLogChanges(&scene_);
  scene_.AddSymptom("orders", "endpoints", "GET /orders: 500", "");
  const v1::Diagnosis diagnosis = Explain(scene_, {});
  ASSERT_EQ(diagnosis.next_steps_size(), 1);
  EXPECT_THAT(diagnosis.next_steps(0), HasSubstr("new error, once at"));
  EXPECT_THAT(diagnosis.next_steps(0), HasSubstr("no stock table"));
}

TEST_F(ProbeLogChangesTest, UsualLinesAreNoEvidence) {
  Write({});
  ProbeLogChanges(&scene_);
  EXPECT_TRUE(book_.all().empty());
}

TEST_F(ProbeLogChangesTest, ALogThatCannotBeReadIsSaidSo) {
  std::remove(path_.c_str());
  ProbeLogChanges(&scene_);
  ASSERT_EQ(book_.all().size(), 1u);
  EXPECT_THAT(book_.all()[0].summary(), HasSubstr("not read: "));
  EXPECT_EQ(FirstLoggedError(scene_, "orders"), "");
}

}  // namespace
}  // namespace omnix
