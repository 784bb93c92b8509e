#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# decode.sh: reads what btmon has recorded in the virtual machines (vm/out-*/bluetooth.btsnoop below the build tree) with a
# decoder that is not ours: the tshark of Debian 13, the first one that knows PAwR, in a root of its own in
# build/vm/trixie that is made once. Every PAwR command and event must be there, and none may be malformed.
set -uo pipefail
build=$(cd "${top_builddir:-.}" && pwd)
root=$build/vm/trixie
tests=0 failures=0

result() {
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
	fi
}

skip_all() {
	echo "1..0 # SKIP $1"
	[ "${REQUIRE_DATA:-}" != 1 ] || exit 1
	exit 0
}

make_root() {
	[ -x "$root/usr/bin/tshark" ] && return 0
	command -v mmdebstrap >/dev/null || return 1
	rm -rf "$root.new" "$root"
	mmdebstrap --quiet --variant=essential --include=tshark trixie "$root.new" >"$build/vm/trixie.log" 2>&1 &&
		mv "$root.new" "$root"
}

# tshark_on FILE ARGUMENT...: reads the capture inside that root.
tshark_on() {
	local file=$1
	shift
	cp "$file" "$root/tmp/capture"
	chroot "$root" tshark -r /tmp/capture "$@" 2>/dev/null
}

captures=("$build"/vm/out-bluetooth*-*/bluetooth.btsnoop)
[ -f "${captures[0]}" ] || skip_all "nothing was recorded yet: make check-vm records it"
make_root || skip_all "no root of Debian 13 can be made (mmdebstrap, or its mirror)"

echo "# $(chroot "$root" tshark --version 2>/dev/null | head -1)"
for capture in "${captures[@]}"; do
	name=$(basename "$(dirname "$capture")")
	bad=$(tshark_on "$capture" -Y '_ws.malformed && (bthci_cmd || bthci_evt)' | head -5)
	[ -z "$bad" ]
	result $? "$name: no HCI packet is malformed"
	[ -z "$bad" ] || sed 's/^/# /' <<<"$bad"
	for want in 0x2086:"Set Periodic Advertising Parameters v2" 0x2082:"Set Periodic Advertising Subevent Data" \
		0x2085:"Extended Create Connection v2" 0x205b:"Periodic Advertising Set Info Transfer"; do
		[ "$(tshark_on "$capture" -Y "bthci_cmd.opcode == ${want%%:*} && !_ws.malformed" | wc -l)" -gt 0 ]
		result $? "$name: LE ${want#*:} is decoded"
	done
	for want in 0x27:"Periodic Advertising Subevent Data Request" 0x28:"Periodic Advertising Response Report"; do
		[ "$(tshark_on "$capture" -Y "bthci_evt.le_meta_subevent == ${want%%:*} && !_ws.malformed" | wc -l)" -gt 0 ]
		result $? "$name: LE ${want#*:} is decoded"
	done
done
echo "1..$tests"
[ "$failures" = 0 ]
