#include "agents/sources/dev_proxy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/hash.h"

namespace omnix {
namespace {

class DevProxyTest : public testing::Test {
 protected:
  DevProxyTest() : folder_(testing::TempDir() + "proxy-" + RandomHex(6)) {
    std::filesystem::create_directories(folder_);
  }
  ~DevProxyTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<DevProxy> Read(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return ReadDevProxy({folder_ + "/" + name});
  }

  std::string folder_;
};

TEST_F(DevProxyTest, ViteObjectWithRewrite) {
  const auto proxy = Read("vite.config.js", R"(import { defineConfig } from 'vite';
export default defineConfig({
  server: {
    port: 5173,
    proxy: {
      '/api': { target: 'http://localhost:8080', changeOrigin: true, rewrite: (path) => path.replace(/^\/api/, '') },
      '/ws': { target: 'ws://localhost:9001', ws: true },
      '/plain': 'http://localhost:7000/base/',
      '^/(a|b)/': { target: process.env.T || `http://localhost:7001` },
    },
  },
});
)");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  ASSERT_EQ(proxy->entries.size(), 4u);
  EXPECT_EQ(proxy->tool, "vite");
  EXPECT_EQ(proxy->entries[0].rewrite.text, "path.replace(/^\\/api/, '')");
  EXPECT_EQ(proxy->entries[0].rewrite.location.line(), 6u);
  EXPECT_TRUE(proxy->entries[0].change_origin);
  EXPECT_TRUE(proxy->entries[1].websocket);
  const DevForward api = proxy->Forward("/api/products");
  EXPECT_TRUE(api.proxied && api.certain);
  EXPECT_EQ(api.target, "http://localhost:8080");
  EXPECT_EQ(api.path, "/products");
  EXPECT_EQ(proxy->Forward("/plain/x").path, "/base/plain/x");
  EXPECT_EQ(proxy->Forward("/b/x").target, "http://localhost:7001");
  EXPECT_FALSE(proxy->Forward("/products").proxied);
}

TEST_F(DevProxyTest, AngularsFileIsNothingButTheProxy) {
  auto proxy = Read("proxy.conf.json", R"({
  "/dev-api": {
    "target": "http://localhost:8080", "secure": false, "pathRewrite": { "^/dev-api": "/api/v2" }
  },
  "/live": { "target": "ws://localhost:8080", "ws": true }
})");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  ASSERT_EQ(proxy->entries.size(), 2u);
  EXPECT_EQ(proxy->tool, "angular");
  EXPECT_EQ(proxy->entries[0].key.location.line(), 2u);
  EXPECT_EQ(proxy->Forward("/dev-api/orders").path, "/api/v2/orders");
  proxy = Read("proxy.conf.js", R"(const PROXY_CONFIG = [
  { context: ['/api', '/auth'], target: 'http://localhost:8080', secure: false },
];
module.exports = PROXY_CONFIG;
)");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  EXPECT_TRUE(proxy->Forward("/auth/login").proxied);
  proxy = Read("proxy.config.js", "module.exports = { '/api': { target: 'http://localhost:8080' } };\n");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  EXPECT_TRUE(proxy->Forward("/api/x").proxied);
  EXPECT_FALSE(Read("package.json", R"({ "name": "/x", "scripts": { "start": "vite" }, "/y": "z" })").ok());
}

TEST_F(DevProxyTest, OneObjectForSeveralKeys) {
  const auto proxy = Read("vite.config.ts", R"(
const edge: ProxyOptions = { target: 'http://localhost:8080', changeOrigin: true };
export default defineConfig({ server: { proxy: { '/freight': edge, '/id': edge, '/ws': { ...edge, ws: true } } } });
)");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  ASSERT_EQ(proxy->entries.size(), 3u);
  for (const DevProxyEntry& entry : proxy->entries)
    EXPECT_EQ(entry.target.text, "http://localhost:8080") << entry.key.text;
  EXPECT_TRUE(proxy->entries[2].websocket);
  EXPECT_EQ(proxy->Forward("/freight/zones").path, "/freight/zones");
}

TEST_F(DevProxyTest, WebpackPathRewriteAndContext) {
  const auto proxy = Read("webpack.config.js", R"(module.exports = { devServer: { proxy: [
    { context: ['/auth', '/api'], target: 'http://localhost:3000', pathRewrite: { '^/api': '/v2' } } ] } };)");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  ASSERT_EQ(proxy->entries.size(), 2u);
  EXPECT_EQ(proxy->tool, "webpack");
  EXPECT_EQ(proxy->Forward("/api/x").path, "/v2/x");
  EXPECT_EQ(proxy->Forward("/auth/x").path, "/auth/x");
}

TEST_F(DevProxyTest, SetupProxyAndPackageJson) {
  const auto middleware = Read("setupProxy.js", R"(const { createProxyMiddleware } = require('http-proxy-middleware');
module.exports = app => { app.use('/api', createProxyMiddleware({ target: 'http://localhost:5000', changeOrigin: true })); };)");
  ASSERT_TRUE(middleware.ok()) << middleware.status();
  EXPECT_EQ(middleware->Forward("/api/x").target, "http://localhost:5000");
  const auto package = Read("package.json", R"({"name": "web", "proxy": "http://localhost:4000"})");
  ASSERT_TRUE(package.ok()) << package.status();
  EXPECT_EQ(package->Forward("/anything").path, "/anything");
  EXPECT_EQ(package->Forward("/anything").target, "http://localhost:4000");
}

TEST_F(DevProxyTest, RewritesThatAddAndThoseNotUnderstood) {
  const auto proxy =
      Read("vite.config.ts", R"(const proxy = { '/x': { target: 'http://h:1', rewrite: path => '/v1' + path },
    '/y': { target: 'http://h:1', rewrite(path) { return myOwn(path); } } };
  export default { server: { proxy: proxy } };)");
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  EXPECT_EQ(proxy->Forward("/x/a").path, "/v1/x/a");
  EXPECT_TRUE(proxy->Forward("/x/a").certain);
  EXPECT_FALSE(proxy->Forward("/y/a").certain);
}

TEST_F(DevProxyTest, Errors) {
  EXPECT_EQ(ReadDevProxy({folder_ + "/none"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Read("vite.config.js", "export default {}").status().code(), absl::StatusCode::kFailedPrecondition);
  // Half a file: whatever comes out, nothing breaks.
  const auto half = Read("odd.js", "proxy: { '/a': { rewrite: ");
  EXPECT_TRUE(half.ok() || half.status().code() == absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace omnix
