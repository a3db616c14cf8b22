#!/bin/bash
set -euo pipefail
cd "$(dirname "$0")/.."
export PGSERVICEFILE="$PWD/conf/pg_service.conf" PGSERVICE=lindenhof
exec /usr/bin/python3 -u courier/courier.py "@WORK@/state/outbox"
