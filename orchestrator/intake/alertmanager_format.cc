#include "orchestrator/intake/alertmanager_format.h"

#include <array>
#include <map>
#include <string>

namespace omnix {
namespace {

using Strings = std::map<std::string, std::string>;

constexpr std::array kSubjectLabels = {"service", "instance", "host", "job"};
// Of exporters that tell of others (a cluster's pods): their own service and instance say nothing.
constexpr std::array kWorkloadLabels = {"deployment", "statefulset", "daemonset", "cronjob",
                                        "container",  "pod",         "node",      "persistentvolumeclaim",
                                        "namespace"};
constexpr std::array kLinkFields = {"generatorURL", "dashboardURL", "panelURL", "silenceURL"};
constexpr std::array kLinkAnnotations = {"runbook_url", "runbook", "dashboard"};

// What the alerts of one body share.
struct Group {
  std::string status;
  Strings labels;
  std::string external_url;
};

// Reads fields of one object and remembers whether all were as they should be.
class PlainFields {
 public:
  explicit PlainFields(const Json& object) : object_(object), plain_(object.is_object()) {}

  bool plain() const { return plain_; }

  std::string String(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return "";
    if (!value->is_string()) return Odd("");
    return value->get_ref<const std::string&>();
  }
  // Without those that are empty.
  Strings Map(const char* key) {
    Strings strings;
    const Json* value = Find(key);
    if (value == nullptr) return strings;
    if (!value->is_object()) return Odd(strings);
    for (const auto& [name, item] : value->get_ref<const Json::object_t&>()) {
      if (!item.is_string()) return Odd(strings);
      if (!item.get_ref<const std::string&>().empty()) strings.emplace_hint(strings.end(), name, item);
    }
    return strings;
  }
  uint64_t Count(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return 0;
    return value->is_number_unsigned() ? value->get<uint64_t>() : Odd(uint64_t{0});
  }
  Json Any(const char* key) {
    const Json* value = Find(key);
    return value == nullptr ? Json() : *value;
  }

 private:
  // Null where it is absent or JSON null.
  const Json* Find(const char* key) {
    if (!plain_) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  template <typename T>
  T Odd(T value) {
    plain_ = false;
    return value;
  }

  const Json& object_;
  bool plain_;
};

const std::string& Value(const Strings& strings, const char* key) {
  static const std::string* const kEmpty = new std::string();
  const auto found = strings.find(key);
  return found == strings.end() ? *kEmpty : found->second;
}

const std::string& FirstOf(const std::string& one, const std::string& other) { return one.empty() ? other : one; }

// True where no label of the alert has another value among the common ones.
bool Agree(const Strings& own, const Strings& common) {
  for (const auto& [name, value] : common) {
    const auto found = own.find(name);
    if (found != own.end() && found->second != value) return false;
  }
  return true;
}

bool TellsOfOthers(const std::string& exporter) {
  return exporter.find("kube-state-metrics") != std::string::npos || exporter.find("cadvisor") != std::string::npos ||
         exporter == "kubelet";
}

// As subject_of_labels in lib.jq.
std::string SubjectOf(const Strings& labels) {
  std::string subject;
  const auto take = [&](const auto& names) {
    for (const char* label : names) {
      if (subject.empty()) subject = Value(labels, label);
    }
  };
  if (TellsOfOthers(FirstOf(Value(labels, "job"), Value(labels, "service")))) take(kWorkloadLabels);
  take(kSubjectLabels);
  return subject;
}

void SetTexts(const Strings& annotations, const Group& group, AlertDraft* draft) {
  const std::string& summary = Value(annotations, "summary");
  const std::string& description = FirstOf(Value(annotations, "description"), Value(annotations, "message"));
  const std::string& name = FirstOf(Value(draft->labels, "alertname"), summary);
  draft->title = FirstOf(FirstOf(name, Value(group.labels, "alertname")), description);
  if (draft->title.empty()) {
    draft->title = draft->fingerprint.empty() ? "unnamed alert" : "alert " + draft->fingerprint;
  }
  const bool both = !summary.empty() && !description.empty() && summary != description;
  draft->description = both ? summary + "\n" + description : FirstOf(summary, description);
  draft->severity = Value(draft->labels, "severity");
  if (draft->severity.empty() && Agree(draft->labels, group.labels)) draft->severity = Value(group.labels, "severity");
  draft->subject = SubjectOf(draft->labels);
}

bool ReadPlainAlert(const Json& value, const Group& group, AlertDraft* draft) {
  PlainFields fields(value);
  draft->labels = fields.Map("labels");
  const Strings annotations = fields.Map("annotations");
  draft->fingerprint = fields.String("fingerprint");
  if (draft->fingerprint.empty() && draft->labels.empty()) return false;
  SetTexts(annotations, group, draft);
  draft->resolved = FirstOf(fields.String("status"), group.status) == "resolved";
  draft->starts_at = fields.Any("startsAt");
  draft->ends_at = fields.Any("endsAt");
  for (const char* field : kLinkFields) draft->links.push_back(fields.String(field));
  draft->links.push_back(group.external_url);
  for (const char* annotation : kLinkAnnotations) draft->links.push_back(Value(annotations, annotation));
  return fields.plain();
}

}  // namespace

bool LooksLikeAlertmanager(const Json& body) {
  if (!body.is_object() || body.contains("orgId") || (body.contains("state") && body.contains("title"))) return false;
  return body.contains("groupKey") || body.contains("commonLabels") || body.contains("groupLabels");
}

std::optional<AlertmanagerBody> ReadPlainAlertmanager(const Json& body) {
  PlainFields fields(body);
  if (!fields.plain()) return std::nullopt;
  const auto alerts = body.find("alerts");
  if (alerts == body.end() || !alerts->is_array() || alerts->empty()) return std::nullopt;
  const Group group{fields.String("status"), fields.Map("commonLabels"), fields.String("externalURL")};
  AlertmanagerBody read;
  read.truncated = fields.Count("truncatedAlerts");
  if (!fields.plain()) return std::nullopt;
  read.drafts.resize(alerts->size());
  for (size_t i = 0; i < alerts->size(); ++i) {
    if (!ReadPlainAlert((*alerts)[i], group, &read.drafts[i])) return std::nullopt;
  }
  return read;
}

}  // namespace omnix
