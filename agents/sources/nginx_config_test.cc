#include "agents/sources/nginx_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agents/sources/nginx_scopes.h"
#include "common/hash.h"
#include "fmt/format.h"

namespace omnix {
namespace {

using testing::ElementsAre;
using Kind = NginxRoute::Kind;

class NginxConfigTest : public testing::Test {
 protected:
  NginxConfigTest() : folder_(testing::TempDir() + "nginx-" + RandomHex(6)) {
    std::filesystem::create_directories(folder_ + "/conf.d");
  }
  ~NginxConfigTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  absl::StatusOr<NginxConfig> Read(const std::string& text) { return ReadNginxConfig(Write("nginx.conf", text)); }

  std::string folder_;
};

TEST_F(NginxConfigTest, IncludesMapsQuotesAndPositions) {
  Write("conf.d/a.conf", "server {\n  listen 8080;\n  location /a { return 204; }\n}\n");
  const auto config = Read(R"(# head
events { }
http {
  map $http_origin $cors { default ""; "https://shop.example" $http_origin; ~^https://a\.b$ 1; }
  log_format main '$remote_addr - "$request" ${status}x';
  include conf.d/*.conf;
}
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->files.size(), 2u);
  const NginxDirective& http = config->root.block[1];
  const NginxDirective& map = http.block[0];
  EXPECT_EQ(map.block[1].words[0].text, "https://shop.example");
  EXPECT_TRUE(map.block[1].words[0].quoted);
  EXPECT_EQ(map.block[1].words[0].location.line(), 4u);
  EXPECT_EQ(map.block[2].words[0].text, "~^https://a\\.b$");
  EXPECT_EQ(http.block[1].words[2].text, "$remote_addr - \"$request\" ${status}x");
  ASSERT_EQ(NginxServers(*config).size(), 1u);
  EXPECT_EQ(RouteRequest(*config, 8080, "", "/a").status, 204);
}

TEST_F(NginxConfigTest, LocationPrecedence) {
  const auto config = Read(R"(http { server { listen 80;
    location / { return 200; }
    location = /exact { return 201; }
    location /img/ { return 202; }
    location ^~ /img/raw/ { return 203; }
    location ~* \.(png|gif)$ { return 204; }
  } })");
  ASSERT_TRUE(config.ok()) << config.status();
  for (const auto& [path, status] : std::vector<std::pair<std::string, int>>{{"/x", 200},
                                                                             {"/exact", 201},
                                                                             {"/img/a", 202},
                                                                             {"/img/raw/a.png", 203},
                                                                             {"/img/a.PNG", 204},
                                                                             {"/exact/", 200}}) {
    EXPECT_EQ(RouteRequest(*config, 80, "", path).status, status) << path;
  }
}

TEST_F(NginxConfigTest, ProxyPassAndRewrite) {
  const auto config = Read(R"(http {
    upstream shop { server 127.0.0.1:9000; server 127.0.0.1:9001 backup; }
    server { listen 127.0.0.1:8080;
      location /keep/ { proxy_pass http://shop; }
      location /strip/ { proxy_pass http://127.0.0.1:9000/; }
      location /api/v2/ { rewrite ^/api/v2/(.*)$ /$1 break; proxy_pass http://shop; }
      location /old/ { rewrite ^/old/(.*)$ /keep/$1 last; }
      location /moved { rewrite ^ https://new.example/ permanent; }
    } })");
  ASSERT_TRUE(config.ok()) << config.status();
  const NginxRoute keep = RouteRequest(*config, 8080, "", "/keep/a?b=1");
  EXPECT_EQ(keep.kind, Kind::kProxy);
  EXPECT_EQ(keep.upstream_path, "/keep/a");
  EXPECT_THAT(keep.addresses, ElementsAre("127.0.0.1:9000")) << "the other one is a backup";
  EXPECT_EQ(RouteRequest(*config, 8080, "", "/strip/a").upstream_path, "/a");
  EXPECT_EQ(RouteRequest(*config, 8080, "", "/api/v2/a").upstream_path, "/a");
  EXPECT_EQ(RouteRequest(*config, 8080, "", "/old/a").upstream_path, "/keep/a");
  EXPECT_EQ(RouteRequest(*config, 8080, "", "/moved").status, 301);
  EXPECT_EQ(RouteRequest(*config, 8080, "", "/none").kind, Kind::kStatic);
  EXPECT_EQ(RouteRequest(*config, 9999, "", "/none").kind, Kind::kNone);
}

TEST_F(NginxConfigTest, ServersByNameAndDefault) {
  const auto config = Read(R"(http { server { listen 80; server_name a.example; return 201; }
    server { listen 80 default_server; return 202; } server { listen 80; server_name *.b.example; return 203; } })");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(RouteRequest(*config, 80, "a.example", "/").status, 201);
  EXPECT_EQ(RouteRequest(*config, 80, "zzz", "/").status, 202);
  EXPECT_EQ(RouteRequest(*config, 80, "x.b.example", "/").status, 203);
}

TEST_F(NginxConfigTest, DirectivesInEffectAreThoseOfTheNearestBlock) {
  Write("conf.d/limits.conf", "client_max_body_size 8m;\n");
  const auto config = Read(R"(events { }
http {
  client_max_body_size 1m;
  proxy_read_timeout 30s;
  proxy_set_header Host $host;
  server {
    include conf.d/limits.conf;
    proxy_set_header Upgrade $http_upgrade;
    location /a/ {
      proxy_read_timeout 5s;
      location /a/b/ { proxy_set_header X-Id 1; client_max_body_size 2m; }
    }
    location /c/ { }
  }
}
)");
  ASSERT_TRUE(config.ok()) << config.status();
  const auto at = [&](const std::string& path) { return RouteRequest(*config, 0, "", path).location; };
  const auto value = [&](const std::string& path, const char* name) {
    const NginxDirective* found = DirectiveInEffect(*config, at(path), name);
    return found == nullptr ? "" : found->Argument(1);
  };
  EXPECT_EQ(value("/a/b/x", "client_max_body_size"), "2m");
  EXPECT_EQ(value("/a/x", "client_max_body_size"), "8m");
  EXPECT_EQ(value("/a/b/x", "proxy_read_timeout"), "5s");
  EXPECT_EQ(value("/c/x", "proxy_read_timeout"), "30s");
  EXPECT_EQ(value("/c/x", "proxy_buffering"), "");
  // One header of its own, and the inherited ones are lost.
  EXPECT_NE(ProxyHeaderInEffect(*config, at("/c/x"), "upgrade"), nullptr);
  EXPECT_EQ(ProxyHeaderInEffect(*config, at("/c/x"), "Host"), nullptr);
  EXPECT_EQ(ProxyHeaderInEffect(*config, at("/a/b/x"), "Upgrade"), nullptr);
  EXPECT_NE(ProxyHeaderInEffect(*config, at("/a/b/x"), "X-ID"), nullptr);
}

TEST_F(NginxConfigTest, VariablesWithAFixedValueAreTargets) {
  const auto config = Read(R"(server {
  set $shop shop.internal;
  location /a/ { set $port 8080; proxy_pass http://$shop:$port; }
  location /b/ { proxy_pass http://$shop_old; }
  location /c/ { set $shop $arg_x; proxy_pass http://$shop; }
}
)");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(RouteRequest(*config, 0, "", "/a/x").addresses, ElementsAre("shop.internal:8080"));
  EXPECT_THAT(RouteRequest(*config, 0, "", "/b/x").addresses, ElementsAre("$shop_old"));
}

TEST_F(NginxConfigTest, TryFilesGoesOnWhereNoFileIs) {
  std::filesystem::create_directories(folder_ + "/www");
  Write("www/robots.txt", "");
  const auto config = Read(fmt::format(R"(server {{
  root {}/www;
  location /rest/ {{ limit_req zone=a; try_files /closed.json @backend; }}
  location @backend {{ rewrite ^/rest/(.*)$ /svc/$1 break; proxy_pass http://127.0.0.1:9000; }}
  location /app/ {{ try_files $uri $uri/ /front.php?$args; }}
  location ~ \.php$ {{ fastcgi_pass 127.0.0.1:9001; }}
  location /lost/ {{ try_files $uri @nowhere; }}
  location / {{ try_files $uri =404; }}
  location = /robots.txt {{ try_files $uri @backend; }}
}})",
                                       folder_));
  ASSERT_TRUE(config.ok()) << config.status();
  const NginxRoute named = RouteRequest(*config, 0, "", "/rest/orders");
  EXPECT_EQ(named.kind, NginxRoute::Kind::kProxy);
  EXPECT_EQ(named.upstream_path, "/svc/orders");
  EXPECT_THAT(named.addresses, ElementsAre("127.0.0.1:9000"));
  ASSERT_EQ(named.passed.size(), 1u);
  EXPECT_EQ(named.passed[0]->Argument(1), "/rest/");
  EXPECT_THAT(RouteRequest(*config, 0, "", "/app/x").addresses, ElementsAre("127.0.0.1:9001"));
  for (const char* path : {"/lost/x", "/x", "/robots.txt"})
    EXPECT_EQ(RouteRequest(*config, 0, "", path).kind, NginxRoute::Kind::kStatic) << path;
}

TEST_F(NginxConfigTest, TryFilesOfAServerIsForWhatNoLocationTakes) {
  std::filesystem::create_directories(folder_ + "/www/docs");
  const auto config = Read(fmt::format(R"(server {{
  root {}/www;
  try_files $uri @app;
  location /api/ {{ proxy_pass http://127.0.0.1:9000; }}
  location @app {{ proxy_pass http://127.0.0.1:9001; }}
}})",
                                       folder_));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(RouteRequest(*config, 0, "", "/api/x").addresses, ElementsAre("127.0.0.1:9000"));
  EXPECT_THAT(RouteRequest(*config, 0, "", "/x").addresses, ElementsAre("127.0.0.1:9001"));
  for (const char* folder : {"/", "/docs/"})
    EXPECT_THAT(RouteRequest(*config, 0, "", folder).addresses, ElementsAre("127.0.0.1:9001")) << "$uri is no folder";
}

TEST_F(NginxConfigTest, RegularExpressionsWithNamesAndVariablesThatAMapGives) {
  const auto config = Read(R"(http {
  map $http_x_canary $pool { default shop; yes canary; }
  upstream shop { server 10.0.0.1:80; server 10.0.0.2:80 backup; }
  server {
    location ~ ^/(?<module>orders|rooms)(?<rest>/.*)?$ { proxy_pass http://$pool/svc/$module${rest}$is_args$args; }
    location ~* ^/(docs|files)/ { proxy_pass http://static.internal/$1/v2; }
    location ~ ^/live { proxy_pass http://$http_x_host; }
    location / { return 404; }
  }
})");
  ASSERT_TRUE(config.ok()) << config.status();
  const NginxRoute named = RouteRequest(*config, 0, "", "/orders/7?x=1");
  EXPECT_EQ(named.kind, NginxRoute::Kind::kProxy);
  EXPECT_THAT(named.addresses, ElementsAre("10.0.0.1:80")) << "the other one is a backup";
  EXPECT_EQ(named.upstream_path, "/svc/orders/7");
  const NginxRoute numbered = RouteRequest(*config, 0, "", "/Docs/x");
  EXPECT_EQ(numbered.upstream_path, "/Docs/v2");
  EXPECT_THAT(numbered.addresses, ElementsAre("static.internal"));
  EXPECT_EQ(RouteRequest(*config, 0, "", "/live").upstream, "http://$http_x_host");
  EXPECT_EQ(RouteRequest(*config, 0, "", "/ordersx").kind, NginxRoute::Kind::kReturn);
}

TEST_F(NginxConfigTest, ErrorsSayWhere) {
  EXPECT_THAT(std::string(Read("http {\n  server { listen 80 }\n}").status().message()),
              testing::HasSubstr("nginx.conf:2:22: unexpected '}'"));
  EXPECT_THAT(std::string(Read("http {").status().message()), testing::HasSubstr("expecting '}'"));
  EXPECT_THAT(std::string(Read("a 'b").status().message()), testing::HasSubstr("does not end"));
  EXPECT_FALSE(Read("}").ok());
  EXPECT_FALSE(Read("include nginx.conf;").ok());
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "a{";
  EXPECT_FALSE(Read(deep).ok());
}

}  // namespace
}  // namespace omnix
