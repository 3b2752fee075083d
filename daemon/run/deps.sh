#!/bin/bash
# deps.sh {run|check} - installs the Debian packages that are missing, and only those
#
# run    what building and running the gateway needs
# check  the same and what the tests and lints need
# Nothing is done, not even apt-get update, when every package is there. Says what it will do before
# it does it. Uses sudo when not root.
# Leaves no service running that was not there before: no PostgreSQL `main` cluster, no Kannel boxes, no Prometheus.
# Limits: Debian 12 and its relatives; package versions are what the distribution ships.
set -euo pipefail

run_packages=(gcc make pkg-config libc6-dev libevent-dev libcurl4-openssl-dev libjansson-dev libpq-dev libinih-dev
  libcmocka-dev libutf8proc-dev libicu-dev libcsv-dev libical-dev libssl-dev liblinear-dev ca-certificates postgresql
  libturbojpeg0-dev libpng-dev libxlsxwriter-dev libpango1.0-dev libcairo2-dev libqrencode-dev fonts-noto-cjk)
check_packages=(git python3 python3-pytest python3-pytest-xdist python3-psycopg2 kannel kannel-extras prometheus clang
  clang-tidy clang-format cppcheck universal-ctags libclang-rt-14-dev
  poppler-utils python3-openpyxl espeak-ng)

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

case "${1:-}" in
run) wanted=("${run_packages[@]}") ;;
check) wanted=("${run_packages[@]}" "${check_packages[@]}") ;;
*) die "usage: deps.sh {run|check}" ;;
esac

command -v dpkg-query >/dev/null || die "this is not a Debian system: install ${wanted[*]} in your system's way"
missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
  die "these packages are missing and sudo is not there. As root: apt-get install -y ${missing[*]}"
fi
say "will install with apt-get: ${missing[*]}"

# The `main` cluster that postgresql creates by default is not ours and would listen on TCP.
createcluster=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgresql "* ]] && ! grep -qs '^ *create_main_cluster *= *false' "$createcluster"; then
  say "will write create_main_cluster = false to $createcluster, so that no PostgreSQL of its own starts"
  as_root mkdir -p "${createcluster%/*}"
  printf 'create_main_cluster = false\n' | as_root tee -a "$createcluster" >/dev/null
fi

# While packages are set up, these services may not start; whatever policy was there before comes back.
policy=/usr/sbin/policy-rc.d
saved=
restore_policy() {
  as_root rm -f "$policy"
  [ -z "$saved" ] || as_root mv "$saved" "$policy"
}
if [ -e "$policy" ] || [ -L "$policy" ]; then
  saved=$policy.before-hotline
  [ ! -e "$saved" ] || die "$saved is left from a broken run: move it back to $policy or remove it"
  as_root mv "$policy" "$saved"
fi
trap restore_policy EXIT
trap 'exit 130' INT TERM
as_root tee "$policy" >/dev/null <<POLICY
#!/bin/sh
case "\$1" in kannel*|postgresql*|prometheus*) exit 101 ;; esac
[ ! -x "${saved:-/nonexistent}" ] || exec "${saved:-/nonexistent}" "\$@"
exit 0
POLICY
as_root chmod 755 "$policy"

as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"

# Nor after the next start of the machine.
for service in kannel prometheus; do
  [[ " ${missing[*]} " != *" $service "* ]] || as_root update-rc.d "$service" disable >/dev/null 2>&1 ||
    say "could not disable the service $service: see update-rc.d"
done
say "done"
