#: title CloudEvents 1.0: structured, binary and batched

def is_event: type == "object" and has("specversion") and has("type") and has("source");
def recognize: is_event or (type == "array" and length > 0 and all(.[]; is_event));

# Data is what its content type says: a string stays a string, bytes that are JSON become it.
def sent:
  if has("data") then .data
  elif (.data_base64 | type) == "string" and (.datacontenttype | text | . == "" or test("json|text")) then
    (try (.data_base64 | @base64d) catch "") as $bytes | try ($bytes | fromjson) catch $bytes
  else null end;

def event($pointer):
  if type != "object" then refuse($pointer; "expected an object")
  elif (.type | text) == "" then refuse($pointer + "/type"; "missing or empty; CloudEvents needs it")
  elif (.source | text) == "" then refuse($pointer + "/source"; "missing or empty; CloudEvents needs it")
  elif (.id | text) == "" then refuse($pointer + "/id"; "missing or empty; CloudEvents needs it")
  else
    sent as $sent | ($sent | object) as $data
    | {
        title: first_text($data.title, .type),
        description: first_text($data.description, $data.message,
                                ($sent | if type == "string" then . elif . == null then "" else tojson end)),
        severity: first_severity(.severity, .severitytext, $data.severity, $data.level, $data.priority),
        status: (first_text(.status, $data.status) | ascii_downcase | if IN("resolved", "ok", "closed") then "resolved" else "firing" end),
        # An event that names the thing it is about may be followed by its end; otherwise source and id are unique.
        fingerprint: (if ($data.fingerprint | text) != "" then key("cloudevents"; $data.fingerprint)
                      else "cloudevents:" + (.source | text) + ":" + (.id | text) end),
        labels: ((del(.data, .data_base64, .specversion, .id, .time, .datacontenttype, .dataschema, .source, .type, .subject) | texts)
                 + {type: .type, source: .source}),
        subject: first_text($data.subject, .subject, .source),
        starts_at: .time,
        ends_at: .time,
        links: [.dataschema, $data.url, $data.link]
      }
    | if .status == "resolved" then .starts_at = null else . end
  end;

def alerts:
  if type == "array" then [to_entries[] | .key as $i | .value | event("/\($i)")] else [event("")] end;
