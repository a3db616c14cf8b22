// What analyzers of databases share: whose fault it is, and who suffers.
#pragma once

#include <string>
#include <vector>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/probe_postgres.h"

namespace omnix {

// The store by its name in the model; where the model has none, the first service whose configuration leads there.
// Null: neither.
const v1::Service* ComponentOf(const PostgresFacts& facts);

// Messages of this kind in the logs of the store and of what needs it.
std::vector<const LogSign*> SignsAbout(const Scene& scene, const v1::Service& store, std::string_view kind);

// A candidate of this kind with the symptoms behind the component, the evidence of the state, and a test that agrees:
// `seen`, what was asked and how it came out.
Candidate SeenInDatabase(const Scene& scene, const PostgresFacts& facts, const v1::Service& component,
                         const std::string& kind, const std::string& seen);

}  // namespace omnix
