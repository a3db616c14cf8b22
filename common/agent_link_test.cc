#include "common/agent_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "common/status.h"

namespace omnix {
namespace {

v1::Hello GoodHello() {
  v1::Hello hello;
  hello.set_link_version(kLinkVersion);
  hello.set_name("recovery-agent@web1");
  hello.set_instance_id("0123456789abcdef");
  hello.set_kind("recovery");
  hello.add_task_types()->set_name("recovery.apply");
  hello.set_capacity(8);
  return hello;
}

TEST(CheckHello, TakesWhatTheProtocolAllows) {
  v1::Hello hello = GoodHello();
  EXPECT_TRUE(CheckHello(hello).ok());
  hello.set_capacity(kMaxAgentCapacity);
  hello.add_task_types()->set_name("recovery.roll_back");
  hello.mutable_task_types(1)->set_input_schema_json(R"({"type": "object"})");
  (*hello.mutable_labels())["site"] = "";
  EXPECT_TRUE(CheckHello(hello).ok()) << CheckHello(hello);
}

struct Refusal {
  std::string name;
  std::function<void(v1::Hello&)> spoil;
  absl::StatusCode code;
  std::string says;
};

class RefusedHello : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedHello, SaysWhatIsWrong) {
  v1::Hello hello = GoodHello();
  GetParam().spoil(hello);
  const absl::Status status = CheckHello(hello);
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(Message(status), testing::HasSubstr(GetParam().says));
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

INSTANTIATE_TEST_SUITE_P(
    All, RefusedHello,
    testing::Values(
        Refusal{"NewerVersion", [](v1::Hello& h) { h.set_link_version(2); }, absl::StatusCode::kFailedPrecondition,
                "link_version 2"},
        Refusal{"NoVersion", [](v1::Hello& h) { h.clear_link_version(); }, absl::StatusCode::kFailedPrecondition,
                "link_version 0"},
        Refusal{"NoName", [](v1::Hello& h) { h.clear_name(); }, kInvalid, "Hello.name"},
        Refusal{"ForgedLine", [](v1::Hello& h) { h.set_name("a\nb"); }, kInvalid, "'a?b'"},
        Refusal{"LongName", [](v1::Hello& h) { h.set_name(std::string(129, 'a')); }, kInvalid, "1 to 128"},
        Refusal{"ShortInstance", [](v1::Hello& h) { h.set_instance_id("0123456789abcde"); }, kInvalid,
                "Hello.instance_id"},
        Refusal{"NoHexInstance", [](v1::Hello& h) { h.set_instance_id("0123456789abcdeg"); }, kInvalid, "hex digits"},
        Refusal{"NoKind", [](v1::Hello& h) { h.clear_kind(); }, kInvalid, "Hello.kind"},
        Refusal{"NoTypes", [](v1::Hello& h) { h.clear_task_types(); }, kInvalid, "0 task types"},
        Refusal{"OtherKindsType", [](v1::Hello& h) { h.add_task_types()->set_name("testing.validate"); }, kInvalid,
                "'testing.validate' is not of the form recovery.verb"},
        Refusal{"NoVerb", [](v1::Hello& h) { h.add_task_types()->set_name("recovery."); }, kInvalid, "recovery.verb"},
        Refusal{"TwoDots", [](v1::Hello& h) { h.add_task_types()->set_name("recovery.a.b"); }, kInvalid,
                "recovery.verb"},
        Refusal{"TypeTwice", [](v1::Hello& h) { h.add_task_types()->set_name("recovery.apply"); }, kInvalid,
                "comes twice"},
        Refusal{"BadSchema", [](v1::Hello& h) { h.mutable_task_types(0)->set_input_schema_json("{"); }, kInvalid,
                "input schema"},
        Refusal{"NoCapacity", [](v1::Hello& h) { h.set_capacity(0); }, kInvalid, "1 to 10000"},
        Refusal{"TooMuchCapacity", [](v1::Hello& h) { h.set_capacity(10'001); }, kInvalid, "1 to 10000"},
        Refusal{"EmptyLabel", [](v1::Hello& h) { (*h.mutable_labels())[""] = "x"; }, kInvalid, "Hello.labels"},
        Refusal{"TooManyLeases",
                [](v1::Hello& h) {
                  for (int i = 0; i <= kMaxHelloRunning; ++i) h.add_running();
                },
                kInvalid, "Hello.running"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace omnix
