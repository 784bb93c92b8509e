#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the packages of build/deb in a Debian 12 root of its own, runs a store from them, removes and
# purges them. Run by make check-deb; needs root rights, mmdebstrap and a Debian mirror.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
debs=${DEB_DIR:-$top_builddir/deb}
n=0
failed=0
. "$here/lib.sh"

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

[ "$(id -u)" = 0 ] || skip_all 'needs root rights'
for tool in mmdebstrap unshare curl; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
ls "$debs"/gondolad_*.deb >/dev/null 2>&1 || skip_all 'no packages: make deb makes them'

work=$(mktemp -d)
root=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT
mmdebstrap --quiet --variant=apt --components=main bookworm "$root" >"$work/log" 2>&1 ||
	{ sed 's/^/# /' "$work/log"; skip_all 'no Debian root could be made (no mirror?)'; }

# Mounts and processes of a command end with it.
inside() {
	unshare --mount --pid --fork --kill-child sh -c \
		'mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/run" && shift && exec "$@"' \
		sh "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		chroot "$root" "$@"
}

apt() {
	inside apt-get -y -q --no-install-recommends "$@"
}

install_all() {
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	mkdir -p "$root/var/tmp/debs"
	cp "$debs"/*.deb "$root/var/tmp/debs/"
	apt update && inside sh -c 'apt-get -y -q --no-install-recommends install /var/tmp/debs/*.deb'
}

versions_agree() {
	local p version
	for p in gondolad gondola-agent gondolactl gondola-sim; do
		version=$(inside dpkg-query -W -f '${Version}' "$p") || return 1
		[ "$(inside "$p" --version)" = "$p ${version%%-*}" ] || { echo "$p is not of $version"; return 1; }
	done
}

# It says what is missing, and nothing else is wrong with it.
agent_wants_controller() {
	local out
	out=$(inside gondola-agent --check-config 2>&1) && { echo 'taken as it is'; return 1; }
	echo "$out"
	[ "$(grep -c . <<<"$out")" = 1 ] && grep -q 'controller: must be given' <<<"$out" || return 1
	sed 's/^# controller = /controller = /' "$root/etc/gondola/agent.conf" >"$root/var/tmp/agent.conf"
	inside gondola-agent --config /var/tmp/agent.conf --check-config
}

man_pages_are_there() {
	local page
	for page in man8/gondolad.8 man5/gondolad.conf.5 man8/gondola-agent.8 man5/agent.conf.5 \
		man1/gondolactl.1 man1/gondola-sim.1; do
		gzip -dc "$root/usr/share/man/$page.gz" >"$work/page" || return 1
		grep -q '^\.SH' "$work/page" || { echo "$page is empty"; return 1; }
		! grep -q '@TABLE@' "$work/page" || { echo "$page lacks its table"; return 1; }
	done
}

units_are_sound() {
	local out
	out=$(inside systemd-analyze verify --man=no gondolad.service gondola-agent.service 2>&1) || { echo "$out"; return 1; }
	! grep -i gondola <<<"$out"
}

units_are_shut() {
	inside systemd-analyze security --offline=true --threshold=15 --no-pager \
		/lib/systemd/system/gondolad.service /lib/systemd/system/gondola-agent.service
}

# The agent waits until somebody says where its controller is.
only_controller_enabled() {
	[ "$(inside systemctl is-enabled gondolad)" = enabled ] && [ "$(inside systemctl is-enabled gondola-agent)" = disabled ]
}

mode_of() {
	inside stat -c '%a %U:%G' "$1"
}

configuration_is_private() {
	[ "$(mode_of /etc/gondola/gondolad.conf)" = '640 root:gondola' ] &&
		[ "$(mode_of /etc/gondola/agent.conf)" = '640 root:gondola-agent' ]
}

edits_survive() {
	echo 'store_name = "Kept"' >>"$root/etc/gondola/gondolad.conf"
	inside sh -c 'apt-get -y -q --reinstall install /var/tmp/debs/gondolad_*.deb' &&
		grep -q Kept "$root/etc/gondola/gondolad.conf" && configuration_is_private
}

# left ALLOWED: files named for Gondola other than those of the pattern; dpkg keeps its own books.
left() {
	! (cd "$root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/tmp -o -path ./proc -o -path ./run \) -prune \
		-o -ipath '*gondola*' -print) | grep -vE "$1"
}

removal_keeps_state() {
	apt remove gondolad gondola-agent gondolactl gondola-sim || return 1
	[ -f "$root/var/lib/gondola/gondola.db" ] && [ -f "$root/var/lib/gondola-agent/key.pem" ] || return 1
	left '^\./(var/lib/gondola(-agent)?|etc/gondola|var/cache/gondola|(etc|var/lib)/systemd/.*/gondola[a-z-]*\.service(\.dsh-also)?)(/|$)'
}

purge_leaves_nothing() {
	[ -f "$root/etc/gondola/join-code" ] || return 1
	inside dpkg --purge gondolad gondola-agent && left '^$'
}

# part SCRIPT UNSHARE-OPTION...: the script counts on from $n, in namespaces that end with it.
part() {
	local script=$1
	shift
	unshare --mount --fork --kill-child "$@" bash "$here/$script" "$root" "$n" | tee "$work/part.tap"
	[ "${PIPESTATUS[0]}" = 0 ] || failed=1
	n=$((n + $(grep -cE '^(not )?ok ' "$work/part.tap")))
	grep -q '^# store done' "$work/part.tap" || { n=$((n + 1)); echo "not ok $n - $script ran to its end"; failed=1; }
}

# As if nothing had run yet.
forget_store() {
	rm -rf "$root/var/lib/gondola" "$root/var/lib/gondola-agent" "$root/var/cache/gondola" "$root/etc/gondola/join-code"
	inside sh -c 'rm /etc/gondola/agent.conf && dpkg --install --force-confmiss /var/tmp/debs/gondola-agent_*.deb'
}

install_again() {
	inside sh -c 'dpkg --install --force-confold /var/tmp/debs/*.deb'
}

if command -v lintian >/dev/null; then
	check 'lintian finds no error and no warning' \
		bash -c 'lintian --allow-root --fail-on error,warning "$1"/*.changes' bash "$debs"
else
	n=$((n + 1))
	echo "ok $n - lintian finds no error and no warning # SKIP lintian is not installed"
fi
check 'the packages install in a bare Debian 12' install_all
check 'every program says the version of its package' versions_agree
check 'the default configuration of gondolad is good' inside gondolad --config /etc/gondola/gondolad.conf --check-config
check 'the default configuration of the agent lacks its controller and no more' agent_wants_controller
check 'the example of the simulator is good' \
	inside gondola-sim store --config /usr/share/doc/gondola-sim/examples/store.conf --check-config
check 'every man page is there with its table' man_pages_are_there
check 'the units verify' units_are_sound
check 'the units score below 1.5 in systemd-analyze security' units_are_shut
check 'gondolad is enabled, the agent is not' only_controller_enabled
check 'the configuration is readable by its daemon and no other account' configuration_is_private
part store.sh --net --pid
check 'a configuration that was taken away comes back on demand' forget_store
part boot.sh
check 'the packages install over what a removal left' install_again
check 'an edited configuration survives a new installation' edits_survive
check 'removal leaves configuration and state, nothing else' removal_keeps_state
check 'purge leaves nothing' purge_leaves_nothing
echo "1..$n"
exit $failed
