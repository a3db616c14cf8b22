// The rules by which alerts become incidents, ready for use: defaults filled in, the built-in rule last.
#pragma once

#include <omnix/v1/alert.pb.h>
#include <omnix/v1/grouping.pb.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace omnix {

// More changes than this within this time are flapping.
struct FlapLimits {
  uint32_t changes = 6;
  absl::Duration within = absl::Minutes(10);
  absl::Duration quiet = absl::Minutes(5);
  bool off = false;
};

struct GroupingRule {
  std::string name;
  v1::AlertMatch match;
  v1::GroupBy by = v1::GROUP_BY_DEPENDENCIES;
  std::vector<std::string> labels;
  absl::Duration window = absl::Hours(1);
  // Without a value an incident opens with the first alert.
  std::optional<v1::Occurrences> occurrences;
  v1::LateAlerts late = v1::LATE_ALERTS_LINK;
  absl::Duration late_within = absl::Hours(24);
  FlapLimits flapping;

  // What counts together where several occurrences are asked for: the key; by dependencies the subject.
  std::string CountedTogether(const v1::Alert& alert) const;
  // What is equal in all alerts of a group: "cluster=eu alertname=Down", "subject=web1". Empty: nothing says it (by
  // dependencies: the system model does).
  std::string KeyOf(const v1::Alert& alert) const;
};

// Immutable. The rules stay where they are as long as this object lives.
class GroupingRules {
 public:
  explicit GroupingRules(const v1::Grouping& grouping = {});

  // The first rule that the alert fits; the built-in one (without a name) where it fits none. A `when` that can't be
  // evaluated does not fit, and the log says so. One thread at a time: jq.
  const GroupingRule& For(const v1::Alert& alert) const;

 private:
  std::vector<std::unique_ptr<GroupingRule>> rules_;
};

// `pattern`, in which * stands for any text, fits the whole of `text`.
bool FitsPattern(const std::string& pattern, const std::string& text);
// All but `when`.
bool FitsWithoutJq(const v1::AlertMatch& match, const v1::Alert& alert);

}  // namespace omnix
