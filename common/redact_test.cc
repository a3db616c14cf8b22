#include "common/redact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Built from parts, so that no scanner takes this file for a leak.
const std::string kSecret = std::string("s3cr3t-") + "V4lue.42";
const std::string kJwt = std::string("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9") +
                         ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

struct Shape {
  std::string text;
  std::string wanted;
};

TEST(RedactTest, HidesSecretsInEveryShape) {
  const std::string s = kSecret;
  const std::vector<Shape> shapes = {
      // JSON
      {R"({"password":")" + s + R"(","user":"bob"})", R"({"password":"[redacted]","user":"bob"})"},
      {R"({ "api_key" : ")" + s + R"(" })", R"({ "api_key" : "[redacted]" })"},
      {R"({"routing_key":")" + s + R"("})", R"({"routing_key":"[redacted]"})"},
      {R"({"clientSecret":"a\"b)" + s + R"(","n":1})", R"({"clientSecret":"[redacted]","n":1})"},
      {R"("{\"token\":\")" + s + R"(\",\"a\":1}")", R"("{\"token\":\"[redacted]\",\"a\":1}")"},
      {R"({"password": 123456, "a": 1})", R"({"password": [redacted], "a": 1})"},
      // YAML
      {"db:\n  password: " + s + "\n  host: x\n", "db:\n  password: [redacted]\n  host: x\n"},
      {"password: two words " + s + " # comment\n", "password: [redacted] # comment\n"},
      {"- secret: '" + s + "'\n", "- secret: '[redacted]'\n"},
      {"private_key: |\n  line one\n  line two\nnext: 1\n", "private_key: |\n[redacted]\nnext: 1\n"},
      // env, shell, INI
      {"DB_PASSWORD=" + s + "\r\nPORT=80\r\n", "DB_PASSWORD=[redacted]\r\nPORT=80\r\n"},
      {"export AWS_SECRET_ACCESS_KEY=\"" + s + "\"", "export AWS_SECRET_ACCESS_KEY=\"[redacted]\""},
      {"PGPASSWORD=" + s + " psql -h db", "PGPASSWORD=[redacted]"},
      {"  passwd = " + s + "\n", "  passwd = [redacted]\n"},
      {"level=info token=" + s + " user=bob", "level=info token=[redacted] user=bob"},
      {"mysqldump --password " + s + " --host db", "mysqldump --password [redacted] --host db"},
      {"curl --token=" + s + " x", "curl --token=[redacted] x"},
      // URLs
      {"GET /login?user=bob&access_token=" + s + "&x=1 HTTP/1.1",
       "GET /login?user=bob&access_token=[redacted]&x=1 HTTP/1.1"},
      {"postgres://bob:" + s + "@db:5432/shop", "postgres://bob:[redacted]@db:5432/shop"},
      {"redis://:" + s + "@cache:6379", "redis://:[redacted]@cache:6379"},
      {"https://abcdefghij0123456789@git.example/x.git", "https://[redacted]@git.example/x.git"},
      // headers
      {"Authorization: Bearer " + s + "\r\nHost: a\r\n", "Authorization: [redacted]\r\nHost: a\r\n"},
      {"authorization: Basic Ym9iOnB3\n", "authorization: [redacted]\n"},
      {"Cookie: sid=1; theme=dark\nAccept: */*", "Cookie: [redacted]\nAccept: */*"},
      {"Set-Cookie: sid=abc; HttpOnly", "Set-Cookie: [redacted]"},
      {"X-Api-Key: " + s, "X-Api-Key: [redacted]"},
      {"Authorization: Digest username=\"bob\", response=\"" + s + "\"\nA: b", "Authorization: [redacted]\nA: b"},
      {"curl -H 'Authorization: token " + s + "' https://a.example",
       "curl -H 'Authorization: [redacted]' https://a.example"},
      {"sent Bearer abcDEF0123456789 upstream", "sent Bearer [redacted] upstream"},
      {"sent Basic dXNlcjpwYXNzd29yZA== upstream", "sent Basic [redacted] upstream"},
      // connection strings
      {"Server=db;User Id=sa;Password=" + s + ";Encrypt=true", "Server=db;User Id=sa;Password=[redacted];Encrypt=true"},
      {"host=db user=shop password=" + s + " dbname=x", "host=db user=shop password=[redacted] dbname=x"},
      {"AccountName=a;AccountKey=" + s + "==;EndpointSuffix=b", "AccountName=a;AccountKey=[redacted];EndpointSuffix=b"},
      // tokens that say what they are
      {"session " + kJwt + " ended", "session [redacted] ended"},
      {"eyJ0eXAiOi" + std::string(".x"), "[redacted]"},
      {"a-eyJ0eXAiOi" + std::string(".x-----"), "a-[redacted]"},
      {"key AKIA" + std::string("IOSFODNN7EXAMPLE") + " used", "key [redacted] used"},
      {"ghp_" + std::string("0123456789abcdefABCDEF0123456789abcd"), "[redacted]"},
      {"(xoxb-" + std::string("123456789012-abcdefGHIJ") + ")", "([redacted])"},
      {"sk-" + std::string("proj-0123456789abcdefABCD"), "[redacted]"},
      {"glpat-" + std::string("0123456789abcdefABCD"), "[redacted]"},
      {"AIza" + std::string("SyA0123456789abcdefABCDEF0123456789"), "[redacted]"},
      // others
      {"<password>" + s + "</password>", "<password>[redacted]</password>"},
      {"ALTER USER shop PASSWORD '" + s + "';", "ALTER USER shop PASSWORD '[redacted]';"},
      {"requirepass " + s + "\n", "requirepass [redacted]\n"},
      {"const apiKey = '" + s + "';", "const apiKey = '[redacted]';"},
      {"config[\"secret\"] = \"" + s + "\"", "config[\"secret\"] = \"[redacted]\""},
      {":password => '" + s + "',", ":password => '[redacted]',"},
      {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nafter",
       "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nafter"},
      {"k\\n-----BEGIN PRIVATE KEY-----\\nMIIE (cut off", "k\\n-----BEGIN PRIVATE KEY-----[redacted]"},
  };
  EXPECT_GE(shapes.size(), 30u);
  for (const Shape& shape : shapes) {
    EXPECT_EQ(Redact(shape.text), shape.wanted);
    EXPECT_THAT(Redact(shape.text), Not(HasSubstr(kSecret)));
    EXPECT_EQ(Redact(Redact(shape.text)), shape.wanted) << "a second pass must change nothing";
    const std::string inside = "before\n" + shape.text + "\nafter";
    EXPECT_THAT(Redact(inside), Not(HasSubstr(kSecret)));
    EXPECT_EQ(Redact(inside).substr(0, 7), "before\n");
  }
}

TEST(RedactTest, LeavesInnocentTextAlone) {
  const std::vector<std::string> innocents = {
      "",
      "plain prose about passwords, tokens and secrets.",
      "The token expired; the password was changed: ask bob.",
      "bearer authentication is required, basic authentication is off",
      "SyntaxError: Unexpected token < in JSON at position 0",
      "GET /v1/products?page=2&sort=name HTTP/1.1\" 404 153",
      "proxy_set_header Authorization $http_authorization;",
      "proxy_cookie_path / \"/; HttpOnly\";",
      "add_header Access-Control-Allow-Origin $cors_origin always;",
      "max_tokens: 4096\ntoken_count=12\npassword_min_length: 8\n",
      "secretary: Bob\ntokenizer: bpe\ncompass: north\nbypass = 1\n",
      "{\"password\": null, \"token\": \"\", \"cookie\": false}",
      "password: ${DB_PASSWORD}\nsecret: {{ .Values.secret }}\n",
      "const token = getToken();\nif (token == null || token === x) return;",
      "const key = process.env.API_KEY; const token = process.env.TOKEN",
      "https://shop.example:8443/a/b?c=d#e",
      "mail bob@shop.example, http://a.example/@bob/x:y",
      "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
      "2025-09-04T07:14:03.250Z error gateway: upstream 127.0.0.1:8080 refused",
      "sk-SK locale, task-runner-9000, ghp_short, AKIA too short, eyJ.no",
      "interface Login { password: string; token: string }",
      "std::token::x, a::secret::b",
      "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "key: value\nprimary_key: id\nforeign key: 3\nkeyboard: us\n",
      std::string("nul \0 and \xff bytes \xc3", sizeof("nul \0 and \xff bytes \xc3") - 1),
      "\xEF\xBB\xBF{\"a\": 1}\r\n\tb\r\n",
  };
  for (const std::string& text : innocents) EXPECT_EQ(Redact(text), text);
}

double SecondsFor(const std::string& text) {
  const auto start = std::chrono::steady_clock::now();
  const std::string out = Redact(text);
  EXPECT_FALSE(out.empty());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string Repeated(const std::string& piece, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

TEST(RedactTest, AMebibyteOfAnythingIsQuick) {
  constexpr size_t kMebibyte = 1 << 20;
  constexpr size_t kHostileBytes = kMebibyte / 4;
  constexpr double kMaxSeconds = 3;  // quadratic time would take minutes; a sanitizer build takes some tenths
  for (const char* piece : {"a",
                            " ",
                            "\n",
                            "-",
                            "\"",
                            "\\",
                            "password",
                            "password=",
                            "password:|",
                            "password=\"${",
                            "password: 'x",
                            "token=f(",
                            "cookie:${",
                            "sk-",
                            "eyJ-",
                            "eyJa.",
                            "://",
                            "a:b@",
                            "://a:b",
                            "-----BEGIN ",
                            "-----BEGIN PRIVATE KEY-----x",
                            "<password>",
                            "Bearer ",
                            "basic x ",
                            "  password: |\n",
                            "\\\"",
                            "--password ",
                            "a_b-c.d ",
                            "token:\\\\\\\\",
                            "GET /v1/products?token=abc&x=1 HTTP/1.1 200 12 \"Mozilla/5.0\"\n"}) {
    EXPECT_LT(SecondsFor(Repeated(piece, kHostileBytes)), kMaxSeconds) << piece;
    EXPECT_LT(SecondsFor(std::string(kHostileBytes, ' ') + Repeated(piece, kHostileBytes / 4)), kMaxSeconds) << piece;
  }
  const std::string line = "GET /v1/products?token=abc&x=1 HTTP/1.1 200 12 \"Mozilla/5.0\"\n";
  EXPECT_LT(SecondsFor(Repeated(line, kMebibyte)), kMaxSeconds);
}

TEST(RedactTest, EveryPrefixOfASecretTextIsHandled) {
  const std::string text =
      "Authorization: Bearer x\npassword=\"a\\\"b\" https://u:p@h " + kJwt + " -----BEGIN PRIVATE KEY-----\nx";
  for (size_t n = 0; n <= text.size(); ++n) Redact(std::string_view(text).substr(0, n));
  for (size_t n = 0; n <= text.size(); ++n) Redact(std::string_view(text).substr(n));
}

TEST(ExcerptTest, IsRedactedAndShort) {
  EXPECT_EQ(Excerpt("password=abc1234"), "password=[redacted]");
  EXPECT_EQ(Excerpt("short", 5), "short");
  EXPECT_EQ(Excerpt("longer text", 10), "longer ...");
  EXPECT_EQ(Excerpt("longer text", 2), "..");
  EXPECT_EQ(Excerpt("longer text", 0), "");
  EXPECT_EQ(Excerpt(std::string(5000, 'x')).size(), 2048u);
}

TEST(ExcerptTest, IsCutAtACharacter) {
  const std::string euros = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC";
  EXPECT_EQ(Excerpt(euros, 12), euros);
  EXPECT_EQ(Excerpt(euros, 11), "\xE2\x82\xAC\xE2\x82\xAC...");
  EXPECT_EQ(Excerpt(euros, 8), "\xE2\x82\xAC...");
}

TEST(ExcerptTest, IsValidUtf8) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(Excerpt("a\xff"
                    "b"),
            "a" + bad + "b");
  EXPECT_EQ(Excerpt("\xc3"), bad);
  EXPECT_EQ(Excerpt("\xC0\xAF"), bad + bad) << "overlong";
  EXPECT_EQ(Excerpt("\xED\xA0\x80"), bad + bad + bad) << "surrogate";
  EXPECT_EQ(Excerpt("\xF5\x80\x80\x80"), bad + bad + bad + bad) << "beyond U+10FFFF";
  EXPECT_EQ(Excerpt("\xF0\x9F\x98\x80"), "\xF0\x9F\x98\x80");
}

}  // namespace
}  // namespace omnix
