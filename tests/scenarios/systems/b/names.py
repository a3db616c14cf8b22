"""System B's calls, settings and named edits (see harness/system.py)."""
from harness.system import Call, Setting

_JSON = {"Content-Type": "application/json"}

CALLS = {
    "static": Call("/freight/zones", "/zones"),
    "read": Call("/freight/shipments", "/shipments"),
    "other": Call("/freight/parcels", "/parcels"),
    "write": Call("/freight/bookings", "/bookings", "POST", b'{"parcel": 11, "kg": 2}', _JSON),
    "cache": Call("/freight/draft", "/draft"),
    "login": Call("/id/login", "/id/login", "POST", b'{"name": "olga", "pass": "anchor"}', _JSON, program="gatehouse"),
    "private": Call("/freight/bookings", "/bookings", private=True),
    "upload": Call("/freight/scans", "/scans", "POST", b"\x89PNG" + b"x" * 30000, {"Content-Type": "image/png"}),
    "partner": Call("/freight/quote", "/quote"),
    "slow": Call("/freight/days/today", "/days/today"),
    "live": Call("/ws/events", "/ws/events"),
}

_TOML = "etc/manifest/manifest.toml"
SETTINGS = {
    "database_password": Setting(_TOML, r'user = "freight"\npassword = "([^"]*)"'),
    "cache_password": Setting(_TOML, r'db = 3\npassword = "([^"]*)"'),
    "partner_host": Setting(_TOML, r'\[tariff\]\nhost = "([^"]*)"'),
    "partner_port": Setting(_TOML, r'\[tariff\]\nhost = "[^"]*"\nport = (\d+)'),
    "secret": Setting(_TOML, r'signing_key = "([^"]*)"'),
    "twin_secret": Setting("etc/gatehouse/gatehouse.ini", r"signing_key = (\S*)"),
    "upload_folder": Setting(_TOML, r'scans = "([^"]*)"'),
    "pool_size": Setting(_TOML, r"size = (\d+)"),
    "limit_value": Setting(_TOML, r"max_weight_kg = (\d+)"),
    "partner_delay_ms": Setting("etc/tariffd.yml", r"carrier_delay_ms: (\d+)"),
}

_SITE = "etc/nginx/sites-available/portal.conf"
_LIMITS = "etc/nginx/snippets/limits.conf"
_FREIGHT = "    location /freight/ {\n"
_TO_MANIFEST = "        rewrite ^/freight/(.*)$ /$1 break;\n"
EDITS = {
    "client_prefix": [("srv/portal/.env.production", "VITE_FREIGHT_BASE=/freight\n", "VITE_FREIGHT_BASE=/freight/v2\n")],
    "gateway_prefix": [(_SITE, _FREIGHT, "    location /fre/ {\n")],
    "proxy_path": [(_SITE, _TO_MANIFEST, "")],
    "dev_proxy": [("srv/portal/vite.config.ts", "'/freight': edge,", "'/api/freight': edge,")],
    "cors_origin": [(_TOML, '  "https://portal.parcels.example",\n', "")],
    "cors_header": [(_TOML, 'headers = ["Authorization", "Content-Type"]', 'headers = ["Content-Type"]')],
    "rate_limit": [(_LIMITS, "rate=150r/s", "rate=1r/s"), (_SITE, "burst=80 nodelay", "burst=1 nodelay")],
    "body_limit": [(_LIMITS, "client_max_body_size 8m;", "client_max_body_size 16k;")],
    "short_timeout": [(_LIMITS, "proxy_read_timeout 15s;", "proxy_read_timeout 300ms;")],
    "no_upgrade": [(_SITE, "        include snippets/upgrade.conf;\n", "")],
    "redirect_loop": [(_SITE, _TO_MANIFEST, "        if ($http_x_forwarded_proto != https) {\n"
                       "            return 301 $scheme://$http_host$request_uri;\n        }\n" + _TO_MANIFEST)],
    "deny": [(_SITE, _FREIGHT, _FREIGHT + "        allow 10.20.0.0/16;\n        deny all;\n")],
    "nginx_syntax": [(_SITE, "        try_files $uri /index.html;\n", "        try_files $uri /index.html\n")],
    "config_syntax": [(_TOML, '"http://localhost:4173",\n]', '"http://localhost:4173",\n')],
    # Bad releases.
    "bad_endpoint": [("srv/manifest/handlers.py", '"kg": grams / 1000} for', '"kg": grams / 1000, "volume": row.volume} for')],
    "slow_query": [("srv/manifest/handlers.py", '"SELECT id, depot, grams FROM parcels ORDER BY id LIMIT 60"',
                    '"SELECT p.id, p.depot, p.grams FROM parcels p, parcels q, parcels r, shipments s '
                    'WHERE s.id < 9 GROUP BY p.id ORDER BY count(*), p.id LIMIT 60"')],
    "cors_twice": [(_SITE, _TO_MANIFEST, "        add_header Access-Control-Allow-Origin $http_origin always;\n" + _TO_MANIFEST)],
    # Innocent ones.
    "innocent_frontend": [("srv/portal/public/index.html", "<title>Parcels</title>", "<title>Parcels: the desk</title>")],
    "innocent_gateway": [("etc/nginx/sites-available/status.conf", "server_name status.parcels.example;",
                          "server_name status.parcels.example health.parcels.example;")],
    "innocent_settings": [(_TOML, "islands = 9.50", "islands = 9.80")],
    "innocent_code": [("srv/manifest/day.py", '"""Figures of a day."""', '"""Figures of a day, as the depots want them."""')],
}
