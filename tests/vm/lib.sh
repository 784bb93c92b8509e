# SPDX-License-Identifier: Apache-2.0
# What scripts in the virtual machine share: tests in TAP, waiting for something to come true, the system bus and
# bluetoothd. Sourced by bash. A script calls check for each of its sentences and ends with `finish`.

: "${top_srcdir:?}" "${top_builddir:?}"
tests=0 failures=0
started=()

note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# check SENTENCE COMMAND...: one test; what the command printed is shown when it failed.
check() {
	local sentence=$1 output
	shift
	tests=$((tests + 1))
	if output=$("$@" 2>&1); then
		echo "ok $tests - $sentence"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $sentence"
		note "$*"
		[ -z "$output" ] || note "$output"
	fi
}

# skip SENTENCE REASON...
skip() {
	local sentence=$1
	shift
	tests=$((tests + 1))
	echo "ok $tests - $sentence # SKIP $*"
}

# Ends the script: the plan, and 1 when anything failed.
finish() {
	local p
	for p in "${started[@]}"; do
		kill "$p" 2>/dev/null
	done
	echo "1..$tests"
	[ "$failures" = 0 ]
	exit
}

# until_true SECONDS COMMAND...: asks again and again. What it printed last is printed when time is up. The seconds are those of
# an idle machine; a busy one gets VM_PATIENCE (4) times as many.
until_true() {
	local end=$((SECONDS + $1 * ${VM_PATIENCE:-4})) output
	shift
	until output=$("$@" 2>&1); do
		if [ "$SECONDS" -ge "$end" ]; then
			printf '%s\n' "$output"
			return 1
		fi
		sleep 0.2
	done
	printf '%s\n' "$output"
}

# daemon NAME COMMAND...: in the background; its output goes to /out/NAME.log, its process id to $daemon_pid.
daemon() {
	local name=$1
	shift
	"$@" >>"/out/$name.log" 2>&1 &
	daemon_pid=$!
	started+=("$daemon_pid")
}

contains() {
	local text=$1
	shift
	"$@" 2>&1 | grep -F -- "$text"
}

log_has() {
	grep -F -- "$2" "/out/$1.log"
}

# The system bus; BlueZ's and our own names may be taken by root, as everywhere.
system_bus() {
	mkdir -p /run/dbus
	dbus-daemon --system --fork --nopidfile
}

# Nothing in it broke; it would go on with half of it.
kernel_is_well() {
	! dmesg | grep -E "kernel BUG|Oops|corruption|KASAN|general protection|blocked for more than"
}

on_bus() {
	dbus-send --system --print-reply=literal --dest=org.freedesktop.DBus /org/freedesktop/DBus \
		org.freedesktop.DBus.NameHasOwner "string:$1" | grep -F true
}

# bluetooth_daemon [ARGUMENT...]: Debian's bluetoothd, talkative, in /out/bluetoothd.log.
bluetooth_daemon() {
	daemon bluetoothd /usr/libexec/bluetooth/bluetoothd -n -d -E "$@"
	bluetoothd_pid=$daemon_pid
	until_true 30 on_bus org.bluez >/dev/null
}
