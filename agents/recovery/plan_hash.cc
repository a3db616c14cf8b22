#include "agents/recovery/plan_hash.h"

#include "common/hash.h"
#include "common/json.h"

namespace omnix {

std::string PlanHash(const v1::Plan& plan) {
  v1::Plan rest = plan;
  rest.clear_hash();
  return Sha256Hex(SerializeDeterministically(rest));
}

}  // namespace omnix
