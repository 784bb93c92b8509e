#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# store.sh ROOT FIRST: a store from the programs installed in ROOT, each under its own account and with the
# files where its service has them. Runs in namespaces of its own, which end with it. TAP from number FIRST + 1.
set -uo pipefail
root=$1
n=$2
failed=0
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
ip link set lo up
mkdir -p "$root/run/sim"

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

# as USER COMMAND...
as() {
	local user=$1
	shift
	# The program itself, so that the one to be stopped is the one that was started.
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent "XDG_CACHE_HOME=/var/cache/$user" \
		chroot --userspec="$user:$user" "$root" "$@"
}

state_dir() {
	install -d -m 0700 -o "$(owner "$1" -u)" -g "$(owner "$1" -g)" "$root/$2"
}

owner() {
	chroot "$root" id "$2" "$1"
}

# await FD PATTERN: the line of a program's output that matches; fails after a minute or at its end.
await() {
	local line
	while IFS= read -r -t 60 -u "$1" line; do
		[[ $line == $2 ]] && { echo "$line"; return 0; }
	done
	return 1
}

ctl() {
	GONDOLA_PASSWORD=$password chroot "$root" gondolactl --ca /var/lib/gondola/ca/ca.pem --user admin "$@"
}

start_controller() {
	state_dir gondola var/lib/gondola
	state_dir gondola var/cache/gondola
	exec {controller}< <(as gondola gondolad --config /etc/gondola/gondolad.conf 2>"$root/run/gondolad.log")
	password=$(await "$controller" 'first password for admin: *') && password=${password##* } &&
		await "$controller" 'gondolad ready *' || { cat "$root/run/gondolad.log"; return 1; }
}

start_agent() {
	sed -i 's|^# controller = .*|controller = "https://127.0.0.1:8444"|; s|^\t# hci = .*|hci = "unix:/run/sim/ap1.hci"|
		s|^\t# link = .*|link = "bridge:/run/sim/ap1.link"|' "$root/etc/gondola/agent.conf"
	ctl join-code | grep -o 'GJ1-[A-Za-z0-9-]*' >"$root/etc/gondola/join-code" || return 1
	chmod 0640 "$root/etc/gondola/join-code"
	chgrp "$(owner gondola-agent -g)" "$root/etc/gondola/join-code"
	state_dir gondola-agent var/lib/gondola-agent
	exec {agent}< <(as gondola-agent gondola-agent --config /etc/gondola/agent.conf 2>"$root/run/agent.log")
	await "$agent" 'gondola-agent ready *' || { cat "$root/run/agent.log"; return 1; }
}

# The simulator runs under the agent's account, so that its sockets are open to it.
start_simulator() {
	chown "$(owner gondola-agent -u)" "$root/run/sim"
	sed 's|/tmp/gondola-ap1|/run/sim/ap1|' "$root/usr/share/doc/gondola-sim/examples/store.conf" >"$root/run/sim/store.conf"
	exec {simulator}< <(as gondola-agent gondola-sim store --config /run/sim/store.conf 2>"$root/run/sim.log")
	await "$simulator" 'gondola-sim ready*' || { cat "$root/run/sim.log"; return 1; }
}

healthy() {
	curl -sS --fail --max-time 20 --cacert "$root/var/lib/gondola/ca/ca.pem" https://127.0.0.1:8443/healthz
}

serves_pages() {
	curl -sS --fail --max-time 20 --cacert "$root/var/lib/gondola/ca/ca.pem" https://127.0.0.1:8443/ | grep -q '<script'
}

no_root_files() {
	! find "$root/var/lib/gondola" "$root/var/lib/gondola-agent" -uid 0 | grep .
}

# seen PATTERN VERB...: what gondolactl prints will match, as soon as the event after which it does has come.
seen() {
	local pattern=$1
	shift
	ctl "$@" | grep -qE "$pattern" && return 0
	while IFS= read -r -t 60 -u "$events" _; do
		ctl "$@" | grep -qE "$pattern" && return 0
	done
	ctl "$@"
	return 1
}

start_reader() {
	ctl readers set "$(ctl --json agents list | grep -oE '"name": ?"[^"]*"' | head -n 1 | cut -d '"' -f 4)" r1 127.0.0.1:5084 --antennas 1,2
}

# Into this shell: the password and the pipes of the daemons are needed afterwards.
start_controller >"$root/run/started" 2>&1
check 'gondolad starts on its default configuration under its own account' test -n "${password:-}"
check 'it answers that it is well' healthy
check 'it serves the pages of its package' serves_pages
check 'gondolactl signs in and asks for the state of the store' ctl status
exec {events}< <(ctl events 2>&1)
start_simulator >"$root/run/started" 2>&1
check 'the simulator runs the example store' grep -q ready "$root/run/started"
start_agent >"$root/run/started" 2>&1
check 'an agent joins with a code from a file' grep -q ready "$root/run/started"
check 'the agent is given a reader' start_reader
check 'the goods of the store are seen' seen '"total": ?[1-9]' --json stock
check 'the labels of the store are heard' seen '"id": ?"[0-9A-F]{12}"' --json labels list
check 'no file of their state belongs to root' no_root_files
echo '# store done'
exit $failed
