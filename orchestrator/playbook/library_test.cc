#include "orchestrator/playbook/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/status.h"
#include "orchestrator/playbook/jq.h"

namespace omnix {
namespace {

using testing::HasSubstr;

class LibraryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/omnix-library-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = std::filesystem::path(pattern).lexically_normal().string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  std::string folder_;
};

std::string Example(const std::string& name) { return std::string(OMNIX_SOURCE_DIR) + "/deploy/examples/" + name; }

// A playbook's smallest form; `more` is put before its phases.
std::string Minimal(const std::string& more) {
  return more + R"(
validating: [{name: validate, type: testing.validate}]
)";
}

Json TaskContext() {
  return Json::parse(
      R"({"incident": {"id": "INC-1", "title": "t", "notes": []}, "system": {"name": "s"}, "explanation": {"id": "x1"},
    "hypotheses": [{"id": "h1"}], "plan": {"hash": "p"}, "approval": {"state": "APPROVAL_STATE_GRANTED"}, "application": null,
    "now": "2025-09-04T07:14:03.250Z", "prior": [{"incident": "INC-0", "causes": []}]})");
}

TEST_F(LibraryTest, BuiltInPlaybookHasAllPhasesAndPassesItsOwnChecks) {
  const v1::Playbook& playbook = BuiltInPlaybook();
  EXPECT_EQ(playbook.name(), "default");
  ASSERT_EQ(playbook.investigating_size(), 2);
  EXPECT_TRUE(playbook.investigating(1).optional());
  ASSERT_EQ(playbook.recovering_size(), 2);
  EXPECT_TRUE(playbook.recovering(1).approval());
  EXPECT_EQ(playbook.recovering(1).needs(0), "plan");
  EXPECT_EQ(playbook.validating(0).type(), "testing.validate");
  EXPECT_EQ(playbook.rollback(0).type(), "recovery.rollback");
  EXPECT_TRUE(playbook.documenting(0).optional());
}

TEST_F(LibraryTest, BuiltInInputsAreWhatTheAgentsRead) {
  const v1::Playbook& playbook = BuiltInPlaybook();
  const auto input = [](const v1::TaskSpec& task) { return *JqProgram::Compile(task.input())->Run(TaskContext()); };
  EXPECT_EQ(input(playbook.investigating(0)),
            Json::parse(R"({"incident_id": "INC-1", "incident": {"title": "t", "notes": []},
    "system": {"name": "s"}, "spent": [], "prior": [{"incident": "INC-0", "causes": []}]})"));
  EXPECT_EQ(input(playbook.recovering(0)), Json::parse(R"({"incident_id": "INC-1", "system": {"name": "s"},
    "explanation": {"id": "x1"}, "hypotheses": [{"id": "h1"}]})"));
  EXPECT_EQ(input(playbook.recovering(1)), Json::parse(R"({"incident_id": "INC-1", "system": {"name": "s"},
    "plan": {"hash": "p"}, "approval": {"state": "APPROVAL_STATE_GRANTED"}})"));
  EXPECT_EQ(input(playbook.validating(0)), Json::parse(R"({"incident_id": "INC-1", "system": {"name": "s"}})"));
  EXPECT_EQ(input(playbook.rollback(0)),
            Json::parse(R"({"incident_id": "INC-1", "system": {"name": "s"}, "plan": {"hash": "p"}})"));
  EXPECT_EQ(input(playbook.documenting(0)), Json::parse(R"({"incident_id": "INC-1"})"));
}

TEST_F(LibraryTest, TheExamplesAreRight) {
  EXPECT_TRUE(LoadPlaybook(Example("playbook.yaml")).ok()) << LoadPlaybook(Example("playbook.yaml")).status();
  EXPECT_TRUE(LoadPolicy(Example("policy.yaml")).ok()) << LoadPolicy(Example("policy.yaml")).status();
  EXPECT_TRUE(LoadSystemModel(Example("system.yaml")).ok()) << LoadSystemModel(Example("system.yaml")).status();
}

TEST_F(LibraryTest, TheExamplePolicyDecides) {
  const auto policy = LoadPolicy(Example("policy.yaml"));
  ASSERT_TRUE(policy.ok());
  Json context = Json::parse(R"({"incident": {"recoveries": [{}]}, "now": "2025-09-04T10:00:00.000Z",
    "plan": {"risk": "RISK_LOW", "services": ["web"], "files": [{"lines_added": 1}]}, "hypotheses": [{"confidence": 0.9}]})");
  EXPECT_EQ(EvaluatePolicy(*policy, context).decision, v1::POLICY_DECISION_AUTO);
  context["now"] = "2025-09-04T22:00:00.000Z";
  EXPECT_EQ(EvaluatePolicy(*policy, context).decision, v1::POLICY_DECISION_ASK);
  context["plan"]["services"].push_back("payments");
  EXPECT_EQ(EvaluatePolicy(*policy, context).decision, v1::POLICY_DECISION_FORBID);
}

TEST_F(LibraryTest, AllMistakesOfAPlaybookAtOnce) {
  const std::string path = Write("p.yaml", R"(name: a b
match: '.x |'
budget: 0s
max_recoveries: 101
investigating:
  - name: one
    type: investigation
    needs: [twoo, two]
    when: nosuch
  - name: two
    type: a.b
    needs: [one]
    timout: 3s
    attempts: 1000
    approval: true
  - name: two
    type: a.c
recovering:
  - {name: plan, type: recovery.plan, input: '{'}
)");
  const std::string message = Message(LoadPlaybook(path).status());
  for (const char* expected :
       {":1:1: name: \"a b\" is no name",
        ":2:1: match: jq does not compile: syntax error, unexpected $end at <top-level>, line 1: .x |",
        ":3:1: budget: must be more than 0", ":4:1: max_recoveries: at most 100",
        ":7:5: investigating[0].type: \"investigation\" is no task type",
        ":8:13: investigating[0].needs[0]: no task twoo in this phase; did you mean two?",
        ":9:5: investigating[0].when: jq does not compile",
        ":13:5: investigating[1].timout: unknown key; did you mean timeout?",
        ":14:5: investigating[1].attempts: at most 100", ":15:5: investigating[1].approval: only tasks of `recovering`",
        ":16:5: investigating[2].name: the name two is taken already", "recovering[0].input: jq does not compile",
        "validating: at least one task", "rollback: at least one task"}) {
    EXPECT_THAT(message, HasSubstr(expected));
  }
}

TEST_F(LibraryTest, TasksThatWaitForEachOther) {
  const std::string path = Write("p.yaml", Minimal(R"(name: p
investigating:
  - {name: free, type: a.b}
  - {name: a, type: a.b, needs: [b]}
  - {name: b, type: a.b, needs: [c, free]}
  - {name: c, type: a.b, needs: [a]}
)"));
  EXPECT_EQ(Message(LoadPlaybook(path).status()),
            path + ":4:26: investigating[1].needs: tasks that wait for each other: a, b, c");
}

TEST_F(LibraryTest, FilesThatAreMissingAreNamed) {
  EXPECT_EQ(LoadPlaybook(folder_ + "/none.yaml").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadPolicy(folder_ + "/none.yaml").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(LoadSystemModel(folder_ + "/none.yaml").status()), HasSubstr(folder_ + "/none.yaml"));
}

TEST_F(LibraryTest, FirstPlaybookThatMatchesElseTheBuiltIn) {
  std::vector<v1::Playbook> playbooks(3);
  playbooks[0].set_name("broken");
  playbooks[0].set_match(".alert.labels | error(\"no\")");
  playbooks[1].set_name("payments");
  playbooks[1].set_match(".alert.labels.team == \"payments\"");
  playbooks[2].set_name("also payments");
  playbooks[2].set_match(playbooks[1].match());
  EXPECT_EQ(SelectPlaybook(playbooks, Json::parse(R"({"alert":{"labels":{"team":"payments"}}})")).name(), "payments");
  EXPECT_EQ(SelectPlaybook(playbooks, Json::parse(R"({"alert":{}})")).name(), "default");
}

TEST_F(LibraryTest, PolicyAsksWhereItCantTell) {
  v1::Policy policy;
  EXPECT_EQ(EvaluatePolicy(policy, Json::object()).decision, v1::POLICY_DECISION_ASK);
  auto* broken = policy.add_rules();
  broken->set_name("broken");
  broken->set_when(".plan.risk | tonumber > 1");
  broken->set_decision(v1::POLICY_DECISION_AUTO);
  policy.add_rules()->set_decision(v1::POLICY_DECISION_AUTO);
  const PolicyOutcome outcome = EvaluatePolicy(policy, Json::parse(R"({"plan":{"risk":"RISK_HIGH"}})"));
  EXPECT_EQ(outcome.decision, v1::POLICY_DECISION_ASK);
  EXPECT_EQ(outcome.rule, "broken");
  EXPECT_THAT(outcome.reason, HasSubstr("can't be evaluated"));
  policy.mutable_rules()->DeleteSubrange(0, 1);
  policy.mutable_rules(0)->set_decision(v1::POLICY_DECISION_UNSPECIFIED);
  EXPECT_EQ(EvaluatePolicy(policy, Json::object()).decision, v1::POLICY_DECISION_ASK);
}

TEST_F(LibraryTest, MistakesOfAPolicy) {
  const std::string path =
      Write("policy.yaml", "rules:\n  - name: a\n    when: .x |\n  - name: a\n    decision: auto\n  - decision: ask\n");
  const std::string message = Message(LoadPolicy(path).status());
  EXPECT_THAT(message, HasSubstr(":2:5: rules[0].decision: a decision is required"));
  EXPECT_THAT(message, HasSubstr(":3:5: rules[0].when: jq does not compile"));
  EXPECT_THAT(message, HasSubstr(":4:5: rules[1].name: this name is taken already"));
  EXPECT_THAT(message, HasSubstr("rules[1].when: a rule without a condition always holds"));
  EXPECT_THAT(message, HasSubstr("rules[2].name: a name is required"));
}

TEST_F(LibraryTest, SystemModelPathsAreRelativeToItsFileAndSuitesAreLoaded) {
  Write("suite.yaml", "name: smoke\nsteps:\n  - {name: up, kind: http, service: db, with: {path: /}}\n");
  const std::string path = Write("system.yaml", R"(
name: s
services:
  - name: db
    process: {pid_file: run/db.pid}
    database: {kind: sqlite, dsn: data/x.db}
    config_files: [{path: /etc/x.conf, reload: reload}, {path: conf/y.conf}]
    logs: [{path: logs/a.log}]
    commands: {reload: {argv: [true], cwd: .}}
    disks: [{path: data}]
clients:
  - {name: web, service: db, files: ["src/*.js"], dev_proxy_files: [vite.config.js]}
repositories: [{name: r, path: .}]
suite_files: [suite.yaml]
)");
  const auto model = LoadSystemModel(path);
  ASSERT_TRUE(model.ok()) << model.status();
  const v1::Service& db = model->services(0);
  EXPECT_EQ(db.process().pid_file(), folder_ + "/run/db.pid");
  EXPECT_EQ(db.database().dsn(), folder_ + "/data/x.db");
  EXPECT_EQ(db.config_files(0).path(), "/etc/x.conf");
  EXPECT_EQ(db.config_files(1).path(), folder_ + "/conf/y.conf");
  EXPECT_EQ(db.logs(0).path(), folder_ + "/logs/a.log");
  EXPECT_EQ(db.disks(0).path(), folder_ + "/data");
  EXPECT_THAT(db.commands().at("reload").cwd(), testing::StartsWith(folder_));
  EXPECT_EQ(model->clients(0).files(0), folder_ + "/src/*.js");
  EXPECT_EQ(model->clients(0).dev_proxy_files(0), folder_ + "/vite.config.js");
  EXPECT_THAT(model->repositories(0).path(), testing::StartsWith(folder_));
  ASSERT_EQ(model->suites_size(), 1);
  EXPECT_EQ(model->suites(0).name(), "smoke");
}

TEST_F(LibraryTest, AllMistakesOfASystemModelAtOnce) {
  const std::string suite = Write("suite.yaml", "name: smoke\nsteps:\n  - {name: up, kind: http, service: bakend}\n");
  const std::string path = Write("system.yaml", R"(name: s
services:
  - name: gateway
    base_url: 127.0.0.1:80
    depends_on: [bakcend, gateway]
    endpoints: [{path: products, status: [20]}]
    config_files: [{path: a, reload: relod}]
    listen: ["127.0.0.1:0"]
    commands: {reload: {argv: [nginx -s reload]}, stop: {}}
  - name: backend
    unit: "shop*"
    database: {kind: mysql}
  - name: backend
    unit: worker@.service
clients:
  - {name: gateway, service: gatewya, origin: prod}
origins: [{name: production, url: shop.example}]
suite_files: [suite.yaml, none.yaml]
)");
  const std::string message = Message(LoadSystemModel(path).status());
  for (const char* expected :
       {":4:5: services[0].base_url: \"127.0.0.1:80\" is no address",
        "services[0].depends_on[0]: no service named bakcend; did you mean backend?",
        "services[0].depends_on[1]: a service can't depend on itself",
        "services[0].endpoints[0].path: a path is required", "services[0].endpoints[0].status[0]: a status code",
        "config_files[0].reload: no command of this service named relod; did you mean reload?",
        "services[0].listen[0]: \"127.0.0.1:0\" is no host:port", "commands.reload.argv: runs without a shell",
        "commands.stop.argv: a program and its arguments are required",
        "services[1].database.kind: expected one of: postgresql, redis, sqlite",
        ":13:5: services[2].name: the name backend is taken already",
        "services[1].unit: \"shop*\" is no name of a systemd unit",
        "services[2].unit: worker@.service is a template: name a unit that is made of it, such as worker@1",
        "clients[0].name: the name gateway is taken already",
        "clients[0].service: no service named gatewya; did you mean gateway?",
        "clients[0].origin: no origin named prod", "clients[0].files: the source files",
        "origins[0].url: \"shop.example\" is no address", "suite_files[1]: "}) {
    EXPECT_THAT(message, HasSubstr(expected));
  }
  EXPECT_THAT(message, HasSubstr(suite + ":3:28: steps[0].service: no service named bakend; did you mean backend?"));
}

}  // namespace
}  // namespace omnix
