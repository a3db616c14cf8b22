#!/bin/bash
# Starts praxis with its surroundings.
set -euo pipefail
cd "$(dirname "$0")/.."
set -a
. conf/secrets.env
. conf/praxis.env
set +a
ulimit -n 4096
exec /usr/bin/python3 -u -m praxis.boot conf/clinic.yml
