#: title Nagios and Icinga notification commands, with the fields of docs/alerts.md
#: also icinga

def recognize:
  type == "object" and (.notification_type | type) == "string" and (has("host_name") or has("host"))
  and (has("host_state") or has("service_state") or has("state"));

def severity: {CRITICAL: "critical", DOWN: "critical", UNREACHABLE: "error", WARNING: "warning"}[.] // "unknown";

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else
    first_text(.host_name, .host) as $host | first_text(.service_description, .service_name, .service) as $service
    | (first_text(if $service == "" then .host_state, .state else .service_state, .state end) | ascii_upcase) as $state
    | (.notification_type | text | ascii_upcase) as $type
    | (if $type == "RECOVERY" or $state == "OK" or $state == "UP" then "resolved" else "firing" end) as $status
    | if $host == "" then [refuse("/host_name"; "missing or empty; put $HOSTNAME$ (Icinga: $host.name$) there")]
      elif $type | IN("ACKNOWLEDGEMENT", "CUSTOM", "DOWNTIMESTART", "DOWNTIMEEND", "DOWNTIMECANCELLED", "DOWNTIMEREMOVED",
                      "FLAPPINGSTART", "FLAPPINGEND", "FLAPPINGSTOP", "FLAPPINGDISABLED") then
        {alerts: [], note: "a notification of Nagios that is no problem and no recovery"}
      else [{
        title: (if $service == "" then "\($host) is \($state)" else "\($service) on \($host) is \($state)" end),
        description: lines((if $service == "" then .host_output else .service_output end), .output, .long_output),
        severity: ($state | severity),
        status: $status,
        identity: {host: $host, service: $service},
        labels: ({host: $host, service: $service, address: .host_address, state: $state,
                  hostgroup: .host_group} | texts),
        subject: $host,
        starts_at: since($status; .last_state_change, .timestamp, .time),
        ends_at: first_text(.timestamp, .time, .last_state_change),
        links: [.url, .notes_url, .action_url]
      }] end
  end;
