// Checks: typed expectations, evaluated against the real system. Used by the Infrastructure, Testing and Investigation
// agents.
//
// A new kind is one new file <kind>_check.cc with its test and one line in registry.cc.
#pragma once

#include <omnix/v1/check.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

class HttpBroker;

struct CheckContext {
  const v1::SystemModel& system;
  // ${name} in string parameters is replaced from here; captures are put here.
  std::map<std::string, std::string> variables;
  // For one check, at most.
  absl::Duration timeout = absl::Seconds(10);
  // True: stop at once.
  std::function<bool()> cancelled = [] { return false; };
  // Told by RunSuite after each step of its first run.
  std::function<void(size_t done, size_t total)> progress = [](size_t, size_t) {};
  // A suite that fails may be run again for this long until it passes for the first time: a change that was just made
  // (a reload, a restart) takes a moment to be in effect.
  absl::Duration settle = absl::ZeroDuration();
  // Every request of a check goes through it. Null: it is sent at once.
  HttpBroker* http = nullptr;
  // For one request of a check, at most.
  absl::Duration request_timeout = absl::Seconds(5);
};

// A kind may give several results (cors: one for each origin). Never throws, never blocks beyond context.timeout.
using CheckFunction = std::vector<v1::CheckResult> (*)(const v1::Check& check, const Json& with, CheckContext& context);

struct CheckKind {
  std::string_view name;
  uint32_t default_weight;
  // Names of the parameters it knows, required ones with a '!' before them.
  std::vector<std::string_view> parameters;
  CheckFunction run;
  // Types and combinations of the parameters, before ${name} is replaced. Null: any.
  absl::Status (*validate)(const Json& with) = nullptr;
};

// All registered kinds.
const std::vector<CheckKind>& CheckKinds();

// Errors: INVALID_ARGUMENT (unknown kind, unknown, missing or mistyped parameter, capture of a kind that has no
// response; says what exists).
absl::Status ValidateCheck(const v1::Check& check);

// Evaluates one check; an invalid one gives a result with CHECK_STATUS_ERROR, one whose ${name} has no value
// CHECK_STATUS_SKIPPED with the attribute "missing". Every text of a result is redacted and bounded. At least one
// result.
std::vector<v1::CheckResult> RunCheck(const v1::Check& check, CheckContext& context);

// Runs the steps in order, then again through the stability window; the first run in it that fails ends it, and its
// results are given. A step whose ${capture} is missing is SKIPPED, and the verdict does not pass. Warnings, and steps
// with nothing to evaluate, pass.
v1::Verdict RunSuite(const v1::Suite& suite, CheckContext& context);

// Whether a verdict with this result can't pass.
bool Blocks(const v1::CheckResult& result);

// "23 of 24 checks passed; failed: ..." over results, skipped ones left out of the count.
std::string Summarize(const std::vector<v1::CheckResult>& results);

}  // namespace omnix
