#: title Uptime Kuma webhook notification
#: also uptime-kuma
def recognize: type == "object" and has("heartbeat") and has("monitor") and has("msg");

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else
    (.monitor | object) as $monitor | (.heartbeat | object) as $beat
    | if $monitor == {} then
        if (.msg | text) == "" then [refuse("/monitor"; "missing; expected a notification of Uptime Kuma")]
        else {alerts: [], note: "a test notification of Uptime Kuma"} end
      elif $beat == {} then [{
        # A certificate that ends soon: nothing tells when it has been renewed.
        title: first_text(.msg, $monitor.name, "Uptime Kuma monitor"),
        severity: "warning",
        fingerprint: (key("uptimekuma"; $monitor.id) | if . == "" then "" else . + ":certificate" end),
        identity: {name: $monitor.name, about: "certificate"},
        labels: ({type: $monitor.type, hostname: $monitor.hostname, port: $monitor.port} | texts),
        subject: $monitor.name,
        links: [$monitor.url]
      }]
      # 0 down, 1 up, 2 pending, 3 maintenance
      elif $beat.status == 2 or $beat.status == 3 then {alerts: [], note: "a monitor that is pending or in maintenance"}
      else [{
        title: first_text($monitor.name, .msg, "Uptime Kuma monitor"),
        description: lines(.msg, $beat.msg),
        status: (if $beat.status == 1 then "resolved" else "firing" end),
        fingerprint: key("uptimekuma"; $monitor.id, $beat.monitorID),
        identity: {name: $monitor.name},
        labels: (({type: $monitor.type, hostname: $monitor.hostname, port: $monitor.port} | texts)
                 + ($monitor.tags | array | map(object | {(first_text(.name) | select(. != "")): (.value | text)}) | add // {})),
        subject: $monitor.name,
        starts_at: (if $beat.status == 1 then null else $beat.time end),
        ends_at: $beat.time,
        links: [$monitor.url]
      }] end
  end;
