#include "orchestrator/journal/wal_gathering_vfs.h"

#include <gmock/gmock.h>

#include "orchestrator/journal/faulty_vfs.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {
namespace {

using Access = SqliteConnection::Access;

// A database in WAL mode without checkpoints, with pages enough for `rows` of a page each.
std::unique_ptr<SqliteConnection> OpenTable(const std::string& path, const std::string& vfs) {
  auto db = SqliteConnection::Open(path, Access::kReadWrite, vfs);
  EXPECT_TRUE(db.ok()) << db.status();
  EXPECT_EQ((*db)->Text("PRAGMA journal_mode = WAL").value(), "wal");
  EXPECT_TRUE((*db)
                  ->Execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                            "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT)")
                  .ok());
  return *std::move(db);
}

absl::Status Insert(SqliteConnection& db, int rows, size_t bytes = 3'000) {
  return InTransaction(db, [&] {
    for (int i = 0; i < rows; ++i) {
      OMNIX_RETURN_IF_ERROR(db.Run("INSERT INTO t (text) VALUES (?1)", std::string(bytes, 'x')));
    }
    return absl::OkStatus();
  });
}

int64_t Count(const std::string& path, const std::string& vfs) {
  auto db = SqliteConnection::Open(path, Access::kReadOnly, vfs);
  EXPECT_TRUE(db.ok()) << db.status();
  EXPECT_EQ((*db)->Text("PRAGMA integrity_check").value(), "ok");
  return (*db)->Integer("SELECT count(*) FROM t").value();
}

TEST(WalGatheringVfs, ACommitIsFewWrites) {
  const TemporaryFolder folder;
  FaultyVfs disk("gathering-one-write");
  const WalGatheringVfs vfs(disk.name());
  const auto db = OpenTable(folder.path() + "/a.db", vfs.name());
  ASSERT_TRUE(Insert(*db, 1).ok());
  const int before = disk.operations();
  ASSERT_TRUE(Insert(*db, 60).ok());
  EXPECT_EQ(disk.operations() - before, 4) << "three writes for 60 pages and more, and a sync";
}

TEST(WalGatheringVfs, OtherConnectionsSeeWhatIsCommitted) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.db";
  const WalGatheringVfs vfs("");
  const auto db = OpenTable(path, vfs.name());
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(Insert(*db, 5).ok());
    EXPECT_EQ(Count(path, ""), i * 5);
  }
}

// With a small cache SQLite writes pages of a transaction before its end, reads them back and overwrites them.
TEST(WalGatheringVfs, ATransactionLargerThanTheCacheAndTheBuffer) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.db";
  const WalGatheringVfs vfs("");
  const auto db = OpenTable(path, vfs.name());
  ASSERT_TRUE(db->Execute("PRAGMA cache_size = 5").ok());
  const int rows = static_cast<int>(3 * WalGatheringVfs::kMaxGatheredBytes / 3'000);
  const absl::Status written = InTransaction(*db, [&] {
    for (int i = 0; i < rows; ++i) {
      OMNIX_RETURN_IF_ERROR(db->Run("INSERT INTO t (text) VALUES (?1)", std::string(3'000, 'x')));
    }
    return db->Run("UPDATE t SET text = text || id");
  });
  ASSERT_TRUE(written.ok()) << written;
  EXPECT_EQ(Count(path, ""), rows);
  EXPECT_EQ(db->Integer("SELECT sum(text = printf('%.*c', 3000, 'x') || id) FROM t").value(), rows);
  ASSERT_TRUE(db->Text("PRAGMA wal_checkpoint(TRUNCATE)").ok());
  EXPECT_EQ(Count(path, ""), rows);
}

TEST(WalGatheringVfs, ARolledBackTransactionLeavesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.db";
  const WalGatheringVfs vfs("");
  const auto db = OpenTable(path, vfs.name());
  ASSERT_TRUE(Insert(*db, 5).ok());
  ASSERT_TRUE(db->Execute("PRAGMA cache_size = 5").ok());
  const absl::Status refused = InTransaction(*db, [&] {
    for (int i = 0; i < 100; ++i) {
      OMNIX_RETURN_IF_ERROR(db->Run("INSERT INTO t (text) VALUES (?1)", std::string(3'000, 'x')));
    }
    return absl::InternalError("no");
  });
  EXPECT_FALSE(refused.ok());
  ASSERT_TRUE(Insert(*db, 5).ok());
  EXPECT_EQ(Count(path, ""), 10);
}

// Each operation of a commit fails once: what was committed before is there, and the failed commit is not, since
// nothing of it was written later.
TEST(WalGatheringVfs, AFailedWriteIsNotMadeUpForLater) {
  for (int n = 1; n <= 2; ++n) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/a.db";
    FaultyVfs disk("gathering-failed-write");
    const WalGatheringVfs vfs(disk.name());
    auto db = OpenTable(path, vfs.name());
    ASSERT_TRUE(Insert(*db, 5).ok());
    sqlite3_db_config(db->database().getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    disk.FailOperation(n, n == 1 ? SQLITE_IOERR_WRITE : SQLITE_IOERR_FSYNC);
    EXPECT_FALSE(Insert(*db, 60).ok());
    const int before = disk.operations();
    db.reset();
    EXPECT_EQ(disk.operations(), before) << "operation " << n;
    // A failed sync leaves the frames in the file: whether they count is for whoever opens it next.
    const int64_t kept = Count(path, "");
    EXPECT_TRUE(kept == 5 || (n == 2 && kept == 65)) << kept;
  }
}

TEST(WalGatheringVfs, WithoutTheVfsBelowNothingOpens) {
  const TemporaryFolder folder;
  const WalGatheringVfs vfs("no-such-disk");
  const auto db = SqliteConnection::Open(folder.path() + "/a.db", Access::kReadWrite, vfs.name());
  EXPECT_THAT(db.status().message(), testing::HasSubstr("no-such-disk"));
}

}  // namespace
}  // namespace omnix
