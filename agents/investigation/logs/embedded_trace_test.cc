#include "agents/investigation/logs/embedded_trace.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

TEST(EmbeddedReason, PythonJavaAndJavaScript) {
  EXPECT_EQ(
      EmbeddedReason(
          R"x({"level":"error","exception":"Traceback (most recent call last):\n  File \"/a.py\"\nKeyError: 'x'"})x"),
      "KeyError: 'x'");
  EXPECT_EQ(EmbeddedReason(R"x({"stack":"Error: connect ECONNREFUSED 10.0.0.1:5432\n    at f (a.js:2)","level":50})x"),
            "Error: connect ECONNREFUSED 10.0.0.1:5432");
  EXPECT_EQ(EmbeddedReason(
                R"x({"trace":"java.lang.Illegal: x\n\tat a.B(B.java:1)\nCaused by: java.net.Unknown: db\n\tat d"})x"),
            "Caused by: java.net.Unknown: db");
}

TEST(EmbeddedReason, NothingWhereNoStringHasSeveralLines) {
  EXPECT_EQ(EmbeddedReason(R"x({"level":"error","msg":"one line"})x"), "");
  EXPECT_EQ(EmbeddedReason("plain text"), "");
  EXPECT_EQ(EmbeddedReason(R"x(an open quote " and \n no end)x"), " no end");
  EXPECT_EQ(EmbeddedReason("\"ends with a backslash\\"), "");
}

}  // namespace
}  // namespace omnix
