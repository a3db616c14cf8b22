// Request headers that a frontend sets.
#pragma once

#include <string>
#include <vector>

#include "agents/sources/js_value.h"

namespace omnix {

// Those that make browsers ask the server before a call (a CORS preflight), each once, as written: what stands in an
// object or variable named headers (`headers: { 'X-Api-Version': '2' }`, `headers['X-Trace'] = id`), what is set on one
// (`headers.set('X-Trace', id)`, `request.setRequestHeader(...)`), and the names that are used for credentials wherever
// they stand. Not those that browsers may always send or that scripts cannot set
// (https://fetch.spec.whatwg.org/#cors-safelisted-request-header, #forbidden-request-header), headers of answers, and
// what is sent to a host that the call itself names. `sends_bodies`: a Content-Type of JSON counts.
std::vector<std::string> RequestHeaders(const std::vector<JsFile>& files, bool sends_bodies);

}  // namespace omnix
