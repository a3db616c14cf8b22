#: title Graylog HTTP notification
def recognize: type == "object" and has("event_definition_id") and (.event | type) == "object";

def alerts:
  object | (.event | object) as $event
  | first_text(.event_definition_title, $event.message, .event_definition_id) as $title
  | if $title == "" then [refuse("/event_definition_title"; "missing or empty; expected a notification of Graylog")]
    else [{
      title: $title,
      description: lines($event.message, (.event_definition_description | if . == "." then "" else . end),
                         (.backlog | array[:5][] | object | .message)),
      severity: ({"1": "info", "2": "warning", "3": "error", "4": "critical"}[$event.priority | text] // ""),
      fingerprint: (key("graylog"; .event_definition_id, $event.event_definition_id)
                    | if . == "" or ($event.key | text) == "" then . else . + ":" + ($event.key | text) end),
      identity: {title: $title, source: $event.source},
      labels: (($event.fields | texts) + ($event.group_by_fields | texts) + ({key: $event.key} | texts)),
      subject: first_text((($event.fields | object) + ($event.group_by_fields | object) | .service, .host), $event.source),
      starts_at: first_text($event.timestamp, $event.timestamp_processing),
      links: [($event.replay_info | object).url]
    }] end;
