#: title Any JSON object with the usual names; name your own in a mapping (docs/alerts.md)
def recognize: false;

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else
    first_text(.title, .name, .alertname, .alert_name, .summary, .subject, .message, .text) as $title
    | if $title == "" then [refuse("/title"; "missing or empty")]
      else
        (first_text(.status, .state) | ascii_downcase
         | if IN("resolved", "ok", "closed", "recovered", "up", "inactive", "cleared", "normal") then "resolved" else "firing" end) as $status
        | [{
        title: $title,
        description: lines(.description, .message, .text, .details, .body),
        severity: first_text(.severity, .priority, .level, .urgency),
        status: $status,
        fingerprint: key("generic"; .fingerprint, .dedup_key, .alias, .key, .id),
        identity: {title: $title, host: first_text(.host, .service, .instance, .resource)},
        labels: ((.labels | texts) + (.tags | if type == "object" then texts else tags end)),
        subject: first_text(.service, .host, .instance, .resource, .component),
        starts_at: first_text(.starts_at, .startsAt, .started_at, since($status; .timestamp, .time, .date)),
        ends_at: first_text(.ends_at, .endsAt, .ended_at, .resolved_at, .timestamp, .time),
        links: [.url, .link, .href]
      }] end
  end;
