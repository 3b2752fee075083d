#!/bin/sh
# modem-hook.sh - hands what a modem received to hotlined; nothing is lost while hotlined is away.
#
#   smstools3    eventhandler = .../modem-hook.sh                    called as: EVENT FILE [ID]
#   gammu-smsd   RunOnReceive = .../modem-hook.sh                    called as: INBOX-FILE ..., texts in the environment
#   cron         * * * * * .../modem-hook.sh                         sends again what is left
#
# HOTLINE_HOOK_CONF (default /etc/hotline/modem-hook) names a file of mode 0600 with two lines: URL/hook/NAME/SECRET, and
# the spool's folder. Everything is written to the spool first, under a name that is whole only when it is, and taken away
# after a 200. curl reads the URL from that file, so that the secret is in no list of processes. No text ever passes
# through a shell word that is evaluated.
set -eu
umask 077

conf=${HOTLINE_HOOK_CONF:-/etc/hotline/modem-hook}
{ read -r url && read -r spool; } < "$conf"
mkdir -p "$spool"

# spool KIND: standard input becomes one entry; names sort by time.
spool() {
	new=$(mktemp "$spool/.new.XXXXXX")
	cat > "$new"
	mv "$new" "$spool/$(date +%s%N).$$.$1"
}

# field NAME VALUE: one field of a form, percent-encoded byte by byte.
field() {
	printf '%s=' "$1"
	printf '%s' "$2" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g'
}

# What tells two like texts of one phone apart where gammu names no time (before 1.43): the date, time and serial number in
# the name of its inbox file, else the moment of the call. It stays with the entry, so a second try is the same text.
named_time() {
	case ${1##*/} in
	IN????????_??????_??_*) printf '%s' "${1##*/}" | cut -c3-20 ;;
	*) date +%s%N ;;
	esac
}

from_gammu() {
	i=1
	while [ "$i" -le "${SMS_MESSAGES:-0}" ]; do
		number=$(printenv "SMS_${i}_NUMBER" || :)
		text=$(printenv "SMS_${i}_TEXT" || :)
		time=$(printenv "SMS_${i}_DATETIME" || :)
		[ -n "$time" ] || time=$(named_time "${1:-}")
		# A long text is there as a whole; its parts are left.
		if [ "${DECODED_PARTS:-0}" -gt 0 ]; then
			text=$(printenv DECODED_0_TEXT || :)
			i=$SMS_MESSAGES
		fi
		# A receipt is no text: it names what was sent.
		report=$(printenv "SMS_${i}_SENT_ID" || :)
		if [ -n "$number" ] && [ -n "$text" ] && [ -z "$report" ]; then
			{ field number "$number"; printf '&'; field text "$text"; printf '&'; field time "$time"; } | spool form
		fi
		i=$((i + 1))
		[ $# -eq 0 ] || shift
	done
}

# One at a time; whoever comes meanwhile leaves its entry to the one at work or to cron.
deliver() {
	exec 9> "$spool/.lock"
	flock -n 9 || exit 0
	for entry in "$spool"/[0-9]*; do
		[ -e "$entry" ] || continue
		case $entry in
		*.file) query='?event=RECEIVED' type=application/octet-stream ;;
		*) query='' type=application/x-www-form-urlencoded ;;
		esac
		status=$(printf 'url = "%s%s"\n' "$url" "$query" |
			curl -sS -m 30 -o /dev/null -w '%{http_code}' -K - -H "Content-Type: $type" --data-binary "@$entry") || exit 0
		case $status in
		200) rm -f "$entry" ;;
		400 | 413) mv "$entry" "$spool/.refused.${entry##*/}" ;; # will never pass: kept for a look
		*) exit 0 ;;
		esac
	done
}

if [ "${1:-}" = RECEIVED ]; then
	spool file < "$2"
elif [ -n "${SMS_MESSAGES:-}" ]; then
	from_gammu "$@"
fi
deliver
