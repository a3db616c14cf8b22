#include "orchestrator/intake/alertmanager_format.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "orchestrator/intake/body_parser.h"
#include "orchestrator/intake/parsed_alerts.h"
#include "orchestrator/intake/plain_body.h"

namespace omnix {
namespace {

namespace dom = simdjson::dom;

constexpr auto kSubjectLabels = std::to_array<std::string_view>({"service", "instance", "host", "job"});
// Of exporters that tell of others (a cluster's pods): their own service and instance say nothing.
constexpr auto kWorkloadLabels =
    std::to_array<std::string_view>({"deployment", "statefulset", "daemonset", "cronjob", "container", "pod", "node",
                                     "persistentvolumeclaim", "namespace"});
constexpr auto kLinkFields =
    std::to_array<std::string_view>({"generatorURL", "dashboardURL", "panelURL", "silenceURL"});
constexpr auto kLinkAnnotations = std::to_array<std::string_view>({"runbook_url", "runbook", "dashboard"});

// An object whose members are text: labels, annotations. One that is empty counts as absent.
class Texts {
 public:
  Texts() = default;
  explicit Texts(dom::object object) : object_(object) {}

  // "" where there is none.
  std::string_view operator[](std::string_view name) const {
    std::string_view text;
    if (!object_ || object_->at_key(name).get(text) != simdjson::SUCCESS) return "";
    return text;
  }

  std::map<std::string, std::string> Map() const {
    std::map<std::string, std::string> map;
    ForEach([&](std::string_view name, std::string_view text) {
      // Alertmanager sorts them.
      map.emplace_hint(map.end(), name, text);
      return true;
    });
    return map;
  }

  // True where `use` says so of each.
  template <typename Use>
  bool ForEach(Use use) const {
    if (!object_) return true;
    for (const dom::key_value_pair& field : *object_) {
      const std::string_view text = field.value.get_string().value_unsafe();
      if (!text.empty() && !use(field.key, text)) return false;
    }
    return true;
  }

 private:
  std::optional<dom::object> object_;
};

// What the alerts of one body share.
struct Group {
  std::string_view status;
  Texts labels;
  std::string_view external_url;
  // The labels once more: an object of simdjson is searched from its beginning, for each label of each alert.
  std::map<std::string_view, std::string_view> labels_by_name = {};
};

// True where no label of the alert has another value among the common ones.
bool Agree(const Texts& labels, const Group& group) {
  return labels.ForEach([&](std::string_view name, std::string_view text) {
    const auto common = group.labels_by_name.find(name);
    return common == group.labels_by_name.end() || common->second == text;
  });
}

// Reads fields of one object and remembers whether all were as they should be. A field that is JSON null is absent.
class PlainFields {
 public:
  explicit PlainFields(dom::element value) : plain_(value.get(object_) == simdjson::SUCCESS) {}

  bool plain() const { return plain_; }

  bool Has(std::string_view key) const { return plain_ && object_.at_key(key).error() == simdjson::SUCCESS; }

  std::string_view String(std::string_view key) {
    const std::optional<dom::element> value = Find(key);
    std::string_view text;
    if (value && value->get(text) != simdjson::SUCCESS) plain_ = false;
    return text;
  }

  Texts Map(std::string_view key) {
    const std::optional<dom::element> value = Find(key);
    if (!value) return Texts();
    dom::object object;
    if (value->get(object) != simdjson::SUCCESS) return Odd(Texts());
    for (const dom::key_value_pair& field : object) {
      if (!field.value.is_string()) return Odd(Texts());
    }
    return Texts(object);
  }

  uint64_t Count(std::string_view key) {
    const std::optional<dom::element> value = Find(key);
    if (!value) return 0;
    int64_t count = 0;
    if (value->get(count) != simdjson::SUCCESS || count < 0 || count > kMaxExactInteger) plain_ = false;
    return static_cast<uint64_t>(count);
  }

  // As ReadAlertTime takes it.
  Json Time(std::string_view key) {
    const std::optional<dom::element> value = Find(key);
    if (!value) return Json();
    std::string_view text;
    if (value->get(text) == simdjson::SUCCESS) return text;
    // Seconds, whole ones: what else may be a time is the filter's matter.
    int64_t seconds = 0;
    const bool whole = value->get(seconds) == simdjson::SUCCESS;
    if (whole && seconds >= -kMaxExactInteger && seconds <= kMaxExactInteger) return seconds;
    return Odd(Json());
  }

 private:
  std::optional<dom::element> Find(std::string_view key) {
    if (!plain_) return std::nullopt;
    dom::element value;
    if (object_.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    return value;
  }
  template <typename T>
  T Odd(T value) {
    plain_ = false;
    return value;
  }

  dom::object object_;
  bool plain_;
};

std::string_view FirstOf(std::string_view one, std::string_view other) { return one.empty() ? other : one; }

bool TellsOfOthers(std::string_view exporter) {
  return exporter.find("kube-state-metrics") != std::string_view::npos ||
         exporter.find("cadvisor") != std::string_view::npos || exporter == "kubelet";
}

// As subject_of_labels in lib.jq.
std::string_view SubjectOf(const Texts& labels) {
  std::string_view subject;
  const auto take = [&](const auto& names) {
    for (const std::string_view label : names) {
      if (subject.empty()) subject = labels[label];
    }
  };
  if (TellsOfOthers(FirstOf(labels["job"], labels["service"]))) take(kWorkloadLabels);
  take(kSubjectLabels);
  return subject;
}

void SetTexts(const Texts& labels, const Texts& annotations, const Group& group, AlertDraft* draft) {
  const std::string_view summary = annotations["summary"];
  const std::string_view description = FirstOf(annotations["description"], annotations["message"]);
  const std::string_view name = FirstOf(labels["alertname"], summary);
  draft->title = FirstOf(FirstOf(name, group.labels["alertname"]), description);
  if (draft->title.empty()) {
    draft->title = draft->fingerprint.empty() ? "unnamed alert" : "alert " + draft->fingerprint;
  }
  draft->description = FirstOf(summary, description);
  const bool both = !summary.empty() && !description.empty() && summary != description;
  if (both) draft->description.append("\n").append(description);
  draft->severity = labels["severity"];
  if (draft->severity.empty() && Agree(labels, group)) draft->severity = group.labels["severity"];
  draft->subject = SubjectOf(labels);
}

bool ReadPlainAlert(dom::element value, const Group& group, AlertDraft* draft) {
  PlainFields fields(value);
  const Texts labels = fields.Map("labels");
  const Texts annotations = fields.Map("annotations");
  draft->labels = labels.Map();
  draft->fingerprint = fields.String("fingerprint");
  if (draft->fingerprint.empty() && draft->labels.empty()) return false;
  SetTexts(labels, annotations, group, draft);
  draft->resolved = FirstOf(fields.String("status"), group.status) == "resolved";
  draft->starts_at = fields.Time("startsAt");
  draft->ends_at = fields.Time("endsAt");
  const auto add_link = [&](std::string_view link) {
    if (!link.empty()) draft->links.emplace_back(link);
  };
  for (const std::string_view field : kLinkFields) add_link(fields.String(field));
  add_link(group.external_url);
  for (const std::string_view annotation : kLinkAnnotations) add_link(annotations[annotation]);
  return fields.plain();
}

bool IsRecognized(const PlainFields& body) {
  if (body.Has("orgId") || (body.Has("state") && body.Has("title"))) return false;
  return body.Has("groupKey") || body.Has("commonLabels") || body.Has("groupLabels");
}

}  // namespace

std::optional<AlertmanagerBody> ReadPlainAlertmanager(std::string_view text, bool named) {
  const PlainBody body(text);
  if (!body.plain()) return std::nullopt;
  PlainFields fields(body.root());
  if (!named && !IsRecognized(fields)) return std::nullopt;
  Group group{fields.String("status"), fields.Map("commonLabels"), fields.String("externalURL")};
  group.labels.ForEach([&](std::string_view name, std::string_view label) {
    group.labels_by_name.emplace(name, label);
    return true;
  });
  AlertmanagerBody read;
  read.truncated = fields.Count("truncatedAlerts");
  dom::array alerts;
  if (!fields.plain() || body.root()["alerts"].get(alerts) != simdjson::SUCCESS) return std::nullopt;
  read.drafts.reserve(std::min(alerts.size(), kMaxAlertsPerBody));
  for (const dom::element alert : alerts) {
    if (!ReadPlainAlert(alert, group, &read.drafts.emplace_back())) return std::nullopt;
  }
  if (read.drafts.empty()) return std::nullopt;
  return read;
}

}  // namespace omnix
