// Addresses that a service's configuration names: in URLs, "host:port", DSNs, or a host and a port beside each other.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/probe_config.h"

namespace omnix {

struct NamedAddress {
  const ConfigFacts* file = nullptr;
  // Where it (or its host) is written.
  const ConfigValue* value = nullptr;
  // Where its port is written, when that is another value.
  const ConfigValue* port_value = nullptr;
  // As written: "db.local:5432", or the host alone where the scheme gives the port.
  std::string written;
  // "host:port", localhost and wildcards as 127.0.0.1.
  std::string address;
  // Of a URL; empty.
  std::string scheme;
};

// Of all configuration files of a service and its instances, in their order. What the service binds itself is left out
// as far as the key tells ("listen", "bind").
std::vector<NamedAddress> AddressesIn(const Scene& scene, const v1::Service& service);

}  // namespace omnix
