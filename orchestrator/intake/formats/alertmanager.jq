#: title Prometheus Alertmanager: its webhook, version 4 (and 3); alerts as Prometheus posts them to Alertmanager's API

# Also what scripts send: the alerts alone, without their group.
def is_bare:
  type == "object" and (.alerts | type) == "array" and .alerts != [] and has("state") == false and has("title") == false
  and all(.alerts[]; type == "object" and (.labels | type) == "object");
def is_webhook: (is_webhook_v4 or is_bare) and (has("orgId") or (has("state") and has("title")) | not);
def is_posted:
  type == "array" and length > 0
  and all(.[]; type == "object" and (.labels | type) == "object"
               and (has("startsAt") or has("endsAt") or has("annotations") or has("generatorURL")));
def recognize: is_webhook or is_posted;

# In the API an alert that has ended says so by its end alone.
def ended:
  (.endsAt | text | sub("\\.[0-9]+"; "") | sub("[+]00:00$"; "Z") | (try fromdateiso8601 catch 0)) as $ends | $ends > 0 and $ends <= now;
def posted:
  [to_entries[] | .key as $i | .value
   | if type != "object" then refuse("/\($i)"; "expected an object")
     else . + {status: (if ended then "resolved" else "firing" end)} | webhook_v4_alert({}; "/\($i)") end];

def alerts: if type == "array" and length > 0 then posted else webhook_v4 end;
