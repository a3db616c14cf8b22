#include "orchestrator/engine/grouping.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

// web -> gateway -> backend; mail stands alone.
v1::SystemModel Shop() {
  v1::SystemModel system;
  for (const char* name : {"gateway", "backend", "mail"}) system.add_services()->set_name(name);
  system.mutable_services(0)->add_depends_on("backend");
  system.add_clients()->set_name("web");
  system.mutable_clients(0)->set_service("gateway");
  return system;
}

TEST(GroupingTest, AnAlertJoinsTheFirstIncidentOfConnectedServices) {
  const ServiceGroups groups(Shop());
  JoinIndex index;
  EXPECT_EQ("", index.Find("web"));
  index.Add("INC-2", groups, "backend");
  index.Add("INC-1", groups, "gateway");
  EXPECT_EQ("INC-1", index.Find("web"));
  EXPECT_EQ("INC-1", index.Find("backend"));
  EXPECT_EQ("", index.Find("mail"));
  EXPECT_EQ("", index.Find("unknown"));
  EXPECT_EQ("", index.Find(""));
}

TEST(GroupingTest, AnUnknownSubjectIsInNoGroup) {
  const ServiceGroups groups(Shop());
  JoinIndex index;
  index.Add("INC-1", groups, "unknown");
  index.Add("INC-2", groups, "");
  EXPECT_EQ("", index.Find("unknown"));
  EXPECT_EQ("", index.Find(""));
}

TEST(GroupingTest, NothingJoinsAnIncidentThatTakesNoAlertsOrHasEnded) {
  const ServiceGroups groups(Shop());
  JoinIndex index;
  index.Add("INC-1", groups, "gateway");
  index.Add("INC-1", groups, "mail");
  index.Add("INC-2", groups, "backend");
  index.SetTaking("INC-1", false);
  EXPECT_EQ("INC-2", index.Find("web"));
  EXPECT_EQ("", index.Find("mail"));
  index.SetTaking("INC-1", true);
  EXPECT_EQ("INC-1", index.Find("web"));
  EXPECT_EQ("INC-1", index.Find("mail"));
  index.Remove("INC-1");
  index.Remove("INC-1");
  EXPECT_EQ("INC-2", index.Find("gateway"));
  EXPECT_EQ("", index.Find("mail"));
}

// An incident keeps to the system model that it is pinned to.
TEST(GroupingTest, EachIncidentCountsByItsOwnSystemModel) {
  const ServiceGroups before(Shop());
  v1::SystemModel changed = Shop();
  changed.mutable_services(0)->clear_depends_on();
  const ServiceGroups after(changed);
  JoinIndex index;
  index.Add("INC-1", after, "gateway");
  EXPECT_EQ("", index.Find("backend"));
  index.Add("INC-2", before, "gateway");
  EXPECT_EQ("INC-2", index.Find("backend"));
  EXPECT_EQ("INC-1", index.Find("gateway"));
}

}  // namespace
}  // namespace omnix
