// A small world for tests: two files, a service with commands that leave a trace, an agent's configuration.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/recovery/config.h"
#include "agents/recovery/executor.h"
#include "agents/recovery/planner.h"
#include "common/file.h"
#include "common/json.h"

namespace omnix {

class FakeContext final : public TaskContext {
 public:
  const v1::LeaseId& lease() const override { return lease_; }
  const std::string& type() const override { return type_; }
  const Json& input() const override { return input_; }
  const std::string& idempotency_key() const override { return key; }
  bool cancelled() const override { return false; }
  absl::Status MayAct() const override { return acts_left-- > 0 ? absl::OkStatus() : absl::AbortedError("lease lost"); }
  absl::Duration remaining() const override { return absl::Minutes(1); }
  void Progress(const std::string&, uint32_t) override {}
  void Report(v1::Evidence evidence) override { reported.push_back(std::move(evidence)); }
  std::shared_ptr<grpc::Channel> channel() const override { return nullptr; }

  std::string key = "INC-1/recovering-1/apply";
  mutable int acts_left = 1000;
  std::vector<v1::Evidence> reported;

 private:
  v1::LeaseId lease_;
  std::string type_;
  Json input_;
};

class ExecutorTest : public testing::Test {
 protected:
  void SetUp() override { MakeWorld(); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void MakeWorld() {
    char name[] = "/tmp/omnix-recovery-XXXXXX";
    root_ = mkdtemp(name);
    ASSERT_TRUE(MakeFolders(root_ + "/srv").ok());
    Put("a.js", "const base = '/v1';\r\ncall(base);\r\n");
    Put("b.json", "{\n  \"origins\": [\n    \"https://a\"\n  ]\n}\n");
    ASSERT_EQ(chmod(File("a.js").c_str(), 0640), 0);
    const timespec times[2] = {{1000, 0}, {1000, 123456789}};
    ASSERT_EQ(utimensat(AT_FDCWD, File("a.js").c_str(), times, 0), 0);
    config_.Clear();
    config_.add_allowed_paths(root_ + "/srv");
    config_.set_state_dir(root_ + "/state");
    system_.Clear();
    v1::Service* service = system_.add_services();
    service->set_name("web");
    AddCommand(service, "test_config",
               {"/bin/sh", "-c", "echo test >>" + root_ + "/witness; test ! -e " + root_ + "/broken"});
    AddCommand(service, "reload", {"/bin/sh", "-c", "echo reload >>" + root_ + "/witness"});
    AddCommand(service, "notify", {"/bin/sh", "-c", "echo notify >>" + root_ + "/witness"});
    v1::ConfigFile* file = service->add_config_files();
    file->set_path(File("b.json"));
    file->set_reload("reload");
    ASSERT_TRUE(CheckRecoveryConfig(&config_).ok());
  }

  void AddCommand(v1::Service* service, const std::string& name, const std::vector<std::string>& argv) {
    auto* allowed = config_.add_allowed_commands();
    (*service->mutable_commands())[name].clear_argv();
    for (const std::string& argument : argv) {
      (*service->mutable_commands())[name].add_argv(argument);
      allowed->add_argv(argument);
    }
  }

  std::string File(const std::string& name) const { return root_ + "/srv/" + name; }
  void Put(const std::string& name, const std::string& text) { ASSERT_TRUE(ReplaceFile(File(name), text).ok()); }
  std::string Get(const std::string& name) { return ReadFile(File(name)).value_or("unreadable"); }
  int Witnessed(const std::string& word) {
    const std::string text = ReadFile(root_ + "/witness").value_or("");
    int count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
  }

  absl::StatusOr<v1::Plan> Plan(bool notify = false) {
    PlanRequest request;
    request.actions.resize(2);
    request.actions[0].set_id("a1");
    request.actions[0].set_kind("file.replace_text");
    *request.actions[0].mutable_with() =
        JsonToStruct({{"path", File("a.js")}, {"line", 1}, {"old", "'/v1'"}, {"new", "''"}});
    request.actions[1].set_id("a2");
    request.actions[1].set_kind("config.list_add");
    *request.actions[1].mutable_with() =
        JsonToStruct({{"path", File("b.json")}, {"pointer", "/origins"}, {"values", {"https://b"}}});
    if (notify) {
      v1::Action action;
      action.set_id("a3");
      action.set_kind("command.run");
      *action.mutable_with() = JsonToStruct({{"service", "web"}, {"command", "notify"}});
      request.actions.push_back(action);
    }
    return MakePlan(request, system_, config_);
  }

  absl::StatusOr<v1::Application> Apply(const v1::Plan& plan) {
    return ApplyPlan({plan, system_, plan.hash(), true}, config_, context_);
  }

  void ExpectUntouched() {
    EXPECT_EQ(Get("a.js"), "const base = '/v1';\r\ncall(base);\r\n");
    EXPECT_EQ(Get("b.json"), "{\n  \"origins\": [\n    \"https://a\"\n  ]\n}\n");
    struct stat info {};
    ASSERT_EQ(stat(File("a.js").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0640u);
    EXPECT_EQ(info.st_mtim.tv_sec, 1000);
    EXPECT_EQ(info.st_mtim.tv_nsec, 123456789);
  }
  void ExpectApplied() {
    EXPECT_EQ(Get("a.js"), "const base = '';\r\ncall(base);\r\n");
    EXPECT_EQ(Get("b.json"), "{\n  \"origins\": [\n    \"https://a\",\n    \"https://b\"\n  ]\n}\n");
  }

  // Runs `work` in a process of its own that dies at the crash point; true where it died there.
  template <typename Work>
  bool Crashes(const std::string& point, Work work) {
    const pid_t pid = fork();
    if (pid == 0) {
      setenv("OMNIX_CRASH_AT", point.c_str(), 1);
      (void)work();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status);
  }

  std::string root_;
  v1::RecoveryConfig config_;
  v1::SystemModel system_;
  FakeContext context_;
};

}  // namespace omnix
