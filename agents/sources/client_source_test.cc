#include "agents/sources/client_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/hash.h"

namespace omnix {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ClientSourceTest : public testing::Test {
 protected:
  ClientSourceTest() : folder_(testing::TempDir() + "client-" + RandomHex(6)) {
    std::filesystem::create_directories(folder_);
  }
  ~ClientSourceTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name) << text;
    client_.add_files(folder_ + "/" + name);
  }

  ClientCalls Read() {
    absl::StatusOr<ClientCalls> calls = ReadClientCalls(client_);
    EXPECT_TRUE(calls.ok()) << calls.status();
    return calls.ok() ? *calls : ClientCalls();
  }

  std::vector<std::string> Paths() {
    std::vector<std::string> paths;
    for (const ClientCall& call : Read().calls)
      paths.push_back((call.websocket ? "WS" : call.method) + " " + call.path);
    return paths;
  }

  std::string folder_;
  v1::Client client_;
};

TEST_F(ClientSourceTest, WhatIsTakenOutOfAConfigurationObject) {
  Write("config.js", "window.__CONFIG__ = { apiRoot: 'https://api.example/rest', apiVersion: '2023-11' };\n");
  Write("client.js",
        "const { apiRoot: root, apiVersion, other = {} } = window.__CONFIG__;\n"
        "const base = import.meta.env.DEV ? '/bff' : root;\n"
        "export const client = axios.create({ baseURL: `${base}/${apiVersion}` });\n");
  Write("calls.js", "import { client } from './client';\nexport const list = () => client.get('/items');\n");
  EXPECT_THAT(Paths(), ElementsAre("GET /rest/2023-11/items"));
  const auto development = ReadDevelopmentCalls(client_);
  ASSERT_TRUE(development.ok());
  EXPECT_EQ(development->calls.at(0).path, "/bff/2023-11/items");
}

TEST_F(ClientSourceTest, AFileThatEndsWithinAPatternTellsNothing) {
  for (const char* text : {"const {", "const { a", "const { a:", "let { a, b: c", "var { a = {"}) {
    Write("cut.js", text);
    EXPECT_THAT(Paths(), IsEmpty()) << text;
  }
}

TEST_F(ClientSourceTest, NothingIsSaidOfPathsBehindABaseThatIsComputed) {
  Write("client.js",
        "const version = localStorage.getItem('version');\n"
        "const client = axios.create({ baseURL: `/api/${version}` });\n"
        "client.get('/items');\nfetch('/health');\n");
  EXPECT_THAT(Paths(), ElementsAre("GET /health"));
  EXPECT_EQ(Read().unknown_calls, 1u);
}

TEST_F(ClientSourceTest, AGeneratedClientAndAnAddressForASocket) {
  Write("index.ts", "OpenAPI.BASE = process.env.REACT_APP_API_ROOT + '/v1';\n");
  Write("live.ts",
        "const address = new URL(OpenAPI.BASE + '/live', window.location.href);\n"
        "address.protocol = 'ws:';\nconst socket = new WebSocket(address);\n");
  Write(
      "service.ts",
      "class Service {\n  static list() { return __request(OpenAPI, { method: 'GET', url: '/events' }); }\n"
      "  static drop(id) { return __request(OpenAPI, { method: 'DELETE', url: '/events/{id}', path: { id } }); }\n}\n");
  Write(".env.production", "REACT_APP_API_ROOT=/api\n");
  EXPECT_THAT(Paths(), UnorderedElementsAre("WS /api/v1/live", "GET /api/v1/events", "DELETE /api/v1/events/1"));
}

// Bundlers read them whether the model lists them or not.
TEST_F(ClientSourceTest, EnvFilesBesideThePackageAreRead) {
  Write("src/api.js", "export const list = () => fetch(`${process.env.API_ROOT}/list`);\n");
  std::ofstream(folder_ + "/package.json") << "{}";
  std::ofstream(folder_ + "/.env") << "API_ROOT=/api\n";
  std::ofstream(folder_ + "/.env.development") << "API_ROOT=/dev\n";
  EXPECT_THAT(Paths(), ElementsAre("GET /api/list"));
  const auto development = ReadDevelopmentCalls(client_);
  ASSERT_TRUE(development.ok()) << development.status();
  ASSERT_EQ(development->calls.size(), 1u);
  EXPECT_EQ(development->calls[0].path, "/dev/list");
}

TEST_F(ClientSourceTest, WhatDevelopmentPutsBeforeAPathMayBeUnknown) {
  Write("api.js", "fetch(`${process.env.API_ROOT}/list`);\nfetch('/health');\n");
  Write(".env.production", "API_ROOT=/api\n");
  EXPECT_THAT(Paths(), ElementsAre("GET /api/list", "GET /health"));
  const auto development = ReadDevelopmentCalls(client_);
  ASSERT_TRUE(development.ok()) << development.status();
  ASSERT_EQ(development->calls.size(), 1u) << "of the other nothing can be said";
  EXPECT_EQ(development->calls[0].path, "/health");
}

TEST_F(ClientSourceTest, ConstantAndWrapper) {
  Write("httpClient.js", R"(
const BASE_URL = '/v1';

async function request(path, options = {}) {
  const response = await fetch(`${BASE_URL}${path}`, options);
  return response.json();
}
export const getProducts = () => request('/products');
export const order = (id) => request(`/orders/${id}`, { method: 'DELETE' });
export const login = (user) => request('/auth/login', { method: 'POST', body: JSON.stringify(user) });
)");
  const ClientCalls calls = Read();
  ASSERT_EQ(calls.bases.size(), 1u);
  EXPECT_EQ(calls.bases[0].text, "/v1");
  EXPECT_EQ(calls.bases[0].location.line(), 2u);
  EXPECT_EQ(calls.bases[0].location.column(), 19u);
  EXPECT_EQ(calls.bases[0].line_text, "const BASE_URL = '/v1';");
  EXPECT_EQ(calls.base_path, "/v1");
  EXPECT_THAT(Paths(), ElementsAre("GET /v1/products", "DELETE /v1/orders/1", "POST /v1/auth/login"));
  EXPECT_EQ(calls.calls[0].literal.text, "/products");
  EXPECT_EQ(calls.calls[0].literal.location.line(), 8u);
  EXPECT_TRUE(calls.calls[1].has_template);
}

TEST_F(ClientSourceTest, OriginTemplateAndInlineBase) {
  Write("api.ts", R"(
const API_BASE = `${window.location.origin}/api/v2`;
export const a = () => fetch(`${API_BASE}/users/${id}/posts`);
export const b = () => fetch(API_BASE + '/orders', { method: "PUT" });
)");
  EXPECT_THAT(Paths(), ElementsAre("GET /api/v2/users/1/posts", "PUT /api/v2/orders"));
  const ClientCalls calls = Read();
  ASSERT_EQ(calls.bases.size(), 1u);
  EXPECT_EQ(calls.bases[0].text, "/api/v2");
  EXPECT_EQ(calls.base_path, "/api/v2");
}

TEST_F(ClientSourceTest, EnvironmentWithFallback) {
  Write("api.js", R"(
const base = process.env.REACT_APP_API || 'http://localhost:8080/v3';
const http = axios.create({ baseURL: base, timeout: 1000 });
http.get('/items'); http.post('/items', {}); http.delete(`/items/${i}`);
)");
  EXPECT_THAT(Paths(), ElementsAre("GET /v3/items", "POST /v3/items", "DELETE /v3/items/1"));
  EXPECT_EQ(Read().bases[0].text, "http://localhost:8080/v3");
}

TEST_F(ClientSourceTest, ViteEnvironmentFile) {
  Write(".env.production", "# comment\nVITE_API_BASE=\"/rest\"\n");
  Write("http.ts",
        "const BASE: string = import.meta.env.VITE_API_BASE ?? '/v1';\nexport const list = () => "
        "fetch(`${BASE}/list`);\n");
  EXPECT_THAT(Paths(), ElementsAre("GET /rest/list"));
  const ClientCalls calls = Read();
  EXPECT_TRUE(calls.bases[0].location.file().ends_with(".env.production"));
  EXPECT_EQ(calls.bases[0].location.line(), 2u);
}

TEST_F(ClientSourceTest, ClassWithBaseUrl) {
  Write("client.ts", R"(
export class ApiClient {
  private readonly baseUrl: string;
  constructor(baseUrl = '/svc') { this.baseUrl = baseUrl; }
  private async send<T>(path: string, init?: RequestInit): Promise<T> {
    const res = await fetch(`${this.baseUrl}${path}`, init);
    return res.json() as T;
  }
  get(path: string) { return this.send(path); }
  users() { return this.get('/users'); }
  create(u: User) { return this.send<User>('/users', { method: 'POST', body: u }); }
}
)");
  EXPECT_THAT(Paths(), ElementsAre("GET /svc/users", "POST /svc/users"));
}

constexpr char kWrapper[] = R"(
export class HttpClient {
  constructor(private readonly base: string, private readonly timeout = 3) {}
  get<T>(path: string): Promise<T> { return this.send<T>('GET', path); }
  post<T>(path: string, body: unknown): Promise<T> { return this.send<T>('POST', path, JSON.stringify(body)); }
  private async send<T>(method: string, path: string, body?: string): Promise<T> {
    const response = await fetch(this.base + path, { method, body });
    return (await response.json()) as T;
  }
}
)";

TEST_F(ClientSourceTest, WrappersAreGivenTheirBases) {
  Write("http.ts", kWrapper);
  Write("config.ts", R"(
export const bases: Bases = {
  orders: import.meta.env.VITE_ORDERS ?? '/orders',
  people: '/people',
};
)");
  Write("orders.ts", R"(
const http = new HttpClient(bases.orders);
export const open = () => http.get<Order[]>('/open');
export const order = (id: number) => http.post<{ id: number }>('/open', { id });
)");
  Write("people.ts",
        "const http: HttpClient = new HttpClient(bases.people);\nexport const me = () => http.get('/me');");
  Write("items.ts", R"(
class Items extends HttpClient {
  constructor() { super('/items'); }
  all() { return this.get('/all'); }
}
)");
  EXPECT_THAT(Paths(),
              UnorderedElementsAre("GET /orders/open", "POST /orders/open", "GET /people/me", "GET /items/all"));
}

TEST_F(ClientSourceTest, WrapperWithOptionsAndFunctionsThatMakeClients) {
  Write("a.js", R"(
class Api {
  constructor(options) { this.root = options.root; }
  get(path) { return fetch(`${this.root}${path}`); }
}
const items = new Api({ timeout: 3, root: '/items' });
items.get('/all');
)");
  Write("b.js", R"(
const makeClient = ({ base }) => {
  return { get: (path) => fetch(base + path) };
};
const people = makeClient({ base: '/people' });
people.get('/me');
)");
  EXPECT_THAT(Paths(), UnorderedElementsAre("GET /items/all", "GET /people/me"));
}

// Better no call than one to a path that nobody asks for.
TEST_F(ClientSourceTest, CallsOfAWrapperWhoseBaseIsNotKnownAreNoCalls) {
  Write("http.ts", kWrapper);
  Write("use.ts", "const http = new HttpClient(readBase());\nexport const me = () => http.get('/me');");
  Write("given.ts", "export function load(client: HttpClient) { return client.get('/given'); }");
  EXPECT_THAT(Paths(), IsEmpty());
}

// The base of a choice by the build is that of the build that is read.
TEST_F(ClientSourceTest, AChoiceByTheBuild) {
  for (const std::string condition :
       {"location.hostname === 'localhost'", "process.env.NODE_ENV !== 'production'", "import.meta.env.DEV", "!isProd",
        "host === 'localhost' || host === '127.0.0.1'", "__DEV__", "process.env.NODE_ENV === \"development\""}) {
    client_.clear_files();
    Write("config.js", "window.shop = { api: { host: " + condition + " ? '/backend' : 'https://api.example/v2' } };");
    Write("http.js",
          "const http = axios.create({ baseURL: window.shop.api.host });\n"
          "export const all = () => http.get('/doctors');\n");
    EXPECT_THAT(Paths(), ElementsAre("GET /v2/doctors")) << condition;
    const auto development = ReadClientCalls(client_, ClientBuild::kDevelopment);
    ASSERT_TRUE(development.ok()) << development.status();
    ASSERT_EQ(development->calls.size(), 1u) << condition;
    EXPECT_EQ(development->calls[0].path, "/backend/doctors") << condition;
  }
}

TEST_F(ClientSourceTest, CallsToAHostThatIsWrittenOut) {
  Write("http.js", R"(
const http = axios.create({ baseURL: 'https://api.example/v2' });
export const all = () => http.get('/doctors');
new WebSocket('wss://api.example/feed');
new WebSocket(`wss://${location.host}/own`);
fetch('/local');
)");
  std::map<std::string, bool> absolute;
  for (const ClientCall& call : Read().calls) absolute[call.path] = call.absolute;
  EXPECT_EQ(absolute,
            (std::map<std::string, bool>{{"/v2/doctors", false}, {"/feed", true}, {"/own", false}, {"/local", false}}));
}

TEST_F(ClientSourceTest, AChoiceByTheBuildTheOtherWayRound) {
  for (const std::string condition : {"process.env.NODE_ENV === 'production'", "!__DEV__", "hostname != 'localhost'"}) {
    client_.clear_files();
    Write("http.js", "const base = " + condition + " ? '/api' : '/backend';\nfetch(`${base}/doctors`);\n");
    EXPECT_THAT(Paths(), ElementsAre("GET /api/doctors")) << condition;
  }
}

TEST_F(ClientSourceTest, DevelopmentReadsItsOwnEnvironment) {
  Write("api.ts",
        "const BASE_URL = import.meta.env.VITE_BASE ?? '/v1';\nexport const me = () => fetch(`${BASE_URL}/me`);");
  Write(".env.production", "VITE_BASE=/v2\n");
  EXPECT_THAT(Paths(), ElementsAre("GET /v2/me"));
  const auto calls = ReadClientCalls(client_, ClientBuild::kDevelopment);
  ASSERT_TRUE(calls.ok()) << calls.status();
  ASSERT_EQ(calls->calls.size(), 1u);
  EXPECT_EQ(calls->calls[0].path, "/v1/me");
}

TEST_F(ClientSourceTest, InlinePrefixNeedsNoBase) {
  Write("a.js", "fetch('/v1/products');\naxios.post('/v1/orders');\n$.get('/v1/x');\n");
  const ClientCalls calls = Read();
  EXPECT_THAT(calls.bases, IsEmpty());
  EXPECT_EQ(calls.base_path, "");
  EXPECT_THAT(Paths(), ElementsAre("GET /v1/products", "POST /v1/orders", "GET /v1/x"));
}

TEST_F(ClientSourceTest, WebSocketShapes) {
  Write("ws.js", R"(
const proto = location.protocol === 'https:' ? 'wss:' : 'ws:';
const a = new WebSocket(`${proto}//${location.host}/ws/orders`);
const b = new WebSocket('ws://localhost:9000/live');
const WS_BASE = 'wss://shop.example/v1';
const c = new WebSocket(`${WS_BASE}/events`);
)");
  EXPECT_THAT(Paths(), UnorderedElementsAre("WS /ws/orders", "WS /live", "WS /v1/events"));
}

// What a socket uses is no path of the table that hangs below a base.
TEST_F(ClientSourceTest, SocketPathOfATypedTable) {
  Write("config.ts", "export const endpoints: Endpoints = { orders: '/orders', events: '/ws/events' };");
  Write("use.ts", R"(
class Http { constructor(private base: string) {} get(path: string) { return fetch(this.base + path); } }
const orders = new Http(endpoints.orders);
orders.get('/open');
const socket = new WebSocket(`${scheme}://${location.host}${endpoints.events}`);
)");
  EXPECT_THAT(Paths(), UnorderedElementsAre("GET /orders/open", "WS /ws/events"));
}

TEST_F(ClientSourceTest, ConfigObjectWithEndpoints) {
  Write("config.js", R"(
export const config = { api: { baseUrl: '/gw', endpoints: { products: '/products', 'one-order': '/orders/1' } } };
)");
  Write("http.js", R"(
import { config } from './config';
export const products = () => fetch(`${config.api.baseUrl}${config.api.endpoints.products}`);
)");
  EXPECT_THAT(Paths(), UnorderedElementsAre("GET /gw/products", "GET /gw/orders/1"));
}

TEST_F(ClientSourceTest, JsonConfiguration) {
  Write("config.json", R"({"api": {"baseUrl": "/v1", "endpoints": {"products": "/products", "cart": "/cart"}}})");
  EXPECT_THAT(Paths(), ElementsAre("GET /v1/products", "GET /v1/cart"));
  EXPECT_EQ(Read().bases[0].location.line(), 1u);
}

TEST_F(ClientSourceTest, AngularAndRequestObjects) {
  Write("svc.ts", R"(
const environment = { production: true, apiUrl: 'https://api.shop.example/v1' };
class S { list() { return this.http.get<Item[]>(`${environment.apiUrl}/items`); }
  save() { return axios({ url: '/raw', method: 'post' }); } }
)");
  EXPECT_THAT(Paths(), ElementsAre("GET /v1/items", "POST /raw"));
}

// environment.prod.ts is what production is built with; development takes the file beside it, listed or not.
TEST_F(ClientSourceTest, AngularsEnvironments) {
  std::ofstream(folder_ + "/environment.ts") << "export const environment = { apiUrl: '/dev-api' };\n";
  Write("environment.prod.ts", "export const environment = { apiUrl: '/api/v2' };\n");
  Write("orders.service.ts", R"(export class OrderService {
  private readonly base = environment.apiUrl;
  list() { return this.http.get<{ source: string; orders: Page<Order[]>[] }>(`${this.base}/orders`); }
})");
  EXPECT_THAT(Paths(), ElementsAre("GET /api/v2/orders"));
  const auto development = ReadDevelopmentCalls(client_);
  ASSERT_TRUE(development.ok()) << development.status();
  ASSERT_EQ(development->calls.size(), 1u);
  EXPECT_EQ(development->calls[0].path, "/dev-api/orders");
  client_.add_files(folder_ + "/*.ts");
  EXPECT_THAT(Paths(), ElementsAre("GET /api/v2/orders")) << "the other one is listed as well";
}

TEST_F(ClientSourceTest, TwoInstancesKeepTheirBases) {
  Write("api.js", R"(
const shop = axios.create({ baseURL: '/shop' });
const admin = axios.create({ baseURL: '/admin' });
shop.get('/a'); admin.get('/b'); shop.get('/c');
)");
  EXPECT_THAT(Paths(), ElementsAre("GET /shop/a", "GET /admin/b", "GET /shop/c"));
  EXPECT_EQ(Read().base_path, "/shop");
}

TEST_F(ClientSourceTest, PageCodeIsNoCall) {
  Write("page.js", R"(
router.push('/home'); history.replace('/x'); if (path.startsWith('/v1')) {} cache.get('/k'); import('/mod.js');
const routes = [{ path: '/about' }]; console.log('/v1'); // fetch('/commented')
)");
  EXPECT_THAT(Paths(), IsEmpty());
}

TEST_F(ClientSourceTest, NoFileIsAnErrorAndGarbageIsNot) {
  client_.set_name("web");
  client_.add_files(folder_ + "/none/*.js");
  EXPECT_EQ(ReadClientCalls(client_).status().code(), absl::StatusCode::kNotFound);
  Write("odd.js", "const a = a + b; const b = a + a; fetch(`${a}${b}/x`); fetch(((((`${");
  EXPECT_TRUE(ReadClientCalls(client_).ok());
}

TEST(BasePathOfTest, Shapes) {
  EXPECT_EQ(BasePathOf("https://h:1/v1/"), "/v1");
  EXPECT_EQ(BasePathOf("https://h"), "");
  EXPECT_EQ(BasePathOf("/"), "");
  EXPECT_EQ(BasePathOf("v1"), "/v1");
}

}  // namespace
}  // namespace omnix
