#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# store.sh ROOT FIRST: a store from the programs installed in ROOT, each under its own account and with the
# files where its service has them, without systemd. Runs in namespaces of its own, which end with it. TAP from number FIRST + 1.
set -uo pipefail
root=$1
n=$2
failed=0
. "$(dirname "$0")/lib.sh"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
ip link set lo up

command_in_root() {
	chroot "$root" "$@"
}

# as USER COMMAND...
as() {
	local user=$1
	shift
	# The program itself, so that the one to be stopped is the one that was started.
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent "XDG_CACHE_HOME=/var/cache/$user" \
		chroot --userspec="$user:$user" "$root" "$@"
}

own_dir() {
	chroot "$root" install -d -m 0700 -o "$1" -g "$1" "$2"
}

start_controller() {
	own_dir gondola /var/lib/gondola
	own_dir gondola /var/cache/gondola
	exec {controller}< <(as gondola gondolad --config /etc/gondola/gondolad.conf 2>"$root/run/gondolad.log")
	password=$(await "$controller" 'first password for admin: *') && password=${password##* } &&
		await "$controller" 'gondolad ready *' || { cat "$root/run/gondolad.log"; return 1; }
}

start_agent() {
	set_up_agent || return 1
	own_dir gondola-agent /var/lib/gondola-agent
	exec {agent}< <(as gondola-agent gondola-agent --config /etc/gondola/agent.conf 2>"$root/run/agent.log")
	await "$agent" 'gondola-agent ready *' || { cat "$root/run/agent.log"; return 1; }
}

# The simulator runs under the agent's account, so that its sockets are open to it.
start_simulator() {
	own_dir gondola-agent /run/label-radio
	sed 's|/tmp/gondola-ap1|/run/label-radio/ap1|' "$root/usr/share/doc/gondola-sim/examples/store.conf" >"$root/run/store.conf"
	exec {simulator}< <(as gondola-agent gondola-sim store --config /run/store.conf 2>"$root/run/sim.log")
	await "$simulator" 'gondola-sim ready*' || { cat "$root/run/sim.log"; return 1; }
}

serves_pages() {
	fetch / | grep -q '<script'
}

no_root_files() {
	! find "$root/var/lib/gondola" "$root/var/lib/gondola-agent" -uid 0 | grep .
}

# Into this shell: the password and the pipes of the daemons are needed afterwards.
start_controller >"$root/run/started" 2>&1
check 'gondolad starts on its default configuration under its own account' grep -q ready "$root/run/started"
check 'it answers that it is well' fetch /healthz
check 'it serves the pages of its package' serves_pages
check 'gondolactl signs in and asks for the state of the store' ctl status
follow_events
start_simulator >"$root/run/started" 2>&1
check 'the simulator runs the example store' grep -q ready "$root/run/started"
start_agent >"$root/run/started" 2>&1
check 'an agent joins with a code from a file' grep -q ready "$root/run/started"
check 'the agent is given a reader' give_reader
check 'the goods of the store are seen' seen '"total": ?[1-9]' --json stock
check 'the labels of the store are heard' seen '"id": ?"[0-9A-F]{12}"' --json labels list
check 'no file of their state belongs to root' no_root_files
echo '# store done'
exit $failed
