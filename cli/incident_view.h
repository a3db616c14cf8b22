// What people see of an incident and of a plan.
#pragma once

#include <omnix/v1/operator.pb.h>

#include <string>

#include "absl/time/time.h"
#include "cli/terminal.h"

namespace omnix {

// The whole page of `omnix incident show`. Parts of which nothing is known are left out.
std::string RenderIncident(const v1::GetIncidentResponse& answer, absl::Time now, int width, const Style& style);

// A plan as it is shown before it is approved: what it changes, its risk, its diff.
std::string RenderPlan(const v1::Plan& plan, int width, const Style& style);

}  // namespace omnix
