"""System E's calls, settings and named edits (see harness/system.py)."""
from harness.system import Call, Setting

_WEB = {"X-Bibliotheque": "centre"}
_JSON = {**_WEB, "Content-Type": "application/json"}


def _call(path, *more, **options):
    """The gateway knows a dated version, the service its own name."""
    return Call("/rest/2023-11" + path, "/opac" + path, *more, **options)


CALLS = {
    "static": _call("/themes", headers=_WEB),
    "read": _call("/notices", headers=_WEB),
    "other": _call("/exemplaires", headers=_WEB),
    "write": _call("/reservations", "POST", b'{"notice": 77}', _JSON),
    "cache": _call("/selection", headers=_WEB),
    "login": Call("/rest/2023-11/lecteurs/session", "/session", "POST", b'{"carte": "V-1042", "code": "3190"}', _JSON, program="lecteurs"),
    "private": _call("/prets", headers=_WEB, private=True),
    "upload": _call("/numerisations", "POST", b"II*\x00" + b"x" * 28000, {**_WEB, "Content-Type": "image/tiff"}),
    "partner": _call("/couvertures", headers=_WEB),
    "slow": _call("/bilans/mensuel", headers=_WEB),
    "live": Call("/flux", "/opac/flux"),
}

_VALUES = "infra/compose/values.yaml"
_ENV = "infra/compose/env/opac.env"
SETTINGS = {
    "database_password": Setting("secrets/opac_db_password", r"(\S+)"),
    "cache_password": Setting("secrets/redis_password", r"(\S+)"),
    "partner_host": Setting(_ENV, r"JAQUETTES_URL=http://([^:]*):"),
    "partner_port": Setting(_ENV, r"JAQUETTES_URL=http://[^:]*:(\d+)"),
    "secret": Setting("secrets/opac_jeton_cle", r"(\S+)"),
    "twin_secret": Setting("secrets/lecteurs_jeton_cle", r"(\S+)"),
    "upload_folder": Setting(_VALUES, r"numerisations: (\S*)"),
    "pool_size": Setting(_VALUES, r"pool:\n    size: (\d+)"),
    "limit_value": Setting(_VALUES, r"maxParLecteur: (\d+)"),
    "partner_delay_ms": Setting("infra/compose/jaquettes/config.yaml", r"delai_ms: (\d+)"),
}

_SITE = "infra/nginx/sites-available/api.valmont.example"
_UPSTREAMS = "infra/nginx/conf.d/amonts.conf"
_LIMITS = "infra/nginx/conf.d/limites.conf"
_PROXY = "infra/nginx/snippets/proxy.conf"
_CATALOGUE = "apps/opac/catalogue.py"
_REST = "    location /rest/2023-11/ {\n"
EDITS = {
    "client_prefix": [("catalogue-web/public/config.js", "apiVersion: '2023-11'", "apiVersion: '2024-05'")],
    "gateway_prefix": [(_SITE, _REST, "    location /2023-11/ {\n")],
    # A rewrite beside proxy_pass does here what its slash does elsewhere.
    "proxy_path": [(_SITE, "rewrite ^/rest/2023-11/(.*)$ /opac/$1 break;", "rewrite ^/rest/2023-11/(.*)$ /$1 break;")],
    "dev_proxy": [("catalogue-web/vite.config.js", r"replace(/^\/bff/, '/rest')", r"replace(/^\/api/, '/rest')")],
    "cors_origin": [("infra/nginx/conf.d/cors.conf", "(catalogue|pro)", "(portail|pro)")],
    "cors_header": [("infra/nginx/snippets/cors.conf", "Authorization, Content-Type, X-Bibliotheque", "Authorization, Content-Type")],
    "rate_limit": [(_LIMITS, "rate=120r/s", "rate=40r/m"), (_SITE, "burst=80 nodelay", "burst=1 nodelay")],
    "body_limit": [(_LIMITS, "client_max_body_size 16m;", "client_max_body_size 16k;")],
    "short_timeout": [(_LIMITS, "proxy_read_timeout 30s;", "proxy_read_timeout 450ms;")],
    "no_upgrade": [("infra/nginx/snippets/websocket.conf", "proxy_set_header Connection $connection_upgrade;\n", "")],
    "redirect_loop": [(_SITE, _REST, _REST + "        rewrite ^(/rest/.*)$ $1 permanent;\n")],
    "deny": [("infra/nginx/snippets/acces.conf", "allow all;\n", "allow 192.168.12.0/24;\ndeny all;\n")],
    "nginx_syntax": [(_LIMITS, "map $http_upgrade $connection_upgrade {\n    default upgrade;\n    \"\"      \"\";\n}\n",
                      "map $http_upgrade $connection_upgrade {\n    default upgrade;\n    \"\"      \"\";\n")],
    "config_syntax": [(_VALUES, "    maxParLecteur: 12\n", "\tmaxParLecteur: 12\n")],
    # Bad releases.
    "bad_endpoint": [(_CATALOGUE, '"site": ligne["site"]} for', '"site": ligne["site"], "rayon": ligne["rayon"]} for')],
    "slow_query": [(_CATALOGUE, '"SELECT id, notice, site FROM exemplaires ORDER BY id LIMIT 80"',
                    '"SELECT e.id, e.notice, e.site FROM exemplaires e, exemplaires f, notices n, notices m "\n'
                    '                                  "WHERE f.notice <= e.notice GROUP BY e.id ORDER BY count(*), e.id LIMIT 80"')],
    "no_second_attempt": [(_PROXY, "proxy_next_upstream error;", "proxy_next_upstream off;"),
                          (_UPSTREAMS, " weight=2;", " weight=2 max_fails=0;"), (_UPSTREAMS, ";\n    keepalive", " max_fails=0;\n    keepalive")],
    "cors_twice": [(_SITE, "    include snippets/cors.conf;\n",
                    "    include snippets/cors.conf;\n    add_header Access-Control-Allow-Origin $http_origin always;\n")],
    # Innocent ones.
    "innocent_frontend": [("catalogue-web/public/index.html", "<title>Catalogue</title>", "<title>Catalogue des médiathèques</title>")],
    "innocent_gateway": [("infra/nginx/sites-available/catalogue.valmont.example", "server_name catalogue.valmont.example;",
                          "server_name catalogue.valmont.example www.catalogue.valmont.example;")],
    "innocent_settings": [(_VALUES, "parJour: 0.20", "parJour: 0.25")],
    "innocent_code": [("apps/opac/bilans.py", '"""Les bilans du conseil municipal."""', '"""Les bilans que lit le conseil municipal."""')],
}
