#: title Nagios and Icinga: notification commands with the fields of docs/alerts.md or named as their macros, Icinga 2's event streams
#: also icinga icinga2 checkmk centreon

# NAGIOS_HOSTNAME, HOSTNAME and host_name are one.
def named:
  object | with_entries(.key |= (ascii_downcase | sub("^(nagios|notify|icinga)_"; "") | gsub("[. -]"; "_")))
  | {hostname: "host_name", hostaddress: "host_address", hoststate: "host_state", hostoutput: "host_output", hostalias: "host_alias",
     servicedesc: "service_description", servicestate: "service_state", serviceoutput: "service_output",
     longserviceoutput: "long_output", longhostoutput: "long_output", notificationtype: "notification_type", hostgroupname: "host_group",
     lasthoststatechange: "last_state_change", lastservicestatechange: "last_state_change", servicedisplayname: "service_name"} as $aliases
  | . + (to_entries | map($aliases[.key] as $name | select($name) | {($name): .value}) | add // {});

# {"type": "StateChange" or "Notification", "host", "service", "check_result": {"state": 2.0, "output"}}
def is_stream:
  type == "object" and (.type | IN("StateChange", "Notification", "CheckResult")) and (.host | type) == "string"
  and ((.check_result | type) == "object" or has("state"));
def is_command:
  type == "object" and
  (named | (.notification_type | type) == "string" and (has("host_name") or has("host"))
           and (has("host_state") or has("service_state") or has("state")));
def recognize: is_stream or is_command;

def severity: {CRITICAL: "critical", DOWN: "critical", UNREACHABLE: "error", WARNING: "warning"}[.] // "unknown";

# A stream's numbers, in the words of a command.
def told:
  if is_stream then
    first_text(.state, .check_result.state) as $state
    | (.service | text) as $service
    | . + {
        notification_type: first_text(.notification_type, "PROBLEM"),
        state: (if $service == "" then {"0": "UP", "1": "DOWN"} else {"0": "OK", "1": "WARNING", "2": "CRITICAL", "3": "UNKNOWN"} end
                | .[$state] // $state),
        output: (.check_result | object).output
      }
  else named end;

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else told
    | first_text(.host_name, .host) as $host | first_text(.service_description, .service_name, .service) as $service
    | (first_text(if $service == "" then .host_state, .state else .service_state, .state end) | ascii_upcase) as $state
    | (.notification_type | text | ascii_upcase) as $type
    | (if $type == "RECOVERY" or $state == "OK" or $state == "UP" then "resolved" else "firing" end) as $status
    | if $host == "" then [refuse("/host_name"; "missing or empty; put $HOSTNAME$ (Icinga: $host.name$) there")]
      elif $type | IN("ACKNOWLEDGEMENT", "CUSTOM", "DOWNTIMESTART", "DOWNTIMEEND", "DOWNTIMECANCELLED", "DOWNTIMEREMOVED",
                      "FLAPPINGSTART", "FLAPPINGEND", "FLAPPINGSTOP", "FLAPPINGDISABLED") then
        {alerts: [], note: "a notification of Nagios that is no problem and no recovery"}
      else [{
        title: (if $service == "" then "\($host) is \($state)" else "\($service) on \($host) is \($state)" end),
        description: lines((if $service == "" then .host_output else .service_output end), .output, .long_output, .text),
        severity: ($state | severity),
        status: $status,
        identity: {host: $host, service: $service},
        labels: ({host: $host, service: $service, address: .host_address, state: $state,
                  hostgroup: .host_group} | texts),
        subject: $host,
        starts_at: since($status; .last_state_change, .timestamp, .time, .timet),
        ends_at: first_text(.timestamp, .time, .timet, .last_state_change),
        links: [.url, .notes_url, .action_url]
      }] end
  end;
