# SPDX-License-Identifier: Apache-2.0
# What the tests of the packages share. Sourced by bash; expects $n, $failed and, for ctl, $root and $password.

# check NAME COMMAND...: what the command prints is shown if it fails.
check() {
	local name=$1 out
	shift
	n=$((n + 1))
	if out=$("$@" 2>&1); then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' <<<"$out"
		failed=1
	fi
}

# await FD PATTERN: the line of a program's output that matches; fails after a minute or at its end.
await() {
	local line until=$((SECONDS + 60))
	while [ $SECONDS -lt $until ] && IFS= read -r -t 60 -u "$1" line; do
		[[ $line == $2 ]] && { echo "$line"; return 0; }
	done
	return 1
}

# The command line as root on the controller's host has it.
ctl() {
	GONDOLA_PASSWORD=$password command_in_root gondolactl --ca /var/lib/gondola/ca/ca.pem --user admin "$@"
}

# follow_events: from here on, seen() can wait for something to happen.
follow_events() {
	exec {events}< <(ctl events 2>&1)
}

# seen PATTERN VERB...: what gondolactl prints will match, as soon as the event after which it does has come.
seen() {
	local pattern=$1 until=$((SECONDS + 60))
	shift
	ctl "$@" | grep -qE "$pattern" && return 0
	while [ $SECONDS -lt $until ] && IFS= read -r -t 60 -u "$events" _; do
		ctl "$@" | grep -qE "$pattern" && return 0
	done
	ctl "$@"
	return 1
}

# give_reader: the reader of the example store, to the one agent there is.
give_reader() {
	ctl readers set "$(ctl --json agents list | sed -nE 's/.*"name": ?"([^"]*)".*/\1/p' | head -n 1)" \
		r1 127.0.0.1:5084 --antennas 1,2
}

# set_up_agent: controller, radio and join code, as the manual page says.
set_up_agent() {
	sed -i 's|^# controller = .*|controller = "https://127.0.0.1:8444"|; s|^\t# hci = .*|hci = "unix:/run/label-radio/ap1.hci"|' "$root/etc/gondola/agent.conf"
	chroot "$root" install -m 0640 -g gondola-agent /dev/null /etc/gondola/join-code &&
		ctl join-code | grep -o 'GJ1-[A-Za-z0-9-]*' >"$root/etc/gondola/join-code"
}

fetch() {
	curl -sS --fail --max-time 20 --cacert "$root/var/lib/gondola/ca/ca.pem" "https://127.0.0.1:8443$1"
}
