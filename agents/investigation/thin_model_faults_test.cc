// Faults of systems whose model says little: no suites, configuration in no repository, structured logs.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_system.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

class ThinModelTest : public FaultySystem {
 protected:
  static std::string Json(const std::string& level, const std::string& rest) {
    return fmt::format(R"({{"time": "{}", "level": "{}", {}}})", Now(), level, rest) + "\n";
  }
};

// No commit, no level, no time: a key beside its very value is enough.
TEST_F(ThinModelTest, LastWordsNameAKeyAndItsValue) {
  const int port = FreePort();
  Write("yard.toml", "[limits]\nweight_kg = 9999\n");
  Write("yard.log",
        Json("info", R"("msg": "ready")") + "yard.toml: limits.weight_kg must be between 1 and 70, got 9999\n");
  v1::Service* yard = AddService("yard", port, {"/health"});
  yard->add_config_files()->set_path(Path("yard.toml"));
  yard->add_logs()->set_path(Path("yard.log"));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "config.wrong_value") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), 2u);
  EXPECT_GE(First(diagnosis).confidence(), 0.8);
}

// In whatever language the rest is.
TEST_F(ThinModelTest, AWholeKeyAndItsValueAreEnough) {
  const int port = FreePort();
  Write("yard.yaml", "yard:\n  limits:\n    weight: 9999\n    days: 21\n");
  Write("yard.log", Json("info", R"("msg": "ready")") +
                        Json("FATAL", R"("msg": "démarrage impossible : yard.limits.weight = 9999 hors limites")"));
  v1::Service* yard = AddService("yard", port, {"/health"});
  yard->add_config_files()->set_path(Path("yard.yaml"));
  yard->add_logs()->set_path(Path("yard.log"));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "config.wrong_value") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), 3u);
}

// What every line says, and what is a part of a library's name, is named by none.
TEST_F(ThinModelTest, WhatIsSaidAnywayNamesNoValue) {
  const int port = FreePort();
  Serve(port, "        self.answer(500 if self.path == '/a' else 200)");
  Write("yard.json", "{\n \"Log\": {\"Application\": \"Yard.Api\"},\n \"Stores\": {\"Redis\": \"10.0.0.9:6379\"}\n}\n");
  Write("yard.log",
        Json("info", R"("msg": "ready", "Application": "Yard.Api")") +
            Json("error", R"("msg": "bad value: Vendor.Redis.ClientException", "Application": "Yard.Api")"));
  v1::Service* yard = AddService("yard", port, {"/a"});
  yard->add_config_files()->set_path(Path("yard.json"));
  yard->add_logs()->set_path(Path("yard.log"));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("config.wrong_value"))) << All(diagnosis);
}

// The place that may not be written to is named rightly; a place that is not there is not.
TEST_F(ThinModelTest, APlaceThatIsThereIsNoWrongValue) {
  const int port = FreePort();
  Serve(port, "        self.answer(500 if self.path == '/a' else 200)");
  v1::Service* yard = AddService("yard", port, {"/a"});
  yard->add_config_files()->set_path(Path("yard.toml"));
  yard->add_logs()->set_path(Path("yard.log"));
  const auto say = [&](const std::string& folder) {
    Write("yard.toml", fmt::format("scans = \"{}\"\n", folder));
    Write("yard.log", Json("error", fmt::format(R"("msg": "Permission denied: '{}'")", folder)));
    return Run();
  };
  v1::Diagnosis diagnosis = say(folder_);
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("config.wrong_value"))) << All(diagnosis);
  diagnosis = say(Path("gone"));
  EXPECT_THAT(All(diagnosis), HasSubstr("config.wrong_value")) << All(diagnosis);
}

TEST_F(ThinModelTest, TheKeyNamesTheServiceInPart) {
  const int port = FreePort(), rates = FreePort();
  Serve(rates, "        self.answer(200)");
  Serve(port, "        self.answer(500 if self.path == '/quote' else 200)");
  Write("yard.toml", fmt::format("[tariff]\nhost = \"127.0.0.1\"\nport = {}\n", FreePort()));
  v1::Service* yard = AddService("yard", port, {"/quote"});
  yard->add_depends_on("tariffd");
  yard->add_config_files()->set_path(Path("yard.toml"));
  AddService("tariffd", rates, {"/rates"});
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "dependency.wrong_address") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), 3u);
}

// No check asks the service itself for the path that fails: its caller's failure is what the trace explains.
TEST_F(ThinModelTest, ATraceInOneLineOfJsonExplainsItsCallersFailure) {
  const int port = FreePort(), front = FreePort();
  Serve(port, "        self.answer(200)");
  Serve(front, "        self.answer(500 if self.path == '/shop/list' else 200)");
  Write("list.py", "def rows():\n    return []\n");
  Commit("Start");
  Write("list.py", "def rows():\n    return [row.volume for row in (1,)]\n");
  Commit("Volumes");
  Write("shop.log",
        Json("error", fmt::format(R"("msg": "unhandled", "exception": "Traceback (most recent call last):\n  )"
                                  R"(File \"{}\", line 2, in rows\n    return []\nAttributeError: no volume")",
                                  Path("list.py"))));
  AddService("front", front, {"/shop/list"})->add_depends_on("shop");
  AddService("shop", port, {"/health"})->add_logs()->set_path(Path("shop.log"));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "endpoint.bad_deploy") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "shop");
  EXPECT_EQ(First(diagnosis).location().line(), 2u);
}

// One service signs, the other judges; the model has no check that logs in.
TEST_F(ThinModelTest, TwoServicesHaveDifferentKeysOfSigning) {
  const int gate = FreePort(), yard_port = FreePort();
  Serve(gate, "        self.answer(200)");
  Serve(yard_port, "        self.answer(200)");
  Write("yard.toml", "[session]\nsigning_key = \"correct-horse\"\n[db]\npassword = \"one\"\n");
  Write("gate.ini", "[tokens]\nsigning_key = battery-staple\n[db]\npassword = two\n");
  std::string log;
  for (int i = 0; i < 5; ++i) log += Json("warning", R"("msg": "token rejected: invalid signature")");
  Write("yard.log", log);
  v1::Service* yard = AddService("yard", yard_port, {"/health"});
  yard->add_config_files()->set_path(Path("yard.toml"));
  yard->add_logs()->set_path(Path("yard.log"));
  AddService("gate", gate, {"/about"})->add_config_files()->set_path(Path("gate.ini"));
  v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "secret.mismatch") << diagnosis.DebugString();
  EXPECT_THAT(diagnosis.DebugString(), Not(HasSubstr("battery-staple")));
  // Passwords of different logins are no keys of signing; and where the keys agree, others are not asked.
  Write("gate.ini", "[tokens]\nsigning_key = correct-horse\n[db]\npassword = two\n");
  diagnosis = Run();
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("have different"))) << All(diagnosis);
}

// What it was before is not known: the time it was written tells it from the other.
TEST_F(ThinModelTest, ASecretInAFileOfItsOwnWasWrittenAnew) {
  const int gate = FreePort(), yard_port = FreePort();
  Serve(gate, "        self.answer(200)");
  Serve(yard_port, "        self.answer(200)");
  Write("yard.seal", "correct-horse\n");
  Write("gate.seal", "battery-staple\n");
  Write("yard.env", "TICKET_TOKEN_FILE=" + Path("yard.seal") + "\n");
  Write("gate.env", "TOKEN_SEAL_FILE=" + Path("gate.seal") + "\nDB_PASSWORD_FILE=" + Path("gate.seal") + "\n");
  std::string log;
  for (int i = 0; i < 5; ++i) log += Json("warning", R"("msg": "token rejected: invalid signature")");
  Write("yard.log", log);
  v1::Service* yard = AddService("yard", yard_port, {"/health"});
  yard->add_config_files()->set_path(Path("yard.env"));
  yard->add_logs()->set_path(Path("yard.log"));
  AddService("gate", gate, {"/about"})->add_config_files()->set_path(Path("gate.env"));
  const auto age = [&](const std::string& name) {
    std::filesystem::last_write_time(Path(name),
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(240));
  };
  age("yard.seal");
  v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(First(diagnosis).kind(), "secret.mismatch") << diagnosis.DebugString();
  EXPECT_EQ(First(diagnosis).component(), "gate");
  EXPECT_EQ(First(diagnosis).location().file(), Path("gate.seal"));
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("written anew"));
  EXPECT_THAT(diagnosis.DebugString(), Not(HasSubstr("battery-staple")));
  age("gate.seal");
  diagnosis = Run();
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("written anew"))) << All(diagnosis);
}

}  // namespace
}  // namespace omnix
