#include "common/unit_name.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

TEST(FullUnitName, OfWhatAModelMaySay) {
  EXPECT_EQ(FullUnitName("shop"), "shop.service");
  EXPECT_EQ(FullUnitName("shop.service"), "shop.service");
  EXPECT_EQ(FullUnitName("worker@1"), "worker@1.service");
  EXPECT_EQ(FullUnitName("worker@eu-1.service"), "worker@eu-1.service");
  EXPECT_EQ(FullUnitName("my.shop"), "my.shop.service");
  EXPECT_EQ(FullUnitName("shop.socket"), "shop.socket");
  for (const char* name : {"", "--root=/x", "shop*", "shop.service other", "worker@", "worker@.service", "a/b"})
    EXPECT_EQ(FullUnitName(name), "") << name;
}

}  // namespace
}  // namespace omnix
