#include "common/printable.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

TEST(Printable, PlainTextOfAnyLanguageStays) {
  EXPECT_EQ(PrintableLine("Größe 東京 \xF0\x9F\x94\xA5 a\\b"), "Größe 東京 \xF0\x9F\x94\xA5 a\\b");
}

TEST(Printable, ControlCharactersAreShown) {
  EXPECT_EQ(PrintableLine(std::string_view("a\x1b[2Jb\0c\x7f", 9)), "a\\x1b[2Jb\\x00c\\x7f");
  EXPECT_EQ(PrintableLine("\xC2\x9b"
                          "31m"),
            "\\x9b31m")
      << "C1 control sequence introducer";
}

TEST(Printable, LinesAreJoinedOrKept) {
  EXPECT_EQ(PrintableLine("a\nb\r\nc\td"), "a b c d");
  EXPECT_EQ(PrintableText("a\nb\r\nc\td\re"), "a\nb\nc\td\\x0de");
}

TEST(Printable, BytesThatAreNoUtf8AreShown) {
  EXPECT_EQ(PrintableLine("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(PrintableLine("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(PrintableLine("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
}

TEST(Printable, DirectionOverridesAreShown) { EXPECT_EQ(PrintableLine("a\u202e\u2028b"), "a\\u202e\\u2028b"); }

}  // namespace
}  // namespace omnix
