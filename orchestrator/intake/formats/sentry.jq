#: title Sentry: internal integrations (issues, errors, issue and metric alerts) and the legacy webhook plugin

def is_integration:
  type == "object" and (.data | object | has("issue") or has("error") or has("event") or has("metric_alert") or has("comment")
                        or (has("installation") and has("action") == false));
def is_plugin: type == "object" and (.event | type) == "object" and (has("culprit") or has("project_slug"));
def recognize: (is_integration and has("action")) or is_plugin;

def level: if . == "fatal" then "critical" else . end;

def issue($action):
  (.project | object) as $project
  | {
      title: first_text(.title, "Sentry issue " + (.id | text)),
      description: lines(.culprit, (.metadata | object).value),
      severity: (first_severity(.level, .priority) | level),
      status: (if .status == "resolved" or .status == "ignored" or $action == "resolved" or $action == "archived"
               then "resolved" else "firing" end),
      fingerprint: key("sentry"; .id),
      labels: ({project: $project.slug, platform: .platform, issue: .shortId, level: .level} | texts),
      subject: first_text($project.slug, $project.name),
      starts_at: .firstSeen,
      ends_at: .lastSeen,
      links: [.permalink, .web_url]
    };

# https://sentry.io/api/0/projects/ORGANIZATION/PROJECT/events/1/
def project_of: text | (capture("/projects/[^/]+/(?<slug>[^/]+)/") // {slug: ""}) | .slug;

def occurrence:
  (.tags | array | map(select(type == "array" and length == 2) | {(.[0] | text): (.[1] | text)}) | add // {}) as $tags
  | {
      title: first_text(.title, .message, "Sentry event " + (.event_id | text)),
      description: lines(.culprit, (.metadata | object).value, .message),
      severity: (first_text(.level, $tags.level) | level),
      fingerprint: key("sentry"; .issue_id, (.issue | object).id, .event_id),
      labels: ($tags + ({platform: .platform, environment: .environment, level: .level} | texts)),
      subject: first_text(.project_slug, .project_name, (.project | strings), (.url | project_of), (.issue_url | project_of)),
      starts_at: first_text(.datetime, .timestamp),
      links: [.web_url, .url]
    };

def metric_alert($event):
  (.alert_rule | object) as $rule
  | {
      title: first_text($event.description_title, .title, $rule.name, "Sentry metric alert"),
      description: $event.description_text,
      severity: $event.action,
      status: (if $event.action == "resolved" then "resolved" else "firing" end),
      fingerprint: key("sentry"; .identifier, .id),
      labels: ({rule: $rule.name, organization: .organization_id} | texts),
      subject: (.projects | array | map(text) | .[0] // ""),
      starts_at: first_text(.date_started, .date_created),
      ends_at: .date_closed,
      links: [$event.web_url]
    };

def plugin:
  . as $sent | (.event | occurrence)
  | .severity = ($sent.level | level)
  | .description = lines($sent.culprit, $sent.message)
  | .fingerprint = key("sentry"; $sent.id, $sent.event.event_id)
  | .subject = first_text($sent.project_slug, $sent.project, $sent.project_name)
  | .links = [$sent.url];

def alerts:
  if is_plugin then [plugin]
  elif is_integration | not then [refuse("/data"; "missing or empty; expected an issue, error, event or metric_alert of Sentry")]
  else
    . as $sent | .action as $action
    | if .data | has("comment") then {alerts: [], note: "a comment on an issue is no alert"}
      elif .data | has("issue") then [.data.issue | object | issue($action)]
      elif .data | has("metric_alert") then
        [.data.metric_alert | object | metric_alert({action: $action, description_title: $sent.data.description_title,
                                                     description_text: $sent.data.description_text,
                                                     web_url: $sent.data.web_url})]
      else [.data | (.error // .event) | object | occurrence] end
  end;
