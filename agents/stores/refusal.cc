#include "agents/stores/refusal.h"

namespace omnix {

std::string_view RefusalText(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      return "accepted";
    case Refusal::kUnreachable:
      return "unreachable";
    case Refusal::kTimeout:
      return "no answer in time";
    case Refusal::kCredentials:
      return "credentials refused";
    case Refusal::kAccess:
      return "access denied by its rules";
    case Refusal::kNoDatabase:
      return "no such database";
    case Refusal::kTooMany:
      return "too many connections";
    case Refusal::kNotReady:
      return "not ready";
    case Refusal::kOther:
      return "refused";
  }
  return "";
}

}  // namespace omnix
