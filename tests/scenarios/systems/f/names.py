"""System F's calls, settings and named edits (see harness/system.py)."""
from harness.system import Call, Setting

_WEB = {"X-Site-Id": "northgate"}
_JSON = {**_WEB, "Content-Type": "application/json"}


def _call(path, *more, **options):
    return Call("/lims/api/v2" + path, "/api/v2" + path, *more, **options)


CALLS = {
    "static": _call("/sites", headers=_WEB),
    "read": _call("/samples", headers=_WEB),
    "other": _call("/tubes", headers=_WEB),
    "write": _call("/orders", "POST", b'{"panel": "lipids", "tubes": 2}', _JSON),
    "cache": _call("/worklist", headers=_WEB),
    "login": Call("/lims/identity/login", "/login", "POST", b'{"login": "h.osei", "pin": "7714"}', _JSON, program="identity"),
    "private": _call("/results/mine", headers=_WEB, private=True),
    "upload": _call("/attachments", "POST", b"%PDF-1.7\n" + b"x" * 30000, {**_WEB, "Content-Type": "application/pdf"}),
    "partner": _call("/hospital-orders", headers=_WEB),
    "slow": _call("/statistics/monthly", headers=_WEB),
    "live": Call("/lims/live", "/hubs/results"),
}

_PRODUCTION = "etc/lims/appsettings.Production.json"
SETTINGS = {
    "database_password": Setting(_PRODUCTION, r'"Main": ".*;Password=([^;"]*)'),
    "cache_password": Setting(_PRODUCTION, r'"Redis": ".*,password=([^,"]*)'),
    "partner_host": Setting(_PRODUCTION, r'"BaseAddress": "http://([^:]*):'),
    "partner_port": Setting(_PRODUCTION, r'"BaseAddress": "http://[^:]*:(\d+)'),
    "secret": Setting(_PRODUCTION, r'"SigningKey": "([^"]*)"'),
    "twin_secret": Setting("etc/systemd/system/identity.service", r"JWT_SIGNING_KEY=(\S*)"),
    "upload_folder": Setting(_PRODUCTION, r'"Path": "([^"]*)"'),
    "pool_size": Setting(_PRODUCTION, r"Maximum Pool Size=(\d+)"),
    "limit_value": Setting(_PRODUCTION, r'"MaxTubesPerOrder": (\d+)'),
    "partner_delay_ms": Setting("etc/lims/hl7bridge.toml", r"pacing_ms = (\d+)"),
}

_NGINX = "etc/nginx/nginx.conf"
_API = "etc/nginx/locations/lims-api.conf"
_CORS = "etc/nginx/includes/cors.conf"
_TIMEOUTS = "etc/nginx/conf.d/timeouts.conf"
_WEBSOCKET = "etc/nginx/includes/websocket.conf"
_LABORATORY = "opt/lims/api/laboratory.py"
_ORIGIN = "add_header Access-Control-Allow-Origin $cors_origin always;\n"
EDITS = {
    "client_prefix": [("src/lims-web/src/environments/environment.prod.ts", "/lims/api/v2'", "/lims/api/v3'")],
    # Not outside of the location around it, which nginx would refuse.
    "gateway_prefix": [(_API, "location /lims/api/v2/ {", "location /lims/v2/ {"),
                       (_API, "location = /lims/api/v2/attachments {", "location = /lims/v2/attachments {")],
    "proxy_path": [(_API, "proxy_pass http://lims_api/api/v2/;", "proxy_pass http://lims_api;")],
    "dev_proxy": [("src/lims-web/proxy.conf.json", "/dev-api", "/api")],
    "cors_origin": [(_CORS, r"^https://(lims|bench)\.meridian", r"^https://(portal|bench)\.meridian")],
    "cors_header": [(_CORS, "Authorization, Content-Type, X-Site-Id, X-Correlation-Id", "Authorization, Content-Type, X-Correlation-Id")],
    "rate_limit": [("etc/nginx/conf.d/limits.conf", "rate=100r/s", "rate=45r/m"), (_NGINX, "burst=60 nodelay", "burst=2 nodelay")],
    "body_limit": [(_API, "client_max_body_size 12m;", "client_max_body_size 12k;")],
    "short_timeout": [(_TIMEOUTS, "proxy_read_timeout 30s;", "proxy_read_timeout 500ms;")],
    "no_upgrade": [(_WEBSOCKET, "proxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection \"upgrade\";\n", "")],
    "redirect_loop": [(_NGINX, "        location /lims/ {\n", "        if ($http_x_forwarded_proto != https) {\n"
                       "            return 301 $scheme://$http_host$request_uri;\n        }\n\n        location /lims/ {\n")],
    "deny": [("etc/nginx/includes/networks.conf", "allow 127.0.0.0/8;\n", "")],
    "nginx_syntax": [(_API, "        client_max_body_size 12m;\n", "        client_max_body_size 24m\n")],
    "config_syntax": [(_PRODUCTION, '"RetentionDays": 90,\n', '"RetentionDays": 120\n')],
    # Bad releases.
    "bad_endpoint": [(_LABORATORY, '"cap": row["colour"]} for', '"cap": row["colour"], "rack": row["rack"]} for')],
    "slow_query": [(_LABORATORY, '"SELECT id, sample, colour FROM tubes ORDER BY id LIMIT 80"',
                    '"SELECT t.id, t.sample, t.colour FROM tubes t, tubes u, samples s, samples r "\n'
                    '                                   "WHERE u.sample <= t.sample GROUP BY t.id ORDER BY count(*), t.id LIMIT 80"')],
    "no_second_attempt": [("etc/nginx/includes/proxy.conf", "proxy_next_upstream error timeout;", "proxy_next_upstream off;"),
                          ("etc/nginx/conf.d/upstreams/lims-api.conf", "max_fails=2 fail_timeout=5s", "max_fails=0")],
    # Two lines, as if a browser took a list.
    "cors_twice": [(_CORS, _ORIGIN, _ORIGIN + 'add_header Access-Control-Allow-Origin "https://bench.meridian.example" always;\n')],
    # Innocent ones.
    "innocent_frontend": [("src/lims-web/src/index.html", "<title>Meridian LIMS</title>", "<title>Meridian LIMS: samples and orders</title>")],
    "innocent_gateway": [(_NGINX, "server_name lims.meridian.example;", "server_name lims.meridian.example www.lims.meridian.example;")],
    "innocent_settings": [(_PRODUCTION, '"UrgentSurcharge": 14.50', '"UrgentSurcharge": 15.00')],
    "innocent_code": [("opt/lims/api/paperwork.py", '"""Scanned forms, and the figures of a month."""',
                       '"""Scanned forms, and the figures that the board reads each month."""')],
}
