#: title Zabbix webhook media type, with the parameters of docs/alerts.md

def recognize: type == "object" and has("event_id") and (has("trigger_id") or has("trigger_name") or has("event_nseverity"));

# Zabbix leaves a macro as it stands where it has no value for it.
def macro: text | if test("^\\{[A-Z.]+\\}$") or . == "*UNKNOWN*" then "" else . end;
def macros: object | with_entries(.value |= macro) | texts;
def severity: {"0": "unknown", "1": "info", "2": "warning", "3": "warning", "4": "error", "5": "critical"}[.] // .;

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else . as $sent | macros
    | first_text(.event_name, .trigger_name, .subject, .alert_subject) as $title
    | if $title == "" then [$sent | refuse("/trigger_name"; "missing or empty; put {EVENT.NAME} there")]
      else [{
        title: $title,
        description: first_text(.event_opdata, .message, .alert_message, .trigger_description),
        severity: (first_text(.event_nseverity, .event_severity, .trigger_severity, .severity) | severity),
        status: (if .event_value == "0" or (first_text(.event_status, .trigger_status, .status) | ascii_upcase | IN("RESOLVED", "OK"))
                 then "resolved" else "firing" end),
        # The event of the problem; its recovery bears the same.
        fingerprint: key("zabbix"; .event_id),
        identity: {trigger: .trigger_id, host: first_text(.host, .host_name)},
        labels: (({host: first_text(.host, .host_name), ip: .host_ip, trigger_id: .trigger_id, group: .host_group} | texts)
                 + ($sent.event_tags | if type == "string" then tags else texts end)),
        subject: first_text(.host, .host_name),
        starts_at: (if .event_date then .event_date + " " + (.event_time // "00:00:00") else .event_timestamp end),
        ends_at: (if .event_recovery_date then .event_recovery_date + " " + (.event_recovery_time // "00:00:00")
                  else .event_recovery_timestamp end),
        links: [.trigger_url, .event_url, .zabbix_url]
      }] end
  end;
