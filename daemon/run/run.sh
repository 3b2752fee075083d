#!/bin/bash
# run.sh - everything `make run` does: packages, build, cluster, schema, reference data, daemon; until Ctrl-C
#
# HOTLINE_VAR   folder of data, settings and logs; default ./var, for root /var/lib/hotlined (./var links there)
# HOTLINE_PORT  port of the webhooks, used when hotlined.conf is first written; default 8080
#
# Owns     VAR/hotlined.conf (written once, yours from then on), VAR/hotlined.log, VAR/hotlined.pid, VAR/run.lock.
# Who      the daemon runs as the cluster's OS user: `hotlined` for root, else whoever called. `sudo make run` in a
#          user's own tree installs packages as root and does the rest as that user.
# Ends     Ctrl-C or SIGTERM: the daemon drains, then the cluster stops. Run again: all data is there.
# Limits   a demo on one machine, its clock can be moved; a live installation has a service manager.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/daemon/run

say() { printf '%s\n' "$*"; }
die() { printf 'run: %s\n' "$*" >&2; exit 1; }

# Root's files in a user's tree would lock the user out of it, so a user who called sudo gets the tree back.
hand_back_to_user() {
  [ "$(id -u)" -eq 0 ] && [ "${SUDO_UID:-0}" -ne 0 ] && [ "$(stat -c %u .)" = "$SUDO_UID" ] || return 0
  local user=$SUDO_USER
  unset SUDO_UID SUDO_GID SUDO_USER SUDO_COMMAND
  HOME=$(getent passwd "$user" | cut -d: -f6) USER=$user LOGNAME=$user \
    exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$here/run.sh"
}

choose_places() {
  if [ -n "${HOTLINE_VAR:-}" ]; then
    var=$(realpath -m -- "$HOTLINE_VAR")
  elif [ "$(id -u)" -eq 0 ]; then
    var=/var/lib/hotlined
    [ -e var ] || [ -L var ] || ln -s "$var" var
  else
    var=$PWD/var
    [ "$(realpath -m var)" != /var/lib/hotlined ] ||
      die "var links to root's installation: remove the link var, or set HOTLINE_VAR"
  fi
  conf=$var/hotlined.conf
  log=$var/hotlined.log
  owner=$("$here/cluster.sh" user "$var")
  sockdir=$("$here/cluster.sh" sockdir "$var")
}

as_owner() {
  if [ "$(id -un)" = "$owner" ]; then
    "$@"
  else
    setpriv --reuid="$owner" --regid="$owner" --init-groups -- "$@"
  fi
}

write_conf() {
  local admin=hotlined.sock
  # The socket of the cluster moved to a short path, so ours does too.
  [ "$sockdir" = "$var/sock" ] || admin=$sockdir/hotlined.sock
  as_owner sh -c 'cat >"$1.new" && mv "$1.new" "$1"' sh "$conf" <<CONF
; Written by make run when it was missing; yours from now on. All keys: README.md, or hotlined --config-table
[http]
listen = 127.0.0.1:${HOTLINE_PORT:-8080}
admin_listen = unix:$admin

[spool]
dir = spool

[db]
conninfo = host=$sockdir dbname=hotline user=hotline_daemon

[demo]
clock = yes

; Texts go out over HTTP to the daemon's own sink, as they would to a provider.
[channel loopback]
provider = loopback
from = 12345
send_url = http://127.0.0.1:${HOTLINE_PORT:-8080}/sink/loopback
signature = 县民生热线

[operators]
$(id -un) = admin
CONF
}

listen_address() { as_owner sed -n 's/^[ \t]*listen[ \t]*=[ \t]*\([^ \t;]*\).*/\1/p' "$conf" | head -n 1; }

# Nothing but bash: neither curl nor ss is on every machine.
is_port_taken() { (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; }

is_ready() {
  local status
  { exec 3<>"/dev/tcp/$host/$port"; } 2>/dev/null || return 1
  printf 'GET /readyz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$host" >&3 2>/dev/null || true
  read -r -t 5 _ status _ <&3 || status=
  exec 3>&-
  [ "$status" = 200 ]
}

# Asks a daemon to drain and waits for its end. The shell's own kill: a small installation has no other.
end_process() {
  local try
  as_owner sh -c 'kill -TERM "$1"' sh "$1" 2>/dev/null || true
  for try in $(seq 300); do
    [ -d "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null || return 0
    sleep 0.1
  done
  return 1
}

# A daemon that outlived a killed run.sh is ours by its command line; it drains before a new one starts.
stop_leftover() {
  local pid
  pid=$(as_owner cat "$var/hotlined.pid" 2>/dev/null) || return 0
  [[ $pid =~ ^[0-9]+$ ]] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "-c $conf" || return 0
  say "run: an earlier hotlined (process $pid) is still there; it drains first"
  end_process "$pid" || die "process $pid does not end; its log is $log"
}

stop_all() {
  trap '' INT TERM HUP
  if [ -n "${daemon:-}" ] && kill -0 "$daemon" 2>/dev/null; then
    say "run: draining"
    end_process "$daemon" || say "run: hotlined (process $daemon) does not end; left alone, its log is $log"
  fi
  as_owner rm -f "$var/hotlined.pid"
  "$here/cluster.sh" stop "$var" 9>&-
  say "run: stopped"
}

# The daemon's own copy: root's tree may lie where the service user cannot go.
install_daemon() {
  as_owner mkdir -p "$var/bin"
  as_owner sh -c 'cat >"$1.new" && chmod 700 "$1.new" && mv -f "$1.new" "$1"' sh "$var/bin/hotlined" <build/hotlined
}

start_daemon() {
  # setsid: Ctrl-C in the terminal reaches this script only, which then asks the daemon to drain.
  if [ "$(id -un)" = "$owner" ]; then
    setsid "$var/bin/hotlined" -c "$conf" 9>&- </dev/null >>"$log" 2>&1 &
  else
    : >>"$log"
    chown "$owner:$owner" "$log"
    (cd "$var" && exec setsid setpriv --reuid="$owner" --regid="$owner" --init-groups -- \
      "$var/bin/hotlined" -c "$conf") 9>&- </dev/null >>"$log" 2>&1 &
  fi
  daemon=$!
  echo "$daemon" | as_owner sh -c 'cat >"$1"' sh "$var/hotlined.pid"
}

wait_ready() {
  local try
  for try in $(seq 300); do
    kill -0 "$daemon" 2>/dev/null || return 1
    ! is_ready || return 0
    sleep 0.1
  done
  return 1
}

print_lines() {
  local ctl=build/hotlinectl officer
  [ "$(realpath -m var/hotlined.conf)" = "$conf" ] || ctl="build/hotlinectl -c $conf"
  # The fire brigade's officer, whom the first line's report goes to.
  officer=$(psql -XqAt -h "$sockdir" -U hotline_owner -d hotline -c "
    select p.phone from hl.contact c join hl.person p on p.id = c.person_id
    where c.unit = 'FIR' and c.role = 'officer' and c.is_active order by c.rank, c.id limit 1")
  say "hotlined is ready on http://$address, its log is $log. In a second terminal, one after the other:"
  say
  say "$ctl text +8610000000001 \"锦绣花园3号楼消防通道被私家车堵死了\""
  say "$ctl phone $officer"
  say "$ctl tick --to +4d"
  say
  say "Ctrl-C stops everything; make run goes on with the same data."
}

"$here/deps.sh" run
hand_back_to_user
make -q -s all 2>/dev/null || say "run: building, which takes a minute the first time"
make -s -j"$(nproc)" all
umask 077
choose_places

# One run per folder. The lock goes with this process, however it ends. A first start makes the folder it lies in.
[ -d "$var" ] || "$here/cluster.sh" start "$var"
exec 9>>"$var/run.lock"
flock -n 9 || die "another make run uses $var; stop it first, or set HOTLINE_VAR and HOTLINE_PORT"

trap 'exit 130' INT TERM HUP
trap stop_all EXIT
stop_leftover
"$here/cluster.sh" start "$var" 9>&-
as_owner test -f "$conf" || write_conf
address=$(listen_address)
host=${address%:*}
port=${address##*:}
[ -z "${HOTLINE_PORT:-}" ] || [ "$HOTLINE_PORT" = "$port" ] ||
  die "HOTLINE_PORT is $HOTLINE_PORT but $conf says listen = $address: change it there (listen and send_url)"
! is_port_taken || die "port $port on $host is in use by another program: stop it, or change listen and send_url in $conf"

build/hotlinectl -c "$conf" migrate
build/hotlinectl -c "$conf" import all schema/ref
install_daemon
start_daemon
wait_ready || {
  tail -n 5 "$log" >&2
  die "hotlined did not become ready; its log is $log"
}
trap 'exit 0' INT TERM HUP # from here on this is how it is meant to end
print_lines
code=0
wait "$daemon" || code=$?
die "hotlined ended by itself (code $code); its log is $log"
