#: title Zabbix webhook media type: the parameters of docs/alerts.md, and other names that people give its macros

# Parameters are named by who wrote the media type: EVENT.ID, event_id and eventId are one.
def named:
  object | with_entries(.key |= (gsub("(?<low>[a-z0-9])(?<up>[A-Z])"; "\(.low)_\(.up)") | ascii_downcase | gsub("[. -]"; "_")));

def recognize:
  type == "object" and
  ((named | has("event_id") and (has("trigger_id") or has("trigger_name") or has("event_nseverity") or has("trigger_severity")))
   # The plain names of scripts that tell severity and state of a host's trigger.
   or ((.trigger | type) == "string" and has("severity") and has("status") and (has("hostname") or has("host") or has("item"))));

# Zabbix leaves a macro as it stands where it has no value for it.
def macro: text | if test("^\\{[A-Z0-9.]+\\}$") or . == "*UNKNOWN*" then "" else . end;
def macros: object | with_entries(.value |= macro) | texts;
def severity: {"0": "unknown", "1": "info", "2": "warning", "3": "warning", "4": "error", "5": "critical"}[.] // .;
# [{"tag": "service", "value": "web"}], {"service": "web"}, "service:web, x", or one of them as a string of JSON.
def event_tags:
  unquoted
  | if type == "array" and any(.[]; type == "object") then
      map(object | {(first_text(.tag, .name) | select(. != "")): (.value | text)}) | add // {}
    elif type == "object" then texts else tags end;

# Where there is no event's id, the link knows the trigger's; the event's differs between a problem and its recovery.
def trigger_of_link: text | (capture("triggerid=(?<id>[0-9]+)") // {id: ""}) | .id;

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else named as $sent | ($sent | macros)
    | ($sent | first_text(.event_tags, .event_tagsjson, .tags | select(. != null) | if type == "string" then . else tojson end) | event_tags) as $tags
    | first_text(.event_name, .trigger_name, .trigger, .name, .alert_subject, .subject) as $title
    | first_text(.host, .host_name, .hostname, .host_host) as $host
    | (if .event_value == "0" or (first_text(.event_status, .trigger_status, .status, .event_update_status)
                                  | ascii_upcase | IN("RESOLVED", "OK", "RECOVERY"))
       then "resolved" else "firing" end) as $status
    | (first_text(.link, .url, .trigger_url) | trigger_of_link) as $linked
    | if $title == "" then [$sent | refuse("/trigger_name"; "missing or empty; put {EVENT.NAME} there")]
      else [{
        title: $title,
        description: lines(first_text(.event_opdata, .message, .alert_message, .trigger_description), .item),
        severity: (first_text(.event_nseverity, .event_severity, .trigger_nseverity, .trigger_severity, .severity) | severity),
        status: $status,
        # The event of the problem; its recovery bears the same.
        fingerprint: (if (.event_id // "") != "" then key("zabbix"; .event_id)
                      elif $linked != "" then "zabbix:trigger:" + $linked else "" end),
        identity: (if (.trigger_id // "") != "" then {trigger: .trigger_id, host: $host} else {host: $host, item: .item, title: (if .item then null else $title end)} end),
        labels: (({host: $host, ip: .host_ip, trigger_id: first_text(.trigger_id, $linked), group: .host_group, service: .service} | texts)
                 + $tags),
        subject: first_text($host, .service),
        starts_at: (if .event_date then .event_date + " " + (.event_time // "00:00:00")
                    else first_text(.event_timestamp, (.last_received | select($status == "firing"))) end),
        ends_at: (if .event_recovery_date then .event_recovery_date + " " + (.event_recovery_time // "00:00:00")
                  else first_text(.event_recovery_timestamp, .last_received) end),
        links: [.trigger_url, .event_url, .zabbix_url, .link, .url]
      }] end
  end;
