#: title Pingdom webhook integration
def recognize: type == "object" and has("check_id") and has("current_state") and has("previous_state");

def alerts:
  if type != "object" or first_text(.check_name) == "" then
    [refuse("/check_name"; "missing or empty; expected a webhook of Pingdom")]
  else
    (if .current_state | text | IN("UP", "SUCCESS") then "resolved" else "firing" end) as $status
    | (.check_params | object) as $params
    | [{
        title: .check_name,
        description: lines(.description, .long_description),
        severity: .importance_level,
        status: $status,
        fingerprint: key("pingdom"; .check_id),
        identity: {check: .check_name},
        labels: ((.tags | tags) + ({check_type: .check_type, hostname: $params.hostname, state: .current_state} | texts)),
        subject: $params.hostname,
        starts_at: since($status; .state_changed_timestamp),
        ends_at: .state_changed_timestamp,
        links: [$params.full_url, $params.url]
      }]
  end;
