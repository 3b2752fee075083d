#!/bin/bash
# cluster.sh {start|stop|status|sockdir|user} DIR - a private PostgreSQL cluster below DIR
#
# start    creates what is missing (cluster, roles, database `hotline`), starts, waits until it answers
# stop     fast shutdown, waits; nothing to stop is no error
# status   one line; exit code 0 running, 3 not running
# sockdir  prints the directory of its Unix socket
# user     prints the OS user that owns and runs it
#
# Owns     DIR/pg (data, with checksums), DIR/postgresql.log, the socket directory.
# Who      started by root, everything belongs to the system user `hotlined` (created when missing) and runs as it;
#          started by anyone else, as that user. PostgreSQL never runs as root.
# Access   Unix socket only, peer authentication. The cluster's OS user and root may take each of the hotline roles.
#          That separation keeps a bug or an injected statement in its role; it does not stop a person who owns the
#          OS user. An installation with a PostgreSQL of its own gives the daemon an OS user of its own.
# Limits   a stale postmaster.pid is PostgreSQL's to judge and never touched here; no backups, no upgrade across
#          major versions (refused with the reason).
set -euo pipefail
umask 077

service_user=hotlined
roles="hotline_owner hotline_daemon hotline_reader hotline_purge"

die() { printf 'cluster: %s\n' "$*" >&2; exit 1; }
[ $# -eq 2 ] || die "usage: cluster.sh {start|stop|status|sockdir|user} DIR"
verb=$1
dir=$(realpath -m -- "$2")

if [ "$(id -u)" -eq 0 ]; then
  owner=$service_user
else
  owner=$(id -un)
fi

# setpriv and not runuser: no session, no process in between, so a signal reaches the one it is meant for.
as_owner() {
  if [ "$(id -un)" = "$owner" ]; then
    "$@"
  else
    (cd / && HOME=$dir exec setpriv --reuid="$owner" --regid="$owner" --init-groups -- "$@")
  fi
}

# A socket's path has 107 bytes, the socket's own name included.
choose_sockdir() {
  sockdir=$dir/sock
  [ ${#sockdir} -le 80 ] || sockdir=/tmp/hotline-$(id -u "$owner" 2>/dev/null || id -u)-$(printf %s "$dir" | cksum | cut -d' ' -f1)
}

make_user() {
  id -u "$owner" >/dev/null 2>&1 && return
  useradd --system --user-group --no-create-home --home-dir /var/lib/hotlined --shell /usr/sbin/nologin "$owner" ||
    id -u "$owner" >/dev/null # made by somebody else in the meantime
}

make_dir() {
  [ ! -L "$1" ] || die "$1 is a symbolic link"
  if [ ! -d "$1" ]; then
    mkdir -p "$(dirname "$1")"
    mkdir -m 700 "$1"
    [ "$(id -un)" = "$owner" ] || chown "$owner:$owner" "$1"
  fi
  [ "$(stat -c %U "$1")" = "$owner" ] || die "$1 belongs to $(stat -c %U "$1"), not to $owner"
}

# An existing cluster keeps its major version, a new one gets the newest installed.
choose_bin() {
  local version
  if as_owner test -f "$dir/pg/PG_VERSION"; then
    version=$(as_owner cat "$dir/pg/PG_VERSION")
    bin=/usr/lib/postgresql/$version/bin
    [ -x "$bin/postgres" ] || die "$dir/pg was made by PostgreSQL $version, which is not installed"
    return
  fi
  version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -n 1)
  [ -n "$version" ] && [ "$version" -ge 15 ] || die "PostgreSQL 15 or newer is not installed (make deps)"
  bin=/usr/lib/postgresql/$version/bin
}

write_as_owner() { as_owner sh -c 'cat >"$1"' sh "$1"; }

write_access() {
  printf 'local all all peer map=hotline\n' | write_as_owner "$dir/pg/pg_hba.conf"
  local user role
  for user in $(printf '%s\n' "$owner" root | sort -u); do
    for role in $roles "$owner"; do
      printf 'hotline %s %s\n' "$user" "$role"
    done
  done | write_as_owner "$dir/pg/pg_ident.conf"
}

# Written at every start, so a changed line here reaches existing installations.
write_settings() {
  write_as_owner "$dir/pg/hotline.conf" <<CONF
# Written by daemon/run/cluster.sh at every start. Put your own settings into postgresql.conf below the include.
listen_addresses = ''
unix_socket_directories = '$sockdir'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
CONF
  as_owner grep -qs "^include 'hotline.conf'" "$dir/pg/postgresql.conf" ||
    as_owner sh -c 'echo "include '\''hotline.conf'\''" >>"$1"' sh "$dir/pg/postgresql.conf"
}

init_cluster() {
  as_owner test -f "$dir/pg/PG_VERSION" && return
  # A first start that was cut short leaves a folder without PG_VERSION; initdb refuses it and says so.
  as_owner "$bin/initdb" --pgdata="$dir/pg" --data-checksums --encoding=UTF8 --locale=C.UTF-8 --auth=peer \
    --username="$owner" >/dev/null
}

is_running() { as_owner "$bin/pg_ctl" -D "$dir/pg" status >/dev/null 2>&1; }
answers() { as_owner "$bin/pg_isready" -q -h "$sockdir" -t 5; }
psql_owner() { as_owner "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$sockdir" -U "$owner" "$@"; }

make_roles() {
  local role
  for role in $roles; do
    [ -n "$(psql_owner -d postgres -c "select 1 from pg_roles where rolname = '$role'")" ] ||
      psql_owner -d postgres -c "create role $role login"
  done
  [ -n "$(psql_owner -d postgres -c "select 1 from pg_database where datname = 'hotline'")" ] ||
    psql_owner -d postgres -c "create database hotline owner hotline_owner"
}

# Server processes whose postmaster was killed notice it only when they wait. One that a client keeps busy lives on,
# holds the old shared memory, and no new server starts.
end_orphans() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/cwd" 2>/dev/null)" != "$dir/pg" ] || [ "$(readlink "$process/exe")" != "$bin/postgres" ] ||
      kill -TERM "${process#/proc/}" 2>/dev/null || true
  done
}

# A server that was killed a moment ago can still hold its lock file until its last process is gone: try again.
start_server() {
  local try
  for try in 1 2 3 4 5; do
    ! answers || return 0
    as_owner "$bin/pg_ctl" -D "$dir/pg" -l "$dir/postgresql.log" -w -t 120 start >/dev/null 2>&1 && return
    as_owner test -f "$dir/pg/postmaster.pid" || break
    is_running || end_orphans
    sleep "$try"
  done
  die "PostgreSQL did not start; the reason is at the end of $dir/postgresql.log"
}

start() {
  [ "$owner" = "$(id -un)" ] || make_user
  choose_sockdir
  make_dir "$dir"
  as_owner test -x "$dir" || die "$owner cannot reach $dir (a folder above it is closed): choose another place"
  make_dir "$sockdir"
  choose_bin
  init_cluster
  write_access
  write_settings
  start_server
  make_roles
}

# Before the first start there is neither user nor data.
is_made() { id -u "$owner" >/dev/null 2>&1 && as_owner test -f "$dir/pg/PG_VERSION"; }

case $verb in
start) start ;;
stop)
  is_made || exit 0
  choose_bin
  ! is_running || as_owner "$bin/pg_ctl" -D "$dir/pg" -m fast -w -t 120 stop >/dev/null
  ;;
status)
  is_made || { echo "no cluster in $dir"; exit 3; }
  choose_bin
  choose_sockdir
  { is_running && answers; } || { echo "not running: $dir/pg"; exit 3; }
  echo "running: $dir/pg as $owner"
  ;;
sockdir)
  choose_sockdir
  echo "$sockdir"
  ;;
user) echo "$owner" ;;
*) die "unknown verb $verb" ;;
esac
