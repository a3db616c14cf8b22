#include "agents/sources/client_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace omnix {
namespace {

using testing::ElementsAre;

std::vector<std::string> Of(const std::string& source, bool sends_bodies = true) {
  std::vector<JsFile> files(1);
  files[0].source = source;
  files[0].tokens = LexJavaScript(files[0].source);
  return RequestHeaders(files, sends_bodies);
}

struct HeadersCase {
  const char* source;
  std::vector<std::string> headers;
};

class ClientHeadersTest : public testing::TestWithParam<HeadersCase> {};

TEST_P(ClientHeadersTest, AreThoseThatBrowsersAskFor) { EXPECT_EQ(Of(GetParam().source), GetParam().headers); }

INSTANTIATE_TEST_SUITE_P(
    Ways, ClientHeadersTest,
    testing::Values(
        HeadersCase{"fetch('/a', { headers: { 'X-Api-Version': '2', Accept: 'text/html' } })", {"X-Api-Version"}},
        HeadersCase{"const headers = { 'X-Tenant': tenant(a, b), \"X-Trace\": id };", {"X-Tenant", "X-Trace"}},
        HeadersCase{"const headers: Record<string, string> = { 'X-Tenant': '1' };", {"X-Tenant"}},
        HeadersCase{"axios.create({ baseURL: 'https://api.example', headers: { 'X-Site': 'de' } })", {"X-Site"}},
        HeadersCase{"axios.defaults.headers.common['X-Site'] = 'de';", {"X-Site"}},
        HeadersCase{"axios.defaults.headers = { common: { 'X-Site': 'de' } };", {"X-Site"}},
        HeadersCase{"headers.set('X-Trace', id()); headers.append('X-More', 1);", {"X-Trace", "X-More"}},
        HeadersCase{"new Headers({ 'X-Trace': id })", {"X-Trace"}},
        HeadersCase{"request.setRequestHeader('X-Trace', id);", {"X-Trace"}},
        HeadersCase{"const o = { headers: Object.assign({}, base, { 'X-Trace': id }) };", {"X-Trace"}},
        HeadersCase{"const o = { headers: { ...base, [NAME]: 'x', 'X-Trace': id } };", {"X-Trace"}},
        HeadersCase{"config.headers.Authorization = `Bearer ${token}`;", {"Authorization"}},
        HeadersCase{"const o = { headers: { 'X-A': '1' } }, p = { headers: { 'x-a': '2' } };", {"X-A"}},
        HeadersCase{"post('/a', { headers: { 'Content-Type': 'application/json' } })", {"Content-Type"}},
        HeadersCase{"post('/a', { headers: { 'Content-Type': 'multipart/form-data' } })", {}},
        HeadersCase{"fetch('https://maps.example/tiles', { headers: { 'X-Map': 'k' } })", {}},
        HeadersCase{"devServer = { headers: { 'Access-Control-Allow-Origin': '*', 'X-Frame-Options': 'DENY' } }", {}},
        HeadersCase{"const table = { columns: { 'X-Axis': 1 } }; headers.get('X-Total');", {}},
        HeadersCase{"const o = { headers: { 'X-A'", {}}, HeadersCase{"headers:", {}}, HeadersCase{"headers[", {}},
        HeadersCase{"headers = {", {}}));

TEST(ClientHeadersTest, TheTypeOfABodyCountsOnlyWhereBodiesAreSent) {
  EXPECT_THAT(Of("create({ headers: { 'Content-Type': 'application/json', 'X-A': '1' } })", false), ElementsAre("X-A"));
}

}  // namespace
}  // namespace omnix
