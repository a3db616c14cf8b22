#include "orchestrator/engine/join_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Time kNow = absl::FromUnixSeconds(1'756'969'200);

void AddService(v1::SystemModel& system, const std::string& name, const std::vector<std::string>& needs) {
  auto* service = system.add_services();
  service->set_name(name);
  for (const auto& needed : needs) service->add_depends_on(needed);
}

// s1..s5 need db; gateway needs s1 and mail; web is a client of gateway. mail needs smtp.
v1::SystemModel Shop() {
  v1::SystemModel system;
  AddService(system, "db", {});
  AddService(system, "smtp", {});
  AddService(system, "mail", {"smtp"});
  for (const char* name : {"s1", "s2", "s3", "s4", "s5"}) AddService(system, name, {"db"});
  AddService(system, "gateway", {"s1", "mail"});
  auto* web = system.add_clients();
  web->set_name("web");
  web->set_service("gateway");
  return system;
}

// Puts alerts of these subjects into incidents as the engine does; the incidents' numbers, 1 being the first.
std::vector<int> Incidents(const v1::SystemModel& system, const std::vector<std::string>& subjects) {
  const DependencyGraph graph(system);
  const GroupingRules rules;
  JoinIndex index;
  std::vector<int> numbers;
  int last = 0;
  for (const auto& subject : subjects) {
    const GroupingRule& rule = rules.For({});
    std::string id = index.Find(rule, "", subject, kNow);
    if (id.empty()) {
      id = std::to_string(++last);
      index.Open(id, graph, rule, "", kNow);
    }
    index.AddAlert(id, subject);
    numbers.push_back(std::stoi(id));
  }
  return numbers;
}

TEST(JoinIndexTest, WhatMayHaveOneCauseComesTogetherAndNothingElse) {
  struct Case {
    std::string what;
    std::vector<std::string> subjects;
    std::vector<int> incidents;
  };
  const std::vector<Case> cases = {
      {"a database and what needs it", {"db", "s1", "s2", "s3", "s4", "s5"}, {1, 1, 1, 1, 1, 1}},
      {"the database last", {"s1", "s2", "s3", "s4", "s5", "db"}, {1, 1, 1, 1, 1, 1}},
      {"the database between", {"s4", "db", "s2"}, {1, 1, 1}},
      {"through others", {"db", "web"}, {1, 1}},
      {"two failures under one gateway", {"db", "smtp"}, {1, 2}},
      {"the gateway does not glue them together", {"db", "gateway", "smtp", "mail", "s2"}, {1, 1, 2, 2, 1}},
      {"nor where it was first", {"gateway", "db", "smtp", "s3"}, {1, 1, 2, 1}},
      {"what needs a failing one says nothing of its siblings", {"s1", "mail"}, {1, 2}},
      {"the same service", {"s1", "s1"}, {1, 1}},
      {"an unknown subject joins its like", {"unknown", "unknown", "other", "", ""}, {1, 1, 2, 3, 4}},
  };
  for (const auto& c : cases) EXPECT_EQ(c.incidents, Incidents(Shop(), c.subjects)) << c.what;
}

TEST(JoinIndexTest, ServicesThatNeedEachOtherComeTogether) {
  v1::SystemModel circle;
  AddService(circle, "a", {"b"});
  AddService(circle, "b", {"a"});
  EXPECT_EQ((std::vector<int>{1, 1}), Incidents(circle, {"a", "b"}));
}

TEST(JoinIndexTest, OnlyWithinTheWindowAndWhileTheIncidentTakesAlerts) {
  const DependencyGraph graph(Shop());
  const GroupingRules rules;
  const GroupingRule& rule = rules.For({});
  JoinIndex index;
  index.Open("INC-1", graph, rule, "", kNow);
  index.AddAlert("INC-1", "db");
  EXPECT_EQ("INC-1", index.Find(rule, "", "s1", kNow + rule.window));
  EXPECT_EQ("", index.Find(rule, "", "s1", kNow + rule.window + absl::Seconds(1)));
  index.Touch("INC-1", kNow + rule.window);
  EXPECT_EQ("INC-1", index.Find(rule, "", "s1", kNow + rule.window + absl::Seconds(1)));
  index.SetTaking("INC-1", false);
  EXPECT_EQ("", index.Find(rule, "", "s1", kNow));
  index.SetTaking("INC-1", true);
  EXPECT_EQ("INC-1", index.Find(rule, "", "s1", kNow));
  index.Remove("INC-1");
  index.Remove("INC-1");
  EXPECT_EQ("", index.Find(rule, "", "s1", kNow));
}

// An incident keeps to the system model that it is pinned to.
TEST(JoinIndexTest, EachIncidentCountsByItsOwnSystemModel) {
  const DependencyGraph before(Shop());
  v1::SystemModel changed = Shop();
  changed.mutable_services(3)->clear_depends_on();  // s1
  const DependencyGraph after(changed);
  const GroupingRules rules;
  const GroupingRule& rule = rules.For({});
  JoinIndex index;
  index.Open("INC-1", after, rule, "", kNow);
  index.AddAlert("INC-1", "db");
  EXPECT_EQ("", index.Find(rule, "", "s1", kNow));
  index.Open("INC-2", before, rule, "", kNow);
  index.AddAlert("INC-2", "db");
  EXPECT_EQ("INC-2", index.Find(rule, "", "s1", kNow));
  EXPECT_EQ("INC-1", index.Find(rule, "", "s2", kNow));
}

TEST(JoinIndexTest, ByKeyWithinOneRule) {
  v1::Grouping grouping;
  auto* labels = grouping.add_rules();
  labels->set_name("by cluster");
  labels->set_by(v1::GROUP_BY_LABELS);
  labels->add_labels("cluster");
  (*labels->mutable_match()->mutable_labels())["cluster"] = "*-eu";
  auto* alone = grouping.add_rules();
  alone->set_name("alone");
  alone->set_by(v1::GROUP_BY_NONE);
  const GroupingRules rules(grouping);
  v1::Alert alert;
  (*alert.mutable_labels())["cluster"] = "a-eu";
  const GroupingRule& rule = rules.For(alert);
  ASSERT_EQ("by cluster", rule.name);
  EXPECT_EQ("cluster=a-eu", rule.KeyOf(alert));
  const GroupingRule& none = rules.For({});
  ASSERT_EQ("alone", none.name);
  const DependencyGraph graph(Shop());
  JoinIndex index;
  index.Open("INC-1", graph, rule, "cluster=a-eu", kNow);
  index.Open("INC-2", graph, none, none.KeyOf({}), kNow);
  EXPECT_EQ("INC-1", index.Find(rule, "cluster=a-eu", "db", kNow));
  EXPECT_EQ("", index.Find(rule, "cluster=b-eu", "db", kNow));
  EXPECT_EQ("", index.Find(none, none.KeyOf({}), "db", kNow));
}

TEST(SuspectsTest, WhoExplainsMostIsFirst) {
  const DependencyGraph graph(Shop());
  const auto first = [&](const std::vector<std::string>& names) {
    std::set<int> alerting;
    for (const auto& name : names) alerting.insert(graph.Find(name));
    std::vector<std::string> services;
    for (const auto& suspect : Suspects(graph, alerting)) services.push_back(suspect.service);
    return services;
  };
  EXPECT_THAT(first({"db"}), IsEmpty());
  EXPECT_THAT(first({"db", "s1", "s2", "s3", "s4", "s5"}), ElementsAre("db", "s1", "s2", "s3", "s4"));
  EXPECT_THAT(first({"s1", "s2", "s3"}), ElementsAre("db", "s1", "s2", "s3")) << "silent, but it would explain all";
  EXPECT_THAT(first({"web", "gateway"}), ElementsAre("gateway", "web")) << "not what lies deeper and is silent";
}

}  // namespace
}  // namespace omnix
