#: title Checkly webhook alert channel
def recognize: type == "object" and has("alert_type") and has("check_id") and has("check_name");

def alerts:
  if type != "object" or first_text(.check_name, .event, .alert_title) == "" then
    [refuse("/check_name"; "missing or empty; put \"check_name\": \"{{CHECK_NAME}}\" into the webhook's body")]
  else [{
    title: first_text(.check_name, .alert_title, .event),
    description: lines(.event, .check_error_message),
    status: (if .alert_type | text | test("RECOVERY") then "resolved" else "firing" end),
    severity: (if .alert_type | text | test("DEGRADED|SSL") then "warning" else "" end),
    fingerprint: key("checkly"; .check_id),
    identity: {check: .check_name},
    labels: ((.tags | tags) + ({check_type: .check_type, location: .run_location, group: .group_name} | texts)),
    # A recovery tells when the check that passed began, not since when it had failed.
    starts_at: (if .alert_type | text | test("RECOVERY") then null else .started_at end),
    links: [.link]
  }] end;
