# What every format can use. A format defines two functions over the body (`.`):
#   recognize: true where the body is this vendor's
#   alerts: an array of alerts, or {alerts: [...], truncated: NUMBER, reply: NAME, reply_key: TEXT, confirm: {...}, note: TEXT}
# An alert is {title, description, severity, status, fingerprint, identity, labels, subject, starts_at, ends_at, links};
# only the title is needed. docs/alerts.md describes each field. $headers holds content-type and the ce-* headers.

# Text of a string, number or boolean; "" for anything else.
def text: if type == "string" then . elif type == "number" or type == "boolean" then tostring else "" end;

# The first of several that is text and not empty; "" where none is.
def first_text(f): [f | text | select(. != "")][0] // "";

# A word of severity that Omnix knows, whatever its case.
def is_severity:
  text | ascii_downcase
  | IN("critical", "crit", "fatal", "emergency", "emerg", "panic", "disaster", "page", "urgent", "error", "err", "high", "major",
       "severe", "warning", "warn", "medium", "moderate", "average", "minor", "info", "information", "informational", "notice",
       "low", "debug", "p0", "p1", "p2", "p3", "p4", "p5", "sev0", "sev1", "sev2", "sev3", "sev4", "sev5");

# The first of several that is a word of severity: a monitor's "normal" must not hide the "error" beside it.
def first_severity(f): first_text((f | select(is_severity)), f);

def object: if type == "object" then . else {} end;
def array: if type == "array" then . else [] end;

# The members of an object that are text.
def texts: object | with_entries(select(.value | text != "") | .value |= text);

# `vendor:key`, or "" where there is no key: keys of two vendors never meet.
def key($vendor; f): first_text(f) | if . == "" then "" else $vendor + ":" + . end;

# A time that is when the alert began if it fires, and when it ended if it is resolved.
def since($status; f): if $status == "resolved" then null else first_text(f) end;

# ["env:prod", "web"] or "env:prod, web" to {"env": "prod", "web": ""}.
def tags:
  if type == "string" then split(",") | map(sub("^\\s+"; "") | sub("\\s+$"; "")) else array end
  | map(text | select(. != "") | (index(":") // length) as $at | {(.[:$at]): .[$at + 1:]})
  | add // {};

# A document that was sent as a string, as it was before; anything else as it stands.
def unquoted: if type == "string" and test("^\\s*[{\\[]") then . as $text | try fromjson catch $text else . end;

# The lines that are not empty, each once.
def lines(f): reduce (f | text | select(. != "")) as $line ([]; if index([$line]) then . else . + [$line] end) | join("\n");

# What can't be read as an alert: the field (a JSON pointer) and why. It is kept as an alert of unknown severity where
# other alerts of the body are well; where none is, the sender is told.
def refuse($pointer; $why): {refused: {pointer: $pointer, why: $why}, body: .};

def starts($prefixes): . as $word | any($prefixes[]; . as $prefix | $word | startswith($prefix));

# Alertmanager's webhook, version 4, which Grafana and others speak as well.
def is_webhook_v4:
  type == "object" and (.alerts | type) == "array" and (has("groupKey") or has("commonLabels") or has("groupLabels"));

# True where no common label has another value among the alert's own.
def agrees($labels): all(to_entries[]; $labels[.key] == null or $labels[.key] == .value);

# What a Prometheus alert is about. Some exporters tell of others (a cluster's pods): their own service and instance say nothing.
def subject_of_labels:
  (if first_text(.job, .service) | contains("kube-state-metrics") or contains("cadvisor") or . == "kubelet" then
     first_text(.deployment, .statefulset, .daemonset, .cronjob, .container, .pod, .node, .persistentvolumeclaim, .namespace)
   else "" end) as $workload
  | first_text($workload, .service, .instance, .host, .job);

def webhook_v4_alert($group; $pointer):
  if type != "object" then refuse($pointer; "expected an object")
  else
    (.labels | texts) as $labels | (.annotations | texts) as $annotations | (.fingerprint | text) as $fingerprint
    | ($group.commonLabels | texts) as $common
    | if $fingerprint == "" and $labels == {} then
        refuse($pointer + "/labels"; "missing or empty, and no fingerprint either: nothing identifies this alert")
      else {
        title: first_text($labels.alertname, $annotations.summary, $common.alertname, $annotations.description,
                          $annotations.message, if $fingerprint == "" then "unnamed alert" else "alert " + $fingerprint end),
        description: lines($annotations.summary, first_text($annotations.description, $annotations.message)),
        severity: first_text($labels.severity, ($common | select(agrees($labels)) | .severity)),
        status: first_text(.status, $group.status),
        fingerprint: $fingerprint,
        labels: $labels,
        subject: ($labels | subject_of_labels),
        starts_at: .startsAt,
        ends_at: .endsAt,
        links: [.generatorURL, .dashboardURL, .panelURL, .silenceURL, $group.externalURL, $annotations.runbook_url,
                $annotations.runbook, $annotations.dashboard]
      } end
  end;

def webhook_v4:
  if type != "object" then [refuse(""; "expected an object")]
  elif (.alerts | type) != "array" or .alerts == [] then
    [refuse("/alerts"; "missing or empty; expected the alerts of a webhook of version 4")]
  else . as $group | {
    alerts: [.alerts | to_entries[] | .key as $i | .value | webhook_v4_alert($group; "/alerts/\($i)")],
    truncated: (.truncatedAlerts | if type == "number" then . else 0 end)
  } end;
