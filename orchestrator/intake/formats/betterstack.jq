#: title Better Stack (Better Uptime) webhook
#: also betteruptime
def recognize: type == "object" and (.data | object | (.type | IN("incident", "monitor", "heartbeat")) and (.attributes | type) == "object");

def alerts:
  (object | .data | object) as $data | ($data.attributes | object) as $incident
  | first_text($incident.name, $incident.url) as $title
  | if $data.type == "monitor" or $data.type == "heartbeat" then {alerts: [], note: "a change of what Better Stack monitors"}
    elif .event == "acknowledged" then {alerts: [], note: "an acknowledgement"}
    elif $title == "" then [refuse("/data/attributes/name"; "missing or empty; expected an incident webhook of Better Stack")]
    else
      (if .event == "resolved" or ($incident.resolved_at | text) != "" then "resolved" else "firing" end) as $status
      | [{
          title: $title,
          description: $incident.cause,
          # Whom Better Stack calls says how much it matters.
          severity: (if $incident.critical_alert == true or $incident.call == true then "critical" else "" end),
          status: $status,
          fingerprint: key("betterstack"; $data.id),
          identity: {name: $title},
          labels: (($incident.metadata | texts) + ({http_method: $incident.http_method, team: $incident.team_name} | texts)),
          subject: $incident.name,
          starts_at: $incident.started_at,
          ends_at: $incident.resolved_at,
          links: [$incident.url, $incident.response_url, $incident.screenshot_url]
        }]
    end;
