#: title Any JSON object with the usual names; name your own in a mapping (docs/alerts.md)
def recognize: false;

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else
    first_text(.title, .name, .alertname, .alert_name, .alertName, .rule_name, .ruleName, .check_name, .summary, .subject, .message,
               .event, .text) as $title
    | if $title == "" then [refuse("/title"; "missing or empty")]
      else
        (first_text(.status, .state, .current_state, .event_type) | ascii_downcase
         | if IN("resolved", "ok", "closed", "recovered", "recovery", "up", "inactive", "cleared", "clear", "normal", "success", "healthy",
                 "fixed", "resolve")
           then "resolved" else "firing" end) as $status
        | [{
        title: $title,
        description: lines(.description, .message, .text, .details, .body),
        severity: first_severity(.severity, .priority, .level, .urgency, .criticality),
        status: $status,
        fingerprint: key("generic"; .fingerprint, .dedup_key, .dedupKey, .incident_key, .alias, .key, .alert_id, .alertId, .incident_id, .id),
        identity: {title: $title, host: first_text(.host, .service, .instance, .resource)},
        labels: ((.labels | texts) + (.tags | if type == "object" then texts else tags end)),
        subject: first_text(.service, .host, .hostname, .instance, .resource, .component, .entity, .node),
        starts_at: first_text(.starts_at, .startsAt, .started_at, .startTime, .start_time, since($status; .timestamp, .time, .date)),
        ends_at: first_text(.ends_at, .endsAt, .ended_at, .resolved_at, .endTime, .end_time, .timestamp, .time),
        links: [.url, .link, .href]
      }] end
  end;
