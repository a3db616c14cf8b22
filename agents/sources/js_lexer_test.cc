#include "agents/sources/js_lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace omnix {
namespace {

std::vector<std::string> Texts(std::string_view source) {
  std::vector<std::string> texts;
  for (const JsToken& token : LexJavaScript(source)) texts.push_back(token.text);
  return texts;
}

TEST(JsLexerTest, FindsLiteralsWithTheirPlaces) {
  const auto tokens = LexJavaScript("const BASE = '/v1';\nconst b = \"a\\\"b\\u0041\";");
  ASSERT_EQ(tokens.size(), 10u);
  EXPECT_EQ(tokens[3].kind, JsTokenKind::kString);
  EXPECT_EQ(tokens[3].text, "/v1");
  EXPECT_EQ(tokens[3].line, 1u);
  EXPECT_EQ(tokens[3].column, 14u);
  EXPECT_EQ(tokens[8].text, "a\"bA");
  EXPECT_EQ(tokens[8].line, 2u);
}

TEST(JsLexerTest, CommentsHideTheirContent) {
  EXPECT_THAT(Texts("// '/no'\n/* \"x\"\n */ a //"), testing::ElementsAre("a"));
  EXPECT_THAT(Texts("'http://x' // y"), testing::ElementsAre("http://x"));
}

TEST(JsLexerTest, TemplatesHaveParts) {
  const auto tokens = LexJavaScript("`${BASE_URL}/orders/${ids.map(i => `x${i}`).join('}')}/items`");
  ASSERT_EQ(tokens.size(), 1u);
  const auto& parts = tokens[0].parts;
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_TRUE(parts[0].is_expression);
  EXPECT_EQ(parts[0].text, "BASE_URL");
  EXPECT_EQ(parts[1].text, "/orders/");
  EXPECT_EQ(parts[1].offset, 12u);
  EXPECT_TRUE(parts[2].is_expression);
  EXPECT_EQ(parts[3].text, "/items");
}

TEST(JsLexerTest, TellsRegexFromDivision) {
  const auto regex = LexJavaScript("path.replace(/^\\/api[/]/, '')");
  EXPECT_EQ(regex[4].kind, JsTokenKind::kRegex);
  EXPECT_EQ(regex[4].text, "^\\/api[/]");
  EXPECT_THAT(Texts("a / b / c"), testing::ElementsAre("a", "/", "b", "/", "c"));
  EXPECT_EQ(LexJavaScript("return /x/g.test(y)")[1].kind, JsTokenKind::kRegex);
}

TEST(JsLexerTest, OddInputNeverFails) {
  for (const char* odd : {"'", "\"abc", "`${", "`${`${`", "/*", "/", "\\", "`a${b", "'\\", "'\\u{", "}}}}", "\x80\xff",
                          "'\\x", "a?.5:b"}) {
    LexJavaScript(odd);
  }
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "`${";
  EXPECT_FALSE(LexJavaScript(deep).empty());
  EXPECT_TRUE(LexJavaScript(std::string_view("\0\0", 2)).size() == 2);
}

TEST(LineIndexTest, LocatesBytes) {
  const LineIndex index("ab\r\ncd\n");
  EXPECT_EQ(index.count(), 2u);
  EXPECT_EQ(index.Line(1), "ab");
  EXPECT_EQ(index.Line(2), "cd");
  EXPECT_EQ(index.Line(3), "");
  EXPECT_EQ(index.Locate("f", 5).line(), 2u);
  EXPECT_EQ(index.Locate("f", 5).column(), 2u);
}

}  // namespace
}  // namespace omnix
