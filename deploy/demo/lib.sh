# shellcheck shell=bash disable=SC2034
# What the demo's scripts share. Sourced after `set -euo pipefail`; takes the work folder as $1.
demo_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$(basename "$0")

fail() {
  echo "$program: $*" >&2
  exit 1
}

take_work_folder() {
  [[ $# -eq 1 && $1 != -* ]] || { echo "usage: $program WORKDIR" >&2; exit 2; }
  work=$(realpath -m "$1")
  # The folder's name is written into nginx, YAML and JavaScript files.
  [[ $work =~ ^/[A-Za-z0-9/._+-]+$ ]] || fail "$work: use a folder whose name has letters, digits and . _ + - only"
}

load_demo() {
  [[ -f $work/demo.env ]] || fail "no demo in $work; start one with deploy/demo/up $work"
  # shellcheck disable=SC1091
  source "$work/demo.env"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; its output is dropped.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "$what: not within the time"
    sleep 0.1
  done
}

# pid_of FILE WORD: the living process of a pid file, if it is the one that is meant.
pid_of() {
  local pid
  pid=$(head -n 1 "$1" 2>/dev/null) && [[ -n $pid ]] || return 1
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2" && echo "$pid"
}

# A zombie has ended, too: its parent may take its time.
has_ended() { ! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status" || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"; }

gateway_pid() { pid_of "$work/run/nginx.pid" nginx; }
backend_pid() { pid_of "$work/run/backend.pid" "$work/shop/backend/app.py"; }
database_pid() { pid_of "$work/database/data/postmaster.pid" "$work/database/data"; }

nginx_program() { PATH=$PATH:/usr/sbin command -v nginx || fail "nginx is not installed"; }
gateway() { "$(nginx_program)" -e "$work/logs/gateway-error.log" -p "$work" -c "$work/shop/gateway/nginx.conf" "$@"; }

postgres_folder() {
  local folders
  folders=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V) || fail "PostgreSQL is not installed"
  tail -n 1 <<<"$folders"
}

# The distribution's packages may not be there for another Python that stands first in PATH.
find_python() {
  local candidate
  for candidate in /usr/bin/python3 python3; do
    "$candidate" -c 'import aiohttp, asyncpg' 2>/dev/null && { echo "$candidate"; return; }
  done
  fail "python3-aiohttp and python3-asyncpg are needed (see deploy/packages.txt)"
}

# PostgreSQL refuses to run as root.
as_database_owner() {
  if ((EUID == 0)); then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# commit AUTHOR EMAIL DATE MESSAGE: everything that changed in the shop's repository.
commit() {
  git -C "$work/shop" add -A
  GIT_AUTHOR_DATE=$3 GIT_COMMITTER_DATE=$3 git -C "$work/shop" -c "user.name=$1" -c "user.email=$2" -c commit.gpgsign=false \
    commit -q --no-verify -m "$4"
}
