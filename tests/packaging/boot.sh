#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# boot.sh ROOT FIRST: boots ROOT's systemd in namespaces of its own and runs a store from the services as they
# are installed, with all that their units forbid them. TAP from number FIRST + 1. Wants a mount namespace of its own.
set -uo pipefail
root=$1
n=$2
failed=0
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
cgroups=$(mktemp -d)
group=
init=

clean_up() {
	[ -n "$init" ] && kill -9 "$init" && wait "$booting" 2>/dev/null
	[ -n "$group" ] && find "$group" -depth -type d -exec rmdir {} \;
	umount "$cgroups" && rmdir "$cgroups"
	rm -f "$root/var/tmp/booted"
}
trap clean_up EXIT

# cgroup v2 alone, in a group of its own: nothing of the host's is in its reach.
boot() {
	local line
	mount -t cgroup2 cgroup2 "$cgroups" || return 1
	group=$cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)/gondola-test-$$
	mkdir "$group" || return 1
	rm -f "$root/var/tmp/booted"
	mkfifo "$root/var/tmp/booted"
	exec {booted}<>"$root/var/tmp/booted"
	(
		echo "$BASHPID" >"$group/cgroup.procs" &&
			exec unshare --mount --pid --ipc --uts --net --cgroup --fork --kill-child bash "$here/init.sh" "$root"
	) </dev/null >"$root/var/tmp/boot.log" 2>&1 &
	booting=$!
	IFS= read -r -t 60 -u "$booted" line || { cat "$root/var/tmp/boot.log"; return 1; }
	init=$(ps -o pid= --ppid "$booting" | tr -d ' ')
	[ -n "$init" ]
}

command_in_root() {
	nsenter --target "$init" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		${password:+GONDOLA_PASSWORD="$password"} "$@"
}

# journal UNIT PATTERN: waits for a line in the journal of the unit as it runs now.
journal() {
	local lines run
	run=$(command_in_root systemctl show --value --property=InvocationID "$1")
	exec {lines}< <(command_in_root journalctl --follow --lines=all --output=cat "_SYSTEMD_INVOCATION_ID=$run")
	await "$lines" "$2" || { command_in_root journalctl --no-pager --lines=30 --unit="$1"; return 1; }
}

active() {
	[ "$(command_in_root systemctl is-active "$1")" = active ]
}

controller_runs() {
	journal gondolad 'gondolad ready *' && active gondolad
}

# A system that runs is what most installations meet.
first_installation_starts() {
	command_in_root sh -c 'dpkg --purge gondolad gondola-agent &&
		dpkg --install /var/tmp/debs/gondolad_*.deb /var/tmp/debs/gondola-agent_*.deb' || return 1
	controller_runs && ! active gondola-agent
}

answers() {
	nsenter --target "$init" --net curl -sS --fail --max-time 20 \
		--cacert "$root/var/lib/gondola/ca/ca.pem" https://127.0.0.1:8443/healthz
}

reset_password() {
	password=$(command_in_root runuser -u gondola -- \
		gondolad --config /etc/gondola/gondolad.conf --reset-password admin)
	password=${password##* }
	ctl status
}

start_simulator() {
	sed 's|/tmp/gondola-ap1|/run/label-radio/ap1|' "$root/usr/share/doc/gondola-sim/examples/store.conf" >"$root/var/tmp/store.conf"
	command_in_root systemd-run --unit=simulator -p User=gondola-agent -p RuntimeDirectory=label-radio \
		gondola-sim store --config /var/tmp/store.conf && journal simulator 'gondola-sim ready*'
}

agent_joins() {
	set_up_agent && ! active gondola-agent && command_in_root systemctl enable --now gondola-agent &&
		journal gondola-agent 'gondola-agent ready *'
}

reload_works() {
	command_in_root systemctl reload gondolad && journal gondolad '*log level reloaded*'
}

# The fonts' index is the one thing that gondolad writes outside its state.
pictures_are_made() {
	local label
	printf 'gtin,name,price\n4006381333931,Pencil,1.99\n' >"$root/var/tmp/products.csv"
	label=$(ctl --json labels list | grep -oE '"id": ?"[0-9A-F]{12}"' | grep -oE '[0-9A-F]{12}' | head -n 1)
	ctl products import /var/tmp/products.csv && ctl labels link "$label" 4006381333931 &&
		seen '"image": ?"[0-9a-f]{64}"' --json labels show "$label" &&
		ctl labels image --what wanted "$label" /var/tmp/label.png &&
		head -c 4 "$root/var/tmp/label.png" | grep -q PNG &&
		! command_in_root journalctl --no-pager --unit=gondolad | grep -i fontconfig
}

pid_of() {
	command_in_root systemctl show --value --property=MainPID "$1"
}

never_restarted() {
	local unit
	for unit in gondolad gondola-agent; do
		active "$unit" && [ "$(command_in_root systemctl show --value --property=NRestarts $unit)" = 0 ] || return 1
	done
}

upgrade_restarts() {
	local controller agent
	controller=$(pid_of gondolad)
	agent=$(pid_of gondola-agent)
	command_in_root sh -c 'dpkg --install --force-confold /var/tmp/debs/*.deb' && controller_runs &&
		journal gondola-agent 'gondola-agent ready *' &&
		[ "$(pid_of gondolad)" != "$controller" ] && [ "$(pid_of gondola-agent)" != "$agent" ]
}

removal_stops() {
	command_in_root dpkg --remove gondolad gondola-agent && ! active gondolad && ! active gondola-agent
}

if ! boot >"$root/var/tmp/why" 2>&1; then
	n=$((n + 1))
	echo "ok $n - the services run in their units # SKIP systemd does not boot in namespaces here: $(tail -n 1 "$root/var/tmp/why")"
	echo '# store done'
	exit 0
fi
check 'after a boot gondolad runs in its unit' controller_runs
check 'a first installation starts gondolad and leaves the agent alone' first_installation_starts
check 'it answers that it is well' answers
reset_password >"$root/var/tmp/why" 2>&1
check 'a password reset by its account works beside it' grep -q . "$root/var/tmp/why"
check 'it reloads' reload_works
follow_events
check 'a simulated store runs beside it' start_simulator
check 'the agent joins in its unit, once it is enabled' agent_joins
check 'the agent is given a reader' give_reader
check 'the goods of the store are seen' seen '"total": ?[1-9]' --json stock
check 'the labels of the store are heard' seen '"id": ?"[0-9A-F]{12}"' --json labels list
check 'pictures of labels are made in the unit' pictures_are_made
check 'neither service had to be restarted' never_restarted
check 'an upgrade restarts what runs' upgrade_restarts
check 'removal stops what runs' removal_stops
echo '# store done'
exit $failed
