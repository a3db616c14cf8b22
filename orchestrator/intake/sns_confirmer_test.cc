#include "orchestrator/intake/sns_confirmer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "common/status.h"

namespace omnix {
namespace {

constexpr char kTopic[] = "arn:aws:sns:eu-west-1:1234567890:alarms";
constexpr char kUrl[] = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t";

TEST(SnsTopic, MustBeTheArnOfOne) {
  EXPECT_TRUE(CheckSnsTopic(kTopic).ok());
  EXPECT_TRUE(CheckSnsTopic("arn:aws-cn:sns:cn-north-1:1234567890:alarms.fifo").ok());
  for (const char* topic : {"", "nope", "arn:aws:sqs:eu-west-1:1234567890:queue", "arn:aws:sns:eu west"}) {
    EXPECT_THAT(Message(CheckSnsTopic(topic)), testing::HasSubstr("is no topic's ARN")) << topic;
  }
}

TEST(SnsSubscription, OnlyDeclaredTopicsAndSnsItself) {
  EXPECT_TRUE(CheckSnsSubscription({kTopic, kUrl}, {kTopic}).ok());
  EXPECT_TRUE(CheckSnsSubscription({kTopic, "https://sns.cn-north-1.amazonaws.com.cn/?x"}, {kTopic}).ok());
  const absl::Status undeclared = CheckSnsSubscription({kTopic, kUrl}, {"arn:aws:sns:eu-west-1:1234567890:other"});
  EXPECT_THAT(Message(undeclared), testing::HasSubstr(std::string("--sns-topic ") + kTopic));
  for (const char* topic : {"", "arn:aws:sns:eu-west-1:1:x; reboot", "arn:\x1b[31m", "topic"}) {
    const absl::Status strange = CheckSnsSubscription({topic, kUrl}, {topic});
    EXPECT_EQ(Message(strange), "what asks for it names no topic's ARN");
  }
  for (const char* url :
       {"", "http://sns.eu-west-1.amazonaws.com/", "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://evil.example/?sns.eu-west-1.amazonaws.com", "https://sns.eu-west-1.amazonaws.com@evil.example/",
        "https://sns.eu-west-1.amazonaws.com:8080/", "https://sns.amazonaws.com/", "https://sns..amazonaws.com/",
        "https://sns.a.b.amazonaws.com/", "https://s3.eu-west-1.amazonaws.com/", "https://169.254.169.254/",
        "https://sns.evil.example\\.amazonaws.com/", "file:///etc/passwd", "https://sns.x\n.amazonaws.com/"}) {
    EXPECT_FALSE(CheckSnsSubscription({kTopic, url}, {kTopic}).ok()) << url;
  }
}

TEST(SnsConfirmer, FetchesWhatIsAllowedAndNothingElse) {
  std::promise<std::string> fetched;
  int fetches = 0;
  {
    SnsConfirmer confirmer({kTopic}, [&](const std::string& url) {
      if (++fetches == 1) fetched.set_value(url);
      return absl::OkStatus();
    });
    confirmer.OnRequest({"arn:aws:sns:eu-west-1:1234567890:other", kUrl});
    confirmer.OnRequest({kTopic, "https://evil.example/"});
    confirmer.OnRequest({kTopic, kUrl});
    std::future<std::string> url = fetched.get_future();
    ASSERT_EQ(url.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    EXPECT_EQ(url.get(), kUrl);
  }
  EXPECT_EQ(fetches, 1);
}

}  // namespace
}  // namespace omnix
