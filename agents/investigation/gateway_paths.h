// By which paths a service behind a gateway may know what callers ask the gateway for.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

// The path itself; endpoints of the service that end alike ("/orders" and "/v2/orders"); and the path as the gateway
// passes its other paths on to this service ("/svc/orders", where "/rooms" is asked for as "/svc/rooms"). The likeliest
// first, each once.
std::vector<std::string> PathsBehind(const Scene& scene, const v1::Service& gateway, const v1::Service& behind,
                                     const std::string& path);

// The endpoints of a service that are read with GET and of which one path is the other's end; never the path itself.
std::vector<std::string> EndpointsAlike(const v1::Service& service, const std::string& path);

}  // namespace omnix
