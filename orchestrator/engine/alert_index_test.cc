#include "orchestrator/engine/alert_index.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

std::string EndedOf(const AlertIndex& index, const std::string& fingerprint) {
  const AlertIndex::Known* ended = index.FindEnded(fingerprint);
  return ended == nullptr ? "" : ended->incident_id();
}

std::string OwnerOf(const AlertIndex& index, const std::string& fingerprint) {
  const AlertIndex::Known* known = index.Find(fingerprint);
  return known == nullptr ? "" : known->incident_id();
}

void Put(AlertIndex& index, const std::string& incident_id, const std::string& fingerprint,
         v1::AlertStatus status = v1::ALERT_STATUS_FIRING) {
  index.Put(incident_id, fingerprint, status, v1::SEVERITY_ERROR);
}

TEST(AlertIndexTest, KnowsTheLastReading) {
  AlertIndex index;
  EXPECT_EQ(nullptr, index.Find("f1"));
  Put(index, "INC-1", "f1");
  Put(index, "INC-1", "f1", v1::ALERT_STATUS_RESOLVED);
  ASSERT_NE(nullptr, index.Find("f1"));
  EXPECT_EQ("INC-1", index.Find("f1")->incident_id());
  EXPECT_EQ(v1::ALERT_STATUS_RESOLVED, index.Find("f1")->status);
  EXPECT_EQ(v1::SEVERITY_ERROR, index.Find("f1")->severity);
}

TEST(AlertIndexTest, RemembersTheAlertsOfAnEndedIncident) {
  AlertIndex index;
  Put(index, "INC-1", "fires");
  Put(index, "INC-1", "cleared", v1::ALERT_STATUS_RESOLVED);
  Put(index, "INC-1", "moved");
  Put(index, "INC-2", "moved");
  index.Close("INC-1");
  EXPECT_EQ("", OwnerOf(index, "fires"));
  EXPECT_EQ("INC-2", OwnerOf(index, "moved"));
  EXPECT_EQ("INC-1", EndedOf(index, "fires"));
  Put(index, "INC-3", "fires");
  EXPECT_EQ("", EndedOf(index, "fires")) << "it was read anew";
  EXPECT_EQ("INC-1", EndedOf(index, "cleared"));
  EXPECT_EQ(v1::ALERT_STATUS_RESOLVED, index.FindEnded("cleared")->status);
  EXPECT_EQ("", EndedOf(index, "moved"));
}

TEST(AlertIndexTest, AnIncidentThatIsTakenUpAgainHasWhatNoOtherHas) {
  AlertIndex index;
  Put(index, "INC-1", "a");
  Put(index, "INC-1", "b", v1::ALERT_STATUS_RESOLVED);
  Put(index, "INC-9", "other");
  index.Close("INC-1");
  index.Close("INC-9");
  Put(index, "INC-2", "a");
  index.Reopen("INC-1");
  EXPECT_EQ("INC-2", OwnerOf(index, "a"));
  EXPECT_EQ("INC-1", OwnerOf(index, "b"));
  EXPECT_EQ("", EndedOf(index, "b"));
  EXPECT_EQ("INC-9", EndedOf(index, "other"));
  index.Close("INC-1");
  EXPECT_EQ("INC-1", EndedOf(index, "b"));
}

TEST(AlertIndexTest, MovesAllThatAnIncidentHas) {
  AlertIndex index;
  Put(index, "INC-1", "a");
  Put(index, "INC-1", "b");
  Put(index, "INC-2", "b");
  Put(index, "INC-2", "c");
  index.Move("INC-1", "INC-2");
  index.Move("INC-unknown", "INC-2");
  for (const char* fingerprint : {"a", "b", "c"}) EXPECT_EQ("INC-2", OwnerOf(index, fingerprint));
  index.Close("INC-1");
  EXPECT_EQ("INC-2", OwnerOf(index, "a"));
  index.Close("INC-2");
  EXPECT_EQ("INC-2", EndedOf(index, "a"));
}

TEST(AlertIndexTest, ForgetsTheOldestOfTooMany) {
  AlertIndex index;
  auto close = [&](const std::string& incident, const std::string& fingerprint) {
    Put(index, incident, fingerprint);
    index.Close(incident);
  };
  close("INC-old", "f0");
  close("INC-old", "again");
  for (size_t i = 1; i < AlertIndex::kMaxRemembered; ++i) close("INC", "f" + std::to_string(i));
  close("INC-new", "again");
  EXPECT_EQ("", EndedOf(index, "f0"));
  EXPECT_EQ("INC", EndedOf(index, "f1"));
  EXPECT_EQ("INC-new", EndedOf(index, "again"));
}

}  // namespace
}  // namespace omnix
