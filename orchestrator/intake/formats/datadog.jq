#: title Datadog webhooks integration
def recognize:
  type == "object" and
  (has("alert_transition") or has("alert_cycle_key") or has("aggreg_key")
   or (has("monitor_id") and (has("event_type") or has("query") or has("tags"))));

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else
    (.tags | tags) as $tags
    | first_text(.monitor_id, .alert_id) as $monitor
    | first_text(.alert_scope, .scope, (.scopes | array | map(text) | join(","))) as $scope
    | (if (first_text(.alert_transition, .transition, .status) | ascii_downcase | starts(["recovered", "ok", "resolved"]))
          or .alert_type == "success" then "resolved" else "firing" end) as $status
    | first_text(.title, .event_title, .monitor_name, .alert_title) as $title
    | if $title == "" then [refuse("/title"; "missing or empty; put \"title\": \"$EVENT_TITLE\" into the webhook's payload")]
      else [{
        title: $title,
        description: first_text(.body, .text_only_msg, .event_msg, .message, .description),
        severity: first_text(.alert_priority, .priority, .alert_type, .severity),
        status: $status,
        fingerprint: (if (.aggreg_key | text) != "" then key("datadog"; .aggreg_key)
                      elif $monitor != "" then "datadog:" + $monitor + (if $scope == "" then "" else ":" + $scope end)
                      else key("datadog"; .id) end),
        labels: ($tags + ({monitor_id: $monitor, scope: $scope, metric: .alert_metric} | texts)),
        subject: first_text($tags.service, .host, .hostname, $tags.host),
        starts_at: since($status; .date, .last_updated),
        ends_at: first_text(.date, .last_updated),
        links: [.link, .url, .snapshot]
      }] end
  end;
