#include "agents/investigation/log_signs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_log_changes.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {

void AnalyzeLogSigns(Scene* scene, std::vector<Candidate>* candidates);
void ProbeLogChanges(Scene* scene);

namespace {

struct Message {
  const char* text;
  const char* kind;
  const char* what;
};

class FindSignTest : public testing::TestWithParam<Message> {};

TEST_P(FindSignTest, KnowsIt) {
  std::string what;
  const SignShape* shape = FindSign(GetParam().text, &what);
  ASSERT_NE(shape, nullptr);
  EXPECT_EQ(shape->kind, GetParam().kind);
  EXPECT_EQ(what, GetParam().what);
}

// As the products write them.
INSTANTIATE_TEST_SUITE_P(
    Messages, FindSignTest,
    testing::Values(
        Message{
            R"(psycopg2.OperationalError: connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed for user "app")",
            "database.credentials", ""},
        Message{"error: password authentication failed for user \"app\" code: '28P01'", "database.credentials", ""},
        Message{"java.sql.SQLException: Access denied for user 'app'@'10.0.0.3' (using password: YES)",
                "database.credentials", ""},
        Message{"FATAL:  sorry, too many clients already", "database.connections_exhausted", ""},
        Message{"FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
                "database.connections_exhausted", ""},
        Message{"sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out",
                "database.connections_exhausted", ""},
        Message{"error    : 'shop' total mem amount of 118.0 MB matches resource limit [total mem amount > 60.0 MB]",
                "memory.exhausted", ""},
        Message{"System.UnauthorizedAccessException: Access to the path '/srv/scans' is denied.", "path.not_writable",
                "/srv/scans"},
        Message{"IDX10503: Signature validation failed. Keys tried: 'Microsoft...'", "secret.mismatch", ""},
        Message{"container oom 4f2c9d (image=shop:4.7, name=shop-1)", "memory.exhausted", ""},
        Message{"Authentication failed: InvalidSignature (token was signed with another key)", "secret.mismatch", ""},
        Message{"[http-nio-8080-exec-3] Timeout: Pool empty. Unable to fetch a connection in 30 seconds, none "
                "available[size:100; busy:100; idle:0; lastwait:30000].",
                "database.connections_exhausted", ""},
        Message{"psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec", "database.connections_exhausted",
                ""},
        Message{
            "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool within 5.000 seconds",
            "database.connections_exhausted", ""},
        Message{"pool timed out while waiting for an open connection", "database.connections_exhausted", ""},
        Message{"Cannot get a connection, pool error Timeout waiting for idle object", "database.connections_exhausted",
                ""},
        Message{"Npgsql.NpgsqlException: The connection pool has been exhausted, either raise 'Max Pool Size'",
                "database.connections_exhausted", ""},
        Message{"HikariPool-1 - Connection is not available, request timed out after 30000ms.",
                "database.connections_exhausted", ""},
        Message{"ERROR:  canceling statement due to lock timeout", "database.locks", ""},
        Message{"ERROR:  canceling statement due to statement timeout", "database.slow_query", ""},
        Message{"ERROR:  cannot execute INSERT in a read-only transaction", "database.read_only", ""},
        Message{"FATAL:  the database system is starting up", "database.refuses", ""},
        Message{"redis.exceptions.ResponseError: OOM command not allowed when used memory > 'maxmemory'.",
                "cache.memory_exhausted", ""},
        Message{"ReplyError: WRONGPASS invalid username-password pair or user is disabled.", "cache.credentials", ""},
        Message{"NOAUTH Authentication required.", "cache.credentials", ""},
        Message{"READONLY You can't write against a read only replica.", "cache.read_only", ""},
        Message{"2025/09/04 07:00:01 [error] 12#12: *3 client intended to send too large body: 2097152 bytes, client: "
                "127.0.0.1, server: _, request: \"POST /upload HTTP/1.1\"",
                "gateway.body_limit", ""},
        Message{"2025/09/04 07:00:01 [error] 12#12: *3 limiting requests, excess: 5.120 by zone \"api\", client: ::1",
                "gateway.rate_limit", "api"},
        Message{"nginx: [emerg] host not found in upstream \"orders.internal\" in /etc/nginx/conf.d/up.conf:3",
                "dns.failure", "orders.internal"},
        Message{"2025/09/04 07:00:01 [emerg] 7#7: invalid number of arguments in \"client_max_body_size\" directive in "
                "/etc/nginx/conf.d/site.conf:12",
                "nginx.syntax_error", "/etc/nginx/conf.d/site.conf:12"},
        Message{"LOG:  process 3070 still waiting for RowExclusiveLock on relation 16409 of database 16386",
                "database.locks", ""},
        Message{"redis.exceptions.ReadOnlyError: You can't write against a read only replica.", "cache.read_only", ""},
        Message{"Error: getaddrinfo ENOTFOUND payments.internal", "dns.failure", "payments.internal"},
        Message{"dial tcp: lookup payments.internal on 127.0.0.53:53: no such host", "dns.failure",
                "payments.internal"},
        Message{"HTTPConnectionPool(host='payments.internal', port=80): Max retries exceeded (Caused by "
                "NewConnectionError: [Errno -2] Name or service not known)",
                "dns.failure", "payments.internal"},
        Message{"could not translate host name \"db-primary\" to address: Name or service not known", "dns.failure",
                "db-primary"},
        Message{"payments.internal could not be resolved (3: Host not found)", "dns.failure", "payments.internal"},
        Message{"OSError: [Errno 28] No space left on device: '/var/lib/app/upload.tmp'", "disk.full",
                "/var/lib/app/upload.tmp"},
        Message{"Error: ENOSPC: no space left on device, write", "disk.full", ""},
        Message{"accept4() failed (24: Too many open files)", "descriptors.exhausted", ""},
        Message{"Error: EMFILE: too many open files, open '/x'", "descriptors.exhausted", ""},
        Message{"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "memory.exhausted",
                ""},
        Message{"java.lang.OutOfMemoryError: Java heap space", "memory.exhausted", ""},
        Message{"[ERROR] Worker (pid:91) was sent SIGKILL! Perhaps out of memory?", "memory.exhausted", ""},
        Message{"[PM2][WORKER] Process 0 restarted because it exceeds --max-memory-restart value", "memory.exhausted",
                ""},
        Message{"CRIT shop-2 uses 613 MB, limit 600 MB: sending SIGKILL", "memory.exhausted", ""},
        Message{"stores.PoolExhausted: no connection became free within 2 s", "database.connections_exhausted", ""},
        Message{"PermissionError: [Errno 13] Permission denied: '/var/lib/app/out.csv'", "path.not_writable",
                "/var/lib/app/out.csv"},
        Message{"open() \"/var/cache/nginx/tmp/1\" failed (13: Permission denied)", "path.not_writable",
                "/var/cache/nginx/tmp/1"},
        Message{"OSError: [Errno 30] Read-only file system: '/srv/data/x'", "path.not_writable", "/srv/data/x"},
        Message{"x509: certificate has expired or is not yet valid", "tls.certificate_expired", ""},
        Message{"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate",
                "tls.certificate_invalid", ""},
        Message{"jwt.exceptions.ImmatureSignatureError: The token is not yet valid (iat)", "clock.skew", ""},
        Message{"jwt.exceptions.InvalidSignatureError: Signature verification failed", "secret.mismatch", ""}));

TEST(FindSign, SaysNothingOfOrdinaryLines) {
  std::string what;
  for (const char* text :
       {"INFO lookup table reloaded: 312 rows", "WARN disk usage at 85 %", "GET /permission/denied 404",
        "INFO certificate expires in 40 days", "user changed their password", "INFO 53300 orders synchronized today.",
        "DEBUG token issued for user 7", "connected to database system, version 15"}) {
    const SignShape* shape = FindSign(text, &what);
    EXPECT_EQ(shape, nullptr) << text << ": " << (shape == nullptr ? "" : shape->kind);
  }
}

// web needs api; api needs db (PostgreSQL) and cache (Redis). GET /orders of web fails.
class LogSignsTest : public testing::Test {
 protected:
  LogSignsTest() : folder_(std::filesystem::temp_directory_path() / fmt::format("omnix-log-signs-{}", getpid())) {
    std::filesystem::create_directories(folder_);
    case_.now = case_.started_at = absl::Now();
    AddService("web", {"api"});
    AddService("api", {"db", "cache"});
    AddService("db", {}).mutable_database()->set_kind("postgresql");
    AddService("cache", {}).mutable_database()->set_kind("redis");
    const std::string id = scene_.AddSymptom("web", "GET /orders", "GET /orders answers 500", "");
    v1::CheckResult result;
    result.set_service("web");
    (*result.mutable_attributes())["status"] = "500";
    scene_.symptom_results[id] = result;
  }
  ~LogSignsTest() override { std::filesystem::remove_all(folder_); }

  v1::Service& AddService(const std::string& name, const std::vector<std::string>& needs) {
    v1::Service& service = *case_.system.add_services();
    service.set_name(name);
    for (const std::string& needed : needs) service.add_depends_on(needed);
    service.add_logs()->set_path(folder_ / (name + ".log"));
    return service;
  }
  v1::Service& Find(const std::string& name) {
    for (v1::Service& service : *case_.system.mutable_services()) {
      if (service.name() == name) return service;
    }
    return *case_.system.add_services();
  }

  void Log(const std::string& service, absl::Duration ago, const std::string& text) {
    std::ofstream(folder_ / (service + ".log"), std::ios::app)
        << absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", case_.now - ago, absl::UTCTimeZone()) << " " << text << "\n";
  }

  // Normal time in every log, then what the test wrote.
  std::vector<Candidate> Analyze() {
    ProbeLogChanges(&scene_);
    std::vector<Candidate> candidates;
    AnalyzeLogSigns(&scene_, &candidates);
    return candidates;
  }
  void Usual(const std::string& service) {
    for (int i = 120; i > 0; --i) Log(service, absl::Minutes(i), "INFO request served");
  }

  const std::filesystem::path folder_;
  Case case_;
  EvidenceBook book_{case_};
  HttpBroker http_{case_.system, {}, case_.cancelled};
  Prober prober_{case_, &book_, &http_};
  Scene scene_{case_, &book_, &http_, &prober_};
};

TEST_F(LogSignsTest, ACauseOfTheStoreIsTheStores) {
  Usual("api");
  for (int i = 0; i < 3; ++i) Log("api", absl::Minutes(1), "ERROR FATAL:  sorry, too many clients already");
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1);
  const v1::Hypothesis& h = candidates[0].hypothesis;
  EXPECT_EQ(h.kind(), "database.connections_exhausted");
  EXPECT_EQ(h.component(), "db");
  EXPECT_EQ(h.symptom_ids_size(), 1);
  EXPECT_EQ(h.evidence_for_size(), 1);
  EXPECT_GE(h.confidence(), 0.7);
}

TEST_F(LogSignsTest, CredentialsAreTheClientsWhereTheStoreIsWellForOthers) {
  Usual("api");
  Log("api", absl::Minutes(1), "ERROR password authentication failed for user \"app\"");
  Log("db", absl::Minutes(1), "FATAL:  password authentication failed for user \"app\"");
  v1::CheckResult well;
  well.set_service("db");
  well.set_kind("database");
  well.set_status(v1::CHECK_STATUS_PASSED);
  scene_.results.push_back(well);
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1);
  EXPECT_EQ(candidates[0].hypothesis.component(), "api");
  EXPECT_EQ(candidates[0].hypothesis.evidence_for_size(), 2);
}

TEST_F(LogSignsTest, OldMessagesAreNoNews) {
  for (int i = 300; i > 0; --i) Log("api", absl::Minutes(i), "INFO request served");
  for (int i = 300; i > 0; i -= 3)
    Log("cache", absl::Minutes(i), "WARN OOM command not allowed when used memory > 'maxmemory'");
  for (int i = 200; i > 100; --i) Log("api", absl::Minutes(i), "ERROR No space left on device: '/var/tmp/x'");
  EXPECT_THAT(Analyze(), testing::IsEmpty());
}

TEST_F(LogSignsTest, WhatFailsNothingIsHardlyACause) {
  Usual("other");
  AddService("other", {});
  Log("other", absl::Minutes(1), "ERROR Error: EMFILE: too many open files");
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1);
  EXPECT_LT(candidates[0].hypothesis.confidence(), 0.5);
}

TEST_F(LogSignsTest, AFullDiskIsSeenAndARoomyOneSpeaksAgainst) {
  const std::string data = folder_ / "data";
  std::filesystem::create_directories(data);
  Usual("api");
  Log("api", absl::Minutes(1), fmt::format("ERROR [Errno 28] No space left on device: '{}/x'", data));
  const auto roomy = Analyze();
  ASSERT_EQ(roomy.size(), 1);
  ASSERT_EQ(roomy[0].hypothesis.tests_size(), 1);
  EXPECT_FALSE(roomy[0].hypothesis.tests(0).agrees());
  if (mount("tmpfs", data.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "mounting is not permitted here";
  std::ofstream(data + "/fill") << std::string(128 << 10, 'x');
  std::vector<Candidate> full;
  AnalyzeLogSigns(&scene_, &full);
  umount(data.c_str());
  ASSERT_EQ(full.size(), 1);
  EXPECT_TRUE(full[0].hypothesis.tests(0).agrees()) << full[0].hypothesis.tests(0).description();
  EXPECT_GT(full[0].hypothesis.confidence(), 0.8);
}

TEST_F(LogSignsTest, ANameThatNobodyKnowsIsFoundInTheConfiguration) {
  Usual("api");
  std::ofstream(folder_ / "api.json") << "{\n  \"payments\": \"http://payments.invalid:8080\"\n}\n";
  Find("api").add_config_files()->set_path(folder_ / "api.json");
  Log("api", absl::Minutes(1), "ERROR Error: getaddrinfo ENOTFOUND payments.invalid");
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1);
  const v1::Hypothesis& h = candidates[0].hypothesis;
  EXPECT_EQ(h.kind(), "dns.failure");
  EXPECT_EQ(h.location().line(), 2);
  ASSERT_EQ(h.tests_size(), 1);
  EXPECT_TRUE(h.tests(0).agrees());
}

}  // namespace
}  // namespace omnix
