#include "orchestrator/engine/prior_incidents.h"

#include <gtest/gtest.h>

#include "orchestrator/engine/engine_world.h"

namespace omnix {
namespace {

using testing::EngineWorld;
using testing::Spec;

v1::Incident Resolved(const std::string& id, const std::string& outcome) {
  v1::Incident incident;
  incident.set_id(id);
  incident.set_phase(v1::PHASE_RESOLVED);
  v1::Hypothesis& h = *incident.mutable_diagnosis()->add_hypotheses();
  h.set_id("h1");
  h.set_kind("disk.full");
  h.set_component("db");
  v1::Explanation& explanation = *incident.mutable_diagnosis()->add_explanations();
  explanation.set_id("x1");
  explanation.add_causes()->set_hypothesis_id("h1");
  v1::Recovery& recovery = *incident.add_recoveries();
  recovery.set_explanation_id("x1");
  recovery.set_outcome(outcome);
  return incident;
}

TEST(PriorIncidents, KeepsTheCausesOfValidatedFixesNewestFirst) {
  PriorIncidents prior;
  prior.Add(Resolved("INC-1", "validated"));
  prior.Add(Resolved("INC-2", "validation failed"));
  prior.Add(Resolved("INC-3", "validated"));
  const Json json = prior.ToJson();
  ASSERT_EQ(json.size(), 2);
  EXPECT_EQ(json[0]["incident"], "INC-3");
  EXPECT_EQ(json[1]["incident"], "INC-1");
  EXPECT_EQ(json[1]["causes"], (Json::array({{{"kind", "disk.full"}, {"component", "db"}, {"file", ""}}})));
}

TEST(PriorIncidents, KeepsNoMoreThanItsBoundAndEachOnce) {
  PriorIncidents prior;
  for (size_t i = 0; i < 2 * PriorIncidents::kMaxPriorIncidents; ++i)
    prior.Add(Resolved("INC-" + std::to_string(i), "validated"));
  prior.Add(Resolved("INC-99", "validated"));
  EXPECT_EQ(prior.ToJson().size(), PriorIncidents::kMaxPriorIncidents);
  EXPECT_EQ(prior.ToJson()[0]["incident"], "INC-99");
  EXPECT_EQ(prior.ToJson()[1]["incident"], "INC-98");
}

TEST(PriorIncidents, ReachTheNextInvestigationAlsoAfterARestart) {
  EngineWorld world;
  world.configuration().playbooks[0].mutable_investigating(0)->set_input("{prior}");
  world.Restart();
  std::string input;
  const auto script = [&](const v1::Assign& assign) -> std::optional<v1::Product> {
    if (assign.type() == "investigation.diagnose") input = assign.input_json();
    auto product = testing::DoEverythingWell(assign);
    if (assign.type() != "investigation.diagnose") return product;
    v1::Diagnosis& diagnosis = *product->mutable_diagnosis();
    v1::Hypothesis& h = *diagnosis.add_hypotheses();
    h.set_id("h1");
    h.set_kind("disk.full");
    h.set_component("db");
    diagnosis.mutable_explanations(0)->add_causes()->set_hypothesis_id("h1");
    return product;
  };
  world.Connect("agent-a", script);
  world.Alert("f1");
  EXPECT_EQ(input, R"({"prior":[]})");
  world.Alert("f1", v1::ALERT_STATUS_RESOLVED);
  const std::string second = world.Alert("f1").incident_id;
  EXPECT_NE(input.find(R"("kind":"disk.full")"), std::string::npos) << input;
  EXPECT_EQ(world.Recorded(second).phase(), v1::PHASE_RESOLVED);
  world.Restart();
  world.Connect("agent-a", script);
  world.Alert("f1", v1::ALERT_STATUS_RESOLVED);
  world.Alert("f1");
  EXPECT_NE(input.find(R"("incident":"INC-2025-09-04-002")"), std::string::npos) << input;
}

}  // namespace
}  // namespace omnix
