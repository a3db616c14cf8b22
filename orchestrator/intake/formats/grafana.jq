#: title Grafana: webhook contact point of unified alerting, the webhook of the alerting before version 9, OnCall's webhooks

# What dashboards' own alerts sent before there was unified alerting.
def is_legacy: type == "object" and has("ruleId") and has("state") and (has("ruleName") or has("evalMatches") or has("ruleUrl"));
def is_unified: is_webhook_v4 and (has("orgId") or (has("state") and has("title")));
def is_on_call: type == "object" and (.alert_group | type) == "object" and (has("alert_group_id") or has("alert_payload"));
def recognize: is_unified or is_on_call or (is_legacy and (.alerts | type) != "array");

# What Grafana measured, and its picture of it, beside what it shares with Alertmanager.
def unified:
  (object | .alerts) as $sent | webhook_v4
  | if type == "object" then
      .alerts |= [to_entries[] | .key as $i | .value
        | if .refused then . else
            .description = lines(.description, ($sent[$i].valueString | text | if . == "" then "" else "Values: " + . end))
            | .links += [$sent[$i].imageURL]
          end]
    else . end;

def legacy:
  first_text(.ruleName, .title) as $title
  | ([.evalMatches | array[] | object | .tags | object] | add // {} | texts) as $matched
  | ((.tags | object | texts) + $matched) as $tags
  | if .state == "pending" or .state == "paused" then {alerts: [], note: "a rule that is \(.state)"}
    elif $title == "" then [refuse("/ruleName"; "missing or empty; expected an alert of Grafana")]
    else [{
      title: $title,
      description: lines(.message, (.evalMatches | array[] | object | "\(.metric | text): \(.value | text)")),
      severity: first_severity($tags.severity, $tags.priority),
      status: (if .state == "ok" then "resolved" else "firing" end),
      fingerprint: (if (.ruleId | text) == "" or .ruleId == 0 then ""
                    else "grafana:" + (if (.orgId | text) == "" then "" else (.orgId | text) + ":" end) + (.ruleId | text) end),
      identity: {rule: $title, dashboard: .dashboardId, panel: .panelId},
      labels: ($tags + ({state: .state, dashboard: .dashboardId, panel: .panelId} | texts)),
      subject: first_text($tags.service, $tags.instance, $tags.host, $tags.job),
      links: [.ruleUrl, .imageUrl]
    }] end;

# An alert group of Grafana OnCall; what triggered it is the payload, of whatever monitor.
def on_call:
  (.alert_group | object) as $group | (.alert_payload | object) as $payload
  | ($payload.labels // $payload.commonLabels | texts) as $labels
  | first_text($group.state, "firing") as $state
  | if first_text($group.title, $group.id, .alert_group_id) == "" then [refuse("/alert_group"; "neither title nor id")]
    elif $state == "acknowledged" or $state == "silenced" then {alerts: [], note: "an alert group that is \($state)"}
    else [{
      title: first_text($group.title, "alert group " + first_text($group.id, .alert_group_id)),
      description: lines($payload.message, ($payload.annotations // $payload.commonAnnotations | object | .summary, .description)),
      severity: first_severity($labels.severity, $payload.severity),
      status: $state,
      fingerprint: key("grafana_oncall"; $group.id, .alert_group_id),
      labels: ($labels + ({integration: (.integration | object).name, route: $group.route_id} | texts)),
      subject: first_text($labels.service, $labels.instance, $labels.host, $labels.job),
      starts_at: $group.created_at,
      ends_at: $group.resolved_at,
      links: [($group.permalinks | object).web]
    }] end;

def alerts: if is_on_call then on_call elif is_legacy and (.alerts | type) != "array" then legacy else unified end;
