#include "orchestrator/intake/alert_fields.h"

#include <gtest/gtest.h>

#include <string>

namespace omnix {
namespace {

// No scanner must take this file for a leak.
const std::string kSecret = std::string("s3cr3t-") + "V4lue.42";

std::string Label(const std::string& name, const std::string& value) {
  v1::Alert alert;
  SetLabels({{name, value}}, &alert);
  return alert.labels().at(name);
}

std::string Link(const std::string& url) {
  v1::Alert alert;
  AddLink(url, &alert);
  return alert.links_size() == 1 ? alert.links(0) : "";
}

// Clean texts are remembered: what is asked twice is answered in two ways.
TEST(AlertFields, AnswerTheSameWhenAskedAgain) {
  const std::string url = "https://bob:" + kSecret + "@git.example/";
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(AlertLine("5 % of all requests fail"), "5 % of all requests fail");
    EXPECT_EQ(AlertLine("password: " + kSecret), "password: [redacted]");
    EXPECT_EQ(AlertLine("\xff"), "\xEF\xBF\xBD");
    EXPECT_EQ(AlertLine(""), "");
    EXPECT_EQ(Label("job", "api"), "api");
    EXPECT_EQ(Label("password", kSecret), "[redacted]");
    EXPECT_EQ(Link("https://x.example/?a=b"), "https://x.example/?a=b");
    EXPECT_EQ(Link(url), "https://bob:[redacted]@git.example/");
  }
}

TEST(AlertFields, ALabelsNameCountsThoughItsValueIsKnown) {
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Label("note", kSecret), kSecret);
    EXPECT_EQ(AlertText(kSecret), kSecret);
    EXPECT_EQ(Label("api_key", kSecret), "[redacted]");
  }
  // The same bytes, once the '=' stands in the value, once in the name.
  const std::string line = "requirepass " + kSecret;
  const std::string whole = Label("a", "b=" + line);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(whole, "b=" + line);
    EXPECT_EQ(Label("a=b", line), "requirepass [redacted]");
  }
}

TEST(AlertFields, EachFieldHasItsOwnRulesForATextThatIsKnown) {
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(AlertText("one\ntwo"), "one\ntwo");
    EXPECT_EQ(AlertLine("one\ntwo"), "one two");
    const std::string longer(kMaxAlertTitleBytes + 1, 'x');
    EXPECT_EQ(AlertText(longer), longer);
    EXPECT_EQ(AlertLine(longer).size(), kMaxAlertTitleBytes);
    const std::string longest(kMaxAlertTitleBytes, 'x');
    EXPECT_EQ(AlertText(longest), longest);
    EXPECT_EQ(AlertLine(longest), longest);
  }
}

}  // namespace
}  // namespace omnix
