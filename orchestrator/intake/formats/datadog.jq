#: title Datadog webhooks integration

# The payload that Datadog proposes for a new webhook names no monitor.
def is_default: has("event_type") and has("last_updated") and (has("org") or has("body"));
def recognize:
  type == "object" and
  (has("alert_transition") or has("alert_cycle_key") or has("aggreg_key") or is_default
   or (has("monitor_id") and (has("event_type") or has("query") or has("tags"))));

# Datadog leaves a variable as it stands where it does not know it.
def variables: walk(if type == "string" and test("^\\$[A-Z][A-Z0-9_]*(\\[[^\\]]*\\])?$") then "" else . end);

# "[Re-Triggered on {host:a}] CPU" to its three parts; the last two are the same when it has recovered.
def transition:
  (capture("^\\[(?<word>Re-Triggered|Triggered|Recovered|Warn|Re-Warn|No Data|Re-No Data)( on \\{(?<scope>[^}]*)\\})?[^\\]]*\\]\\s*(?<rest>.*)")
   // {word: "", scope: "", rest: .});

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else variables
    | (.tags | tags) as $tags
    | first_text(.monitor_id, .alert_id) as $monitor
    | first_text(.title, .event_title, .monitor_name, .alert_title) as $title
    | ($title | transition) as $told
    | first_text(.alert_scope, .scope, (.scopes | array | map(text) | join(",")), $told.scope) as $scope
    | first_text(.alert_transition, .transition, .status, $told.word, .alert_status) as $transition
    | (if ($transition | ascii_downcase | starts(["recovered", "ok", "resolved"])) or .alert_type == "success"
       then "resolved" else "firing" end) as $status
    | if $title == "" then [refuse("/title"; "missing or empty; put \"title\": \"$EVENT_TITLE\" into the webhook's payload")]
      else [{
        title: $title,
        description: first_text(.body, .text_only_msg, .event_msg, .message, .description),
        severity: first_severity(.alert_priority, .priority, .severity, .alert_type,
                                 ($transition | ascii_downcase | select(contains("warn")) | "warning")),
        status: $status,
        fingerprint: (if (.aggreg_key | text) != "" then key("datadog"; .aggreg_key)
                      elif $monitor != "" then "datadog:" + $monitor + (if $scope == "" then "" else ":" + $scope end)
                      elif is_default or $told.word != "" then ""
                      else key("datadog"; .id) end),
        identity: {title: $told.rest, scope: $told.scope, org: (.org | object).id},
        labels: ($tags + ({monitor_id: $monitor, scope: $scope, metric: .alert_metric, event_type: .event_type} | texts)),
        subject: first_text($tags.service, .host, .hostname, $tags.host, ($scope | tags | .service, .host)),
        starts_at: since($status; .date, .last_updated),
        ends_at: first_text(.date, .last_updated),
        links: [.link, .url, .snapshot]
      }] end
  end;
