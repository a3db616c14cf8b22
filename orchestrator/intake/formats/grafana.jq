#: title Grafana unified alerting, webhook contact point
def recognize: is_webhook_v4 and (has("orgId") or (has("state") and has("title")));

# What Grafana measured, and its picture of it, beside what it shares with Alertmanager.
def alerts:
  (object | .alerts) as $sent | webhook_v4
  | if type == "object" then
      .alerts |= [to_entries[] | .key as $i | .value
        | if .refused then . else
            .description = lines(.description, ($sent[$i].valueString | text | if . == "" then "" else "Values: " + . end))
            | .links += [$sent[$i].imageURL]
          end]
    else . end;
