#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/engine_world.h"
#include "orchestrator/playbook/library.h"

namespace omnix {
namespace {

using ::testing::ElementsAre;
using testing::EngineWorld;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EngineGroupingTest : public ::testing::Test {
 protected:
  EngineGroupingTest() {
    auto& system = world_.configuration().system;
    system.add_services()->set_name("db");
    for (const char* name : {"s1", "s2", "s3", "s4", "s5"}) {
      auto* service = system.add_services();
      service->set_name(name);
      service->add_depends_on("db");
    }
    system.add_services()->set_name("mail");
  }

  // The incident that has it.
  std::string Fires(const std::string& subject, const std::string& fingerprint) {
    v1::Alert alert;
    alert.set_fingerprint(fingerprint);
    alert.set_title(subject + " fails");
    alert.set_subject(subject);
    alert.set_status(v1::ALERT_STATUS_FIRING);
    alert.set_severity(v1::SEVERITY_ERROR);
    std::string id;
    world_.engine().IngestAlerts({alert}, [&](absl::StatusOr<std::vector<IngestedAlert>> ingested) {
      ASSERT_TRUE(ingested.ok()) << ingested.status();
      id = ingested->front().incident_id;
    });
    world_.Pump();
    return id;
  }

  std::vector<std::string> NotesOf(const std::string& incident_id) {
    std::vector<std::string> notes;
    const v1::Incident incident = world_.Recorded(incident_id);
    for (const auto& note : incident.notes()) notes.push_back(note.text());
    return notes;
  }

  EngineWorld world_;
};

TEST_F(EngineGroupingTest, ADatabaseAndWhatNeedsItAreOneIncidentThatSaysLookFirstAtTheDatabase) {
  world_.Restart();
  const std::string id = Fires("s1", "f1");
  EXPECT_EQ(world_.Recorded(id).suspects_size(), 0);
  for (const char* name : {"s2", "s3", "s4", "db", "s5"}) EXPECT_EQ(id, Fires(name, name));
  const v1::Incident incident = world_.Recorded(id);
  ASSERT_GT(incident.suspects_size(), 0);
  EXPECT_EQ(incident.suspects(0).service(), "db");
  EXPECT_EQ(incident.suspects(0).explains(), 6u);
  EXPECT_EQ(incident.suspects(0).reason(), "alerts itself; 5 of the 6 services that alert need it: s1, s2, s3, s4, s5");
  EXPECT_THAT(NotesOf(id), IsEmpty());
  EXPECT_NE(id, Fires("mail", "m"));
  world_.Restart();
  EXPECT_EQ(incident.sequence(), world_.Recorded(id).sequence()) << "what is said already is not said again";
  EXPECT_EQ(id, Fires("s2", "another of s2")) << "a restart does not change what comes together";
}

TEST_F(EngineGroupingTest, ASubjectThatTheModelDoesNotHaveIsOneIncident) {
  world_.Restart();
  const std::string id = Fires("printer-7", "p1");
  EXPECT_EQ(id, Fires("printer-7", "p2"));
  EXPECT_NE(id, Fires("printer-8", "p3"));
  EXPECT_NE(id, Fires("db", "p4"));
  EXPECT_NE(Fires("", "p5"), Fires("", "p6")) << "nothing says that they belong together";
  world_.Restart();
  EXPECT_EQ(id, Fires("printer-7", "p7"));
  world_.clock().Advance(absl::Minutes(61));
  EXPECT_NE(id, Fires("printer-7", "p8")) << "too long after the last one";
}

TEST_F(EngineGroupingTest, RulesOfTheSiteComeFirst) {
  auto* rule = world_.configuration().grouping.add_rules();
  rule->set_name("each alone");
  rule->set_by(v1::GROUP_BY_NONE);
  rule->mutable_match()->add_subjects("s*");
  world_.Restart();
  const std::string first = Fires("s1", "f1");
  EXPECT_NE(first, Fires("s1", "f2"));
  EXPECT_NE(first, Fires("db", "f3"));
}

TEST_F(EngineGroupingTest, AnAlertLongAfterTheLastOneOpensAnIncidentOfItsOwn) {
  world_.Restart();
  const std::string first = Fires("db", "f1");
  world_.clock().Advance(absl::Minutes(59));
  EXPECT_EQ(first, Fires("s1", "f2"));
  world_.clock().Advance(absl::Minutes(61));
  EXPECT_NE(first, Fires("s2", "f3"));
}

// It would be resolved with the alert, which nobody has looked at.
TEST_F(EngineGroupingTest, AnIncidentWhoseFixWasValidatedTakesNoNewAlert) {
  world_.Restart();
  const auto agent = world_.Connect("agent-a", [](const v1::Assign& assign) {
    return assign.type() == "documentation.report" ? std::nullopt : testing::DoEverythingWell(assign);
  });
  const std::string id = Fires("db", "f1");
  ASSERT_EQ(world_.Recorded(id).phase(), v1::PHASE_DOCUMENTING);
  const std::string other = Fires("db", "f2");
  EXPECT_NE(other, id);
  EXPECT_EQ(world_.Recorded(id).alert_counts().total(), 1u);
  EXPECT_EQ(Fires("db", "f1"), id) << "its own it keeps";
}

TEST_F(EngineGroupingTest, ALateAlertOfAnEndedIncidentIsLinkedToItAndNeverJoinsIt) {
  world_.Restart();
  for (const bool after_restart : {false, true}) {
    const std::string fingerprint = after_restart ? "late again" : "late";
    const std::string ended = Fires("mail", fingerprint);
    v1::CommandIncidentRequest cancel;
    cancel.set_incident_id(ended);
    cancel.mutable_cancel();
    ASSERT_TRUE(world_.Command(cancel).ok());
    if (after_restart) world_.Restart();
    const std::string next = Fires("mail", fingerprint);
    ASSERT_NE(ended, next);
    EXPECT_EQ(v1::PHASE_CANCELLED, world_.Recorded(ended).phase());
    EXPECT_EQ(1, world_.Recorded(ended).alerts_size());
    EXPECT_THAT(NotesOf(next), ElementsAre(HasSubstr("An alert of " + ended)));
    EXPECT_THAT(NotesOf(ended).back(), HasSubstr("fires again, in " + next));
    cancel.set_incident_id(next);
    ASSERT_TRUE(world_.Command(cancel).ok());
  }
}

TEST_F(EngineGroupingTest, AnIncidentThatNoPlaybookOfTheSiteIsForSaysSo) {
  auto& playbooks = world_.configuration().playbooks;
  playbooks.clear();
  playbooks.push_back(BuiltInPlaybook());
  playbooks[0].set_name("payments");
  playbooks[0].set_match(".alert.subject == \"db\"");
  world_.Restart();
  EXPECT_THAT(NotesOf(Fires("db", "f1")), IsEmpty());
  EXPECT_THAT(NotesOf(Fires("mail", "f2")), ElementsAre(HasSubstr("No playbook of this site matches")));
}

}  // namespace
}  // namespace omnix
