#include "agents/investigation/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/investigation/merge.h"

namespace omnix {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SummaryTest : public testing::Test {
 protected:
  v1::Hypothesis& Add(const std::string& title, double confidence, const std::vector<std::string>& symptoms) {
    v1::Hypothesis& h = *diagnosis_.add_hypotheses();
    h.set_title(title);
    h.set_confidence(confidence);
    for (const std::string& id : symptoms) h.add_symptom_ids(id);
    return h;
  }
  void AddSymptoms() {
    for (const char* text : {"GET /a answers 502", "GET /b answers 502", "no CORS header for https://x"}) {
      scene_.AddSymptom("web", "check", text, "");
    }
    for (const v1::Symptom& symptom : scene_.symptoms) *diagnosis_.add_symptoms() = symptom;
  }
  std::string Summary() {
    Summarize(scene_, &diagnosis_);
    return diagnosis_.summary();
  }

  Case case_;
  EvidenceBook book_{case_};
  HttpBroker http_{case_.system, {}, case_.cancelled};
  Prober prober_{case_, &book_, &http_};
  Scene scene_{case_, &book_, &http_, &prober_};
  v1::Diagnosis diagnosis_;
};

TEST_F(SummaryTest, TellsSymptomCauseFactsAndWhatWasRuledOut) {
  AddSymptoms();
  v1::Hypothesis& h = Add("the gateway sends to port 81", 0.93, {"s2", "s1"});
  h.mutable_location()->set_file("/etc/gateway.conf");
  h.mutable_location()->set_line(7);
  v1::Counterfactual* test = h.add_tests();
  test->set_description("api answers at port 80.");
  test->set_agrees(true);
  h.add_tests()->set_description("a test that disagrees is no fact for it");
  v1::Location place;
  place.set_file("/var/log/error.log");
  place.set_line(12);
  h.add_evidence_for(book_.Add(MakeEvidence("log", "gateway", "connect() failed", "", place)));
  Add("api is slow", 0.2, {"s1"});
  scene_.ruled_out = {"db: healthy, 3 of 3 checks pass"};
  EXPECT_EQ(Summary(),
            "GET /a answers 502. 2 more symptoms. Cause (93 %): the gateway sends to port 81 (/etc/gateway.conf:7). "
            "Facts: api answers at port 80; connect() failed (/var/log/error.log:12). Less likely: api is slow (20 %). "
            "Ruled out: db: healthy, 3 of 3 checks pass.");
}

TEST_F(SummaryTest, NamesASecondCauseOfOtherSymptoms) {
  AddSymptoms();
  Add("the route is missing", 0.9, {"s1", "s2"});
  Add("the origin is missing", 0.8, {"s3"});
  Add("a worse cause of the same", 0.6, {"s2"});
  EXPECT_THAT(Summary(), HasSubstr("Cause (90 %): the route is missing. And by itself (80 %): the origin is missing. "
                                   "Less likely: a worse cause of the same (60 %)."));
}

TEST_F(SummaryTest, CallsAGuessAGuess) {
  AddSymptoms();
  Add("api fails by itself", 0.3, {"s1"});
  const std::string summary = Summary();
  EXPECT_THAT(summary, HasSubstr("Cause unknown. Best guess: api fails by itself (30 %)."));
  EXPECT_THAT(summary, Not(HasSubstr("Cause (")));
  ASSERT_EQ(diagnosis_.next_steps_size(), 3);
  EXPECT_EQ(diagnosis_.next_steps(0), "Not explained: GET /a answers 502. Look at the logs of web of that time.");
}

TEST_F(SummaryTest, SaysThatNothingIsWrong) {
  diagnosis_.set_nothing_wrong(true);
  scene_.results.resize(4);
  EXPECT_EQ(Summary(), "Nothing is wrong now: all 4 checks pass.");
}

Candidate Of(const std::string& kind, const std::string& component, double confidence, const std::string& symptom) {
  v1::Hypothesis h;
  h.set_kind(kind);
  h.set_component(component);
  h.set_confidence(confidence);
  h.add_symptom_ids(symptom);
  return {h, {}};
}

TEST(MergeSame, PutsTogetherWhatSeveralFound) {
  std::vector<Candidate> candidates = {Of("disk.full", "db", 0.6, "s1"), Of("service.hung", "db", 0.5, "s1"),
                                       Of("disk.full", "db", 0.8, "s2"), Of("disk.full", "web", 0.8, "s2")};
  candidates[0].hypothesis.mutable_location()->set_file("/etc/db.conf");
  MergeSame(&candidates);
  ASSERT_EQ(candidates.size(), 3);
  const v1::Hypothesis& h = candidates[0].hypothesis;
  EXPECT_EQ(h.confidence(), 0.8);
  EXPECT_THAT(h.symptom_ids(), ElementsAre("s2", "s1"));
  EXPECT_EQ(h.location().file(), "/etc/db.conf");
  EXPECT_EQ(candidates[1].hypothesis.kind(), "service.hung");
  EXPECT_EQ(candidates[2].hypothesis.component(), "web");
}

TEST(MergeSame, KeepsDifferentPlacesApart) {
  std::vector<Candidate> candidates = {Of("cors.origin_missing", "web", 0.6, "s1"),
                                       Of("cors.origin_missing", "web", 0.6, "s1")};
  candidates[0].hypothesis.mutable_location()->set_file("a");
  candidates[1].hypothesis.mutable_location()->set_file("b");
  MergeSame(&candidates);
  EXPECT_EQ(candidates.size(), 2);
}

}  // namespace
}  // namespace omnix
