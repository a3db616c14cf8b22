#include "tests/support/demo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "common/system_model.h"

namespace omnix::testing {
namespace {

std::string Script(const std::string& name) { return SourceFolder() + "/deploy/demo/" + name; }

// Process ids of nginx's workers.
std::set<std::string> Workers(const std::string& pid_file) {
  std::istringstream master(Slurp(pid_file));
  std::string pid;
  master >> pid;
  std::istringstream children(Slurp("/proc/" + pid + "/task/" + pid + "/children"));
  return {std::istream_iterator<std::string>(children), std::istream_iterator<std::string>()};
}

void Replace(std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  ASSERT_NE(std::string::npos, at) << from;
  text.replace(at, from.size(), to);
}

}  // namespace

Demo::Demo() {
  const Finished up = RunToEnd({Script("up"), folder_.path()}, absl::Seconds(120));
  EXPECT_EQ(0, up.exit_code) << up.out;
  const std::string suite = folder_ / "omnix/suite.yaml";
  std::string text = Slurp(suite);
  Replace(text, "window: 3s", "window: 300ms");
  Replace(text, "interval: 1s", "interval: 150ms");
  Replace(text, "hold: 1s", "hold: 200ms");
  Spill(suite, text);
  const auto system = LoadSystemModel(folder_ / "omnix/system.yaml");
  EXPECT_TRUE(system.ok()) << system.status();
  if (system.ok()) gateway_url_ = system->services(0).base_url();
}

Demo::~Demo() {
  const Finished down = RunToEnd({Script("down"), folder_.path()});
  EXPECT_EQ(0, down.exit_code) << down.out;
}

void Demo::Break() {
  if (broken_files_.empty()) {
    const Finished broken = RunToEnd({Script("break"), folder_.path()});
    EXPECT_EQ(0, broken.exit_code) << broken.out;
    broken_files_ = Files();
    return;
  }
  for (const auto& [path, content] : broken_files_) {
    if (Slurp(shop() + "/" + path) != content) Spill(shop() + "/" + path, content);
  }
  ReloadGateway();
}

void Demo::ReloadGateway() {
  const auto system = LoadSystemModel(folder_ / "omnix/system.yaml");
  ASSERT_TRUE(system.ok()) << system.status();
  const std::set<std::string> old = Workers(folder_ / "run/nginx.pid");
  const auto& argv = system->services(0).commands().at("reload").argv();
  const Finished reloaded = RunToEnd({argv.begin(), argv.end()});
  ASSERT_EQ(0, reloaded.exit_code) << reloaded.out;
  // The reload is in effect once the workers that ran before it are gone.
  const bool reloaded_all = WaitUntil([&] {
    const auto now = Workers(folder_ / "run/nginx.pid");
    return !now.empty() &&
           std::none_of(now.begin(), now.end(), [&](const std::string& pid) { return old.contains(pid); });
  });
  ASSERT_TRUE(reloaded_all) << "the gateway did not take the broken configuration";
}

StackOptions Demo::stack_options() const {
  return {folder_ / "omnix/system.yaml", SourceFolder() + "/deploy/demo/policy-auto.yaml",
          folder_ / "omnix/recovery.yaml"};
}

std::string Demo::FailuresOfSuite() const {
  const Finished check = RunToEnd({BinFolder() + "/omnix-testing-agent", "check", folder_ / "omnix/suite.yaml",
                                   "--system", folder_ / "omnix/system.yaml"});
  return check.exit_code == 0 ? "" : check.out;
}

}  // namespace omnix::testing
