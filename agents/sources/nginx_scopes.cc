#include "agents/sources/nginx_scopes.h"

#include "absl/strings/match.h"

namespace omnix {
namespace {

bool Descend(const NginxDirective& from, const NginxDirective* block, std::vector<const NginxDirective*>* scopes) {
  bool found = &from == block;
  for (const NginxDirective& child : from.block) {
    if (found) break;
    if (child.has_block) found = Descend(child, block, scopes);
  }
  if (found) scopes->push_back(&from);
  return found;
}

}  // namespace

std::vector<const NginxDirective*> NginxScopes(const NginxConfig& config, const NginxDirective* block) {
  std::vector<const NginxDirective*> scopes;
  if (block != nullptr) Descend(config.root, block, &scopes);
  return scopes;
}

const NginxDirective* DirectiveInEffect(const NginxConfig& config, const NginxDirective* block, std::string_view name) {
  const auto found = DirectivesInEffect(config, block, name);
  return found.empty() ? nullptr : found.back();
}

std::vector<const NginxDirective*> DirectivesInEffect(const NginxConfig& config, const NginxDirective* block,
                                                      std::string_view name) {
  for (const NginxDirective* scope : NginxScopes(config, block)) {
    if (auto found = scope->Find(name); !found.empty()) return found;
  }
  return {};
}

const NginxDirective* ProxyHeaderInEffect(const NginxConfig& config, const NginxDirective* block,
                                          std::string_view header) {
  for (const NginxDirective* set : DirectivesInEffect(config, block, "proxy_set_header")) {
    if (absl::EqualsIgnoreCase(set->Argument(1), absl::string_view(header.data(), header.size()))) return set;
  }
  return nullptr;
}

}  // namespace omnix
