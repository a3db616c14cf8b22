#include "orchestrator/engine/alert_index.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

v1::Alert Alert(const std::string& fingerprint, v1::AlertStatus status = v1::ALERT_STATUS_FIRING) {
  v1::Alert alert;
  alert.set_fingerprint(fingerprint);
  alert.set_status(status);
  alert.set_severity(v1::SEVERITY_ERROR);
  return alert;
}

TEST(AlertIndexTest, KnowsTheLastReading) {
  AlertIndex index;
  EXPECT_EQ(nullptr, index.Find("f1"));
  index.Put("INC-1", Alert("f1"));
  index.Put("INC-1", Alert("f1", v1::ALERT_STATUS_RESOLVED));
  ASSERT_NE(nullptr, index.Find("f1"));
  EXPECT_EQ("INC-1", index.Find("f1")->incident_id);
  EXPECT_EQ(v1::ALERT_STATUS_RESOLVED, index.Find("f1")->status);
  EXPECT_EQ(v1::SEVERITY_ERROR, index.Find("f1")->severity);
}

TEST(AlertIndexTest, RemembersWhatStillFiresWhenItsIncidentEnds) {
  AlertIndex index;
  google::protobuf::RepeatedPtrField<v1::Alert> alerts;
  *alerts.Add() = Alert("fires");
  *alerts.Add() = Alert("cleared", v1::ALERT_STATUS_RESOLVED);
  *alerts.Add() = Alert("moved");
  for (const auto& alert : alerts) index.Put("INC-1", alert);
  index.Put("INC-2", Alert("moved"));
  index.Close("INC-1", alerts);
  EXPECT_EQ(nullptr, index.Find("fires"));
  ASSERT_NE(nullptr, index.Find("moved"));
  EXPECT_EQ("INC-2", index.Find("moved")->incident_id);
  EXPECT_EQ("INC-1", index.FindClosed("fires"));
  index.Put("INC-3", Alert("fires"));
  EXPECT_EQ("", index.FindClosed("fires")) << "it was read anew";
  EXPECT_EQ("", index.FindClosed("cleared"));
  EXPECT_EQ("", index.FindClosed("moved"));
}

TEST(AlertIndexTest, ForgetsTheOldestOfTooMany) {
  AlertIndex index;
  auto close = [&](const std::string& incident, const std::string& fingerprint) {
    google::protobuf::RepeatedPtrField<v1::Alert> alerts;
    *alerts.Add() = Alert(fingerprint);
    index.Put(incident, alerts[0]);
    index.Close(incident, alerts);
  };
  close("INC-old", "f0");
  close("INC-old", "again");
  for (size_t i = 1; i < AlertIndex::kMaxRemembered; ++i) close("INC", "f" + std::to_string(i));
  close("INC-new", "again");
  EXPECT_EQ("", index.FindClosed("f0"));
  EXPECT_EQ("INC", index.FindClosed("f1"));
  EXPECT_EQ("INC-new", index.FindClosed("again"));
}

}  // namespace
}  // namespace omnix
