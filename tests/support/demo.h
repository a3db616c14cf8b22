// Test support: the demo's web shop (deploy/demo) in a folder of its own.
#pragma once

#include <map>
#include <string>

#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix::testing {

class Demo {
 public:
  // Starts it healthy, with a short stability window. Fails the test where it does not start.
  Demo();
  // Stops it.
  ~Demo();

  // The edits of September 4, the first time; later calls bring the same broken files back.
  void Break();

  std::string folder() const { return folder_.path(); }
  std::string shop() const { return folder_ / "shop"; }
  const std::string& gateway_url() const { return gateway_url_; }
  StackOptions stack_options() const;

  // What the shop's files say now, and said while it was broken.
  std::map<std::string, std::string> Files() const { return Snapshot(shop()); }
  const std::map<std::string, std::string>& broken_files() const { return broken_files_; }

  // The suite of the shop, run by the testing agent's own command; empty where it passes, else what it said.
  std::string FailuresOfSuite() const;

 private:
  void ReloadGateway();

  TemporaryFolder folder_;
  std::string gateway_url_;
  std::map<std::string, std::string> broken_files_;
};

}  // namespace omnix::testing
