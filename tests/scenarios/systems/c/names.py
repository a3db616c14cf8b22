"""System C's calls, settings and named edits (see harness/system.py)."""
from harness.system import Call, Setting

_HOST = {"Host": "api.lindenhof.example", "X-Api-Version": "2"}
_JSON = {**_HOST, "Content-Type": "application/json"}

CALLS = {
    "static": Call("/opening-hours", "/svc/opening-hours", headers=_HOST),
    "read": Call("/slots", "/svc/slots", headers=_HOST),
    "other": Call("/rooms", "/svc/rooms", headers=_HOST),
    "write": Call("/appointments", "/svc/appointments", "POST", b'{"slot": 31}', _JSON),
    "cache": Call("/hold", "/svc/hold", headers=_HOST),
    "login": Call("/session", "/svc/session", "POST", b'{"card": "L-2044", "pin": "7731"}', _JSON),
    "private": Call("/results", "/results", headers=_HOST, private=True, program="labs"),
    "upload": Call("/documents", "/svc/documents", "POST", b"%PDF" + b"x" * 26000, {**_HOST, "Content-Type": "application/pdf"}),
    "partner": Call("/catalog", "/svc/catalog", headers=_HOST),
    "slow": Call("/statistics/week", "/svc/statistics/week", headers=_HOST),
    # Its handshake names the host itself.
    "live": Call("/feed", "/svc/feed"),
}

_YAML = "clinic/conf/clinic.yml"
_SECRETS = "clinic/conf/secrets.env"
SETTINGS = {
    "database_password": Setting(_SECRETS, r"CLINIC_DB_PASSWORD=(\S*)"),
    "cache_password": Setting(_SECRETS, r"CLINIC_REDIS_PASSWORD=(\S*)"),
    "partner_host": Setting(_YAML, r"labs:\n  url: http://([^:]*):"),
    "partner_port": Setting(_YAML, r"labs:\n  url: http://[^:]*:(\d+)"),
    "secret": Setting("clinic/conf/praxis.env", r"SESSION_KEY=(\S*)"),
    "twin_secret": Setting("clinic/conf/labs.json", r'"secret": "([^"]*)"'),
    "upload_folder": Setting(_YAML, r"documents: (\S*)"),
    "pool_size": Setting(_YAML, r"max: (\d+)"),
    "limit_value": Setting(_YAML, r"days_ahead: (\d+)"),
    "partner_delay_ms": Setting("clinic/conf/labs.json", r'"pauseMs": (\d+)'),
}

_API = "clinic/gateway/http.d/30-api.conf"
_COMMON = "clinic/gateway/http.d/10-common.conf"
_PROXY = "clinic/gateway/shared/proxy.inc"
_DOCTORS = "clinic/praxis/modules/doctors.py"
_TO_PRAXIS = "        proxy_pass http://$praxis_pool/svc/$module$rest$is_args$args;\n"
EDITS = {
    "client_prefix": [("clinic/site/config.js", "'https://api.lindenhof.example',", "'https://api.lindenhof.example/v3',")],
    "gateway_prefix": [(_API, "?<module>opening-hours|doctors|rooms|slots|", "?<module>doctors|rooms|")],
    "proxy_path": [(_API, "$praxis_pool/svc/$module", "$praxis_pool/$module")],
    "dev_proxy": [("clinic/site/webpack.config.js", "        pathRewrite: { '^/backend': '' },\n", "")],
    "cors_origin": [(_YAML, '"https://*.lindenhof.example"', '"https://kiosk.lindenhof.example"')],
    "cors_header": [(_YAML, "headers: [Authorization, Content-Type, X-Api-Version]", "headers: [Authorization, Content-Type]")],
    "rate_limit": [(_COMMON, "rate=120r/s", "rate=60r/m"), (_API, "burst=60 nodelay", "burst=2 nodelay")],
    "body_limit": [(_API, "client_max_body_size 12m;", "client_max_body_size 12k;")],
    "short_timeout": [(_COMMON, "proxy_read_timeout 20s;", "proxy_read_timeout 350ms;")],
    "no_upgrade": [(_API, "        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection $connection_upgrade;\n", "")],
    "redirect_loop": [(_API, _TO_PRAXIS, "        rewrite ^ $scheme://$http_host$request_uri? permanent;\n" + _TO_PRAXIS)],
    "deny": [("clinic/gateway/acl/visitors.acl", "allow all;\n", "allow 192.168.40.0/22;\ndeny all;\n")],
    "nginx_syntax": [(_PROXY, "proxy_next_upstream error;\n", "proxy_next_upstreams error;\n")],
    "config_syntax": [(_YAML, "    max: 6\n", "    max: 6\n   spare: 2\n")],
    # Bad releases.
    "bad_endpoint": [(_DOCTORS, '"SELECT id, floor, beds FROM rooms', '"SELECT id, floor, beds, ward FROM rooms'),
                     (_DOCTORS, '"beds": beds} for key, floor, beds in', '"beds": beds, "ward": ward} for key, floor, beds, ward in')],
    "slow_query": [(_DOCTORS, '"SELECT id, floor, beds FROM rooms ORDER BY id LIMIT 80"',
                    '"SELECT r.id, r.floor, r.beds FROM rooms r, slots s, slots t, rooms f WHERE f.floor <= r.floor "\n'
                    '                                 "GROUP BY r.id ORDER BY count(*), r.id LIMIT 80"')],
    "cors_twice": [(_API, _TO_PRAXIS, "        add_header Access-Control-Allow-Origin $http_origin always;\n" + _TO_PRAXIS)],
    # Innocent ones.
    "innocent_frontend": [("clinic/site/index.html", "<title>Lindenhof</title>", "<title>Lindenhof: your visits</title>")],
    "innocent_gateway": [("clinic/gateway/http.d/40-app.conf", "server_name app.lindenhof.example kiosk",
                          "server_name app.lindenhof.example termine.lindenhof.example kiosk")],
    "innocent_settings": [(_YAML, 'wednesday: "08:00-13:00"', 'wednesday: "08:00-14:00"')],
    "innocent_code": [("clinic/praxis/modules/statistics.py", '"""Figures of the week."""', '"""Figures of the week, for the board."""')],
}
