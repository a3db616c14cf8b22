// Which directive is in effect at a place of an nginx configuration.
//
// A block inherits from the one around it: location from location, server, http, main. A directive that may be written
// several times (proxy_set_header, add_header, limit_req, limit_conn) is inherited only where the block has none of it:
// one of its own, and all inherited ones are lost.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/sources/nginx_config.h"

namespace omnix {

// The block and those around it, innermost first, the root last. Empty: no block of this configuration.
std::vector<const NginxDirective*> NginxScopes(const NginxConfig& config, const NginxDirective* block);

// In effect in `block`; of several in one block the last, which is the one that nginx keeps. Null: its default.
const NginxDirective* DirectiveInEffect(const NginxConfig& config, const NginxDirective* block, std::string_view name);

// All that are in effect in `block`, of the nearest block that has any.
std::vector<const NginxDirective*> DirectivesInEffect(const NginxConfig& config, const NginxDirective* block,
                                                      std::string_view name);

// The value that the upstream gets in a request header, as written ("$http_upgrade"); null: nginx's own (or none).
const NginxDirective* ProxyHeaderInEffect(const NginxConfig& config, const NginxDirective* block,
                                          std::string_view header);

}  // namespace omnix
