#include "agents/investigation/weigh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace omnix {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Gt;
using testing::Lt;

// web needs api, api needs db; all of them fail in the same three ways.
class WeighTest : public testing::Test {
 protected:
  WeighTest() {
    AddService("web", {"api"});
    AddService("api", {"db"});
    AddService("db", {});
    for (int i = 0; i < 3; ++i) scene_.AddSymptom("web", "check", "GET /" + std::to_string(i) + ": 502", "");
  }

  void AddService(const std::string& name, const std::vector<std::string>& needs) {
    v1::Service* service = case_.system.add_services();
    service->set_name(name);
    for (const std::string& needed : needs) service->add_depends_on(needed);
  }

  v1::Hypothesis& Add(const std::string& component, double confidence, const std::vector<std::string>& symptoms) {
    v1::Hypothesis h;
    h.set_title(component + " at " + std::to_string(candidates_.size()));
    h.set_component(component);
    h.set_confidence(confidence);
    for (const std::string& id : symptoms) h.add_symptom_ids(id);
    candidates_.push_back({h, {}});
    return candidates_.back().hypothesis;
  }

  std::vector<std::string> Ranked() {
    Weigh(scene_, &candidates_);
    std::vector<std::string> components;
    for (const Candidate& candidate : candidates_) components.push_back(candidate.hypothesis.component());
    return components;
  }
  double Confidence(const std::string& component) const {
    for (const Candidate& candidate : candidates_) {
      if (candidate.hypothesis.component() == component) return candidate.hypothesis.confidence();
    }
    return -1;
  }

  const std::vector<std::string> all_ = {"s1", "s2", "s3"};
  Case case_;
  EvidenceBook book_{case_};
  HttpBroker http_{case_.system, {}, case_.cancelled};
  Prober prober_{case_, &book_, &http_};
  Scene scene_{case_, &book_, &http_, &prober_};
  std::vector<Candidate> candidates_;
};

TEST_F(WeighTest, ACauseOfAllSymptomsGainsAndSaysWhy) {
  Add("api", 0.8, all_);
  Ranked();
  EXPECT_THAT(Confidence("api"), Gt(0.85));
  ASSERT_EQ(candidates_[0].hypothesis.score_size(), 2);
  EXPECT_EQ(candidates_[0].hypothesis.score(0).name(), "analyzer");
  EXPECT_EQ(candidates_[0].hypothesis.score(1).why(), "accounts for 3 of 3 symptoms");
}

TEST_F(WeighTest, ACauseOfNoSymptomLosesToAWeakerOneThatExplains) {
  Add("db", 0.8, {});
  Add("api", 0.65, all_);
  EXPECT_THAT(Ranked(), ElementsAre("api", "db"));
  EXPECT_THAT(Confidence("db"), Lt(0.5));
}

TEST_F(WeighTest, WhatIsNeededExplainsItsCallers) {
  Add("web", 0.9, all_);
  Add("api", 0.9, all_);
  Add("db", 0.85, all_);
  EXPECT_EQ(Ranked()[0], "db");
  EXPECT_THAT(Confidence("web"), Lt(0.5));
}

TEST_F(WeighTest, ADeeperGuessPushesNothingAside) {
  Add("web", 0.9, all_);
  Add("db", 0.3, all_);
  EXPECT_THAT(Ranked(), ElementsAre("web", "db"));
  EXPECT_THAT(Confidence("web"), Gt(0.85));
}

TEST_F(WeighTest, EqualRivalsShareWhatIsCertain) {
  AddService("cache", {});
  Add("db", 0.9, all_);
  Add("cache", 0.9, all_);
  Ranked();
  EXPECT_THAT(Confidence("db"), DoubleNear(0.49, 0.02));
  EXPECT_EQ(Confidence("db"), Confidence("cache"));
}

TEST_F(WeighTest, CausesOfDifferentSymptomsAreNoRivals) {
  AddService("cache", {});
  Add("db", 0.9, {"s1", "s2"});
  Add("cache", 0.9, {"s3"});
  Ranked();
  EXPECT_THAT(Confidence("db"), Gt(0.88));
  EXPECT_THAT(Confidence("cache"), Gt(0.88));
}

TEST_F(WeighTest, TheOneThatNamesThePlaceComesFirst) {
  Add("api", 0.85, all_);
  Add("api", 0.85, all_).mutable_location()->set_file("/etc/api.yaml");
  Ranked();
  EXPECT_EQ(candidates_[0].hypothesis.location().file(), "/etc/api.yaml");
  EXPECT_THAT(candidates_[0].hypothesis.confidence(), Gt(candidates_[1].hypothesis.confidence()));
}

TEST_F(WeighTest, TestsAndContradictionsCount) {
  AddService("cache", {});
  AddService("queue", {});
  Add("db", 0.7, {"s1"}).add_tests()->set_agrees(true);
  Add("cache", 0.7, {"s2"}).add_evidence_against("e1");
  Add("queue", 0.7, {"s3"}).add_tests()->set_agrees(false);
  EXPECT_THAT(Ranked(), ElementsAre("db", "cache", "queue"));
}

TEST_F(WeighTest, ARecentChangeOfItsPlaceCountsAnOldOneDoesNot) {
  AddService("cache", {});
  case_.started_at = absl::FromUnixSeconds(1756970000);
  Change recent;
  recent.file = "/etc/cache.conf";
  recent.commit.time = case_.started_at - absl::Minutes(10);
  Change old;
  old.file = "/etc/db.conf";
  old.commit.time = case_.started_at - absl::Hours(24 * 9);
  scene_.changes = {recent, old};
  Add("db", 0.7, {"s1"}).mutable_location()->set_file("/etc/db.conf");
  Add("cache", 0.7, {"s2"}).mutable_location()->set_file("/etc/cache.conf");
  EXPECT_THAT(Ranked(), ElementsAre("cache", "db"));
}

TEST_F(WeighTest, WhatWasTheCauseBeforeIsLikelier) {
  case_.prior = {{"INC-1", "disk.full", "cache", ""}, {"INC-2", "disk.full", "db", ""}};
  Add("api", 0.7, {"s1"}).set_kind("disk.full");
  Add("db", 0.7, {"s2"}).set_kind("disk.full");
  Add("cache", 0.7, {"s3"}).set_kind("memory.exhausted");
  Weigh(scene_, &candidates_);
  const v1::Hypothesis& first = candidates_[0].hypothesis;
  EXPECT_EQ(first.component(), "db");
  const bool says = std::any_of(first.score().begin(), first.score().end(), [](const v1::ScoreTerm& term) {
    return term.why() == "it was the cause of INC-2, where its fix was validated";
  });
  EXPECT_TRUE(says);
}

TEST_F(WeighTest, WhatLedToAStateIsSharperThanTheState) {
  Add("db", 0.8, all_).set_kind("service.process_down");
  Add("db", 0.75, all_).set_kind("disk.full");
  Weigh(scene_, &candidates_);
  EXPECT_EQ(candidates_[0].hypothesis.kind(), "disk.full");
}

TEST_F(WeighTest, WhatASureCauseLedToIsNoRivalOfIt) {
  Add("db", 0.95, all_).set_kind("service.process_down");
  Add("db", 0.8, all_).set_kind("disk.full");
  Weigh(scene_, &candidates_);
  EXPECT_EQ(candidates_[0].hypothesis.kind(), "disk.full");
  EXPECT_GT(candidates_[0].hypothesis.confidence(), 0.8);
  EXPECT_LT(candidates_[1].hypothesis.confidence(), 0.2);
}

TEST_F(WeighTest, AGuessDoesNotReplaceTheState) {
  Add("db", 0.95, all_).set_kind("service.process_down");
  Add("db", 0.5, all_).set_kind("config.wrong_value");
  Weigh(scene_, &candidates_);
  EXPECT_EQ(candidates_[0].hypothesis.kind(), "service.process_down");
}

TEST_F(WeighTest, WithoutSymptomsNothingIsSaidOfThem) {
  scene_.symptoms.clear();
  Add("db", 0.8, {});
  Ranked();
  EXPECT_THAT(Confidence("db"), DoubleNear(0.8, 0.01));
}

}  // namespace
}  // namespace omnix
