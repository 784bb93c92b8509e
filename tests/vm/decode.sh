#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# decode.sh KERNEL TEST...: reads what these tests have recorded in the virtual machine with a decoder that is not ours: the
# tshark of Debian 13, the first one that knows PAwR, in a root of its own that is made once (build/vm/trixie, or where
# VM_TRIXIE says). No HCI packet may be malformed. A test says what must be in its capture, so that nothing is not
# taken for nothing wrong:
#
#     # capture: 2086 27 smp
#
# These are commands (four digits) and LE meta events (two), or a word of the table below. Each that is there is counted; of
# commands and events tshark must have decoded as many as a plain look at the bytes finds. A test whose line names
# nothing is only looked through; one without the line records nothing.
set -uo pipefail
: "${top_srcdir:?}" "${top_builddir:?}"
build=$(cd "$top_builddir" && pwd)
root=${VM_TRIXIE:-$build/vm/trixie}
kernel=$1
shift
tests=0 failures=0
declare -A names=(
	[2082]="Set Periodic Advertising Subevent Data"
	[2083]="Set Periodic Advertising Response Data"
	[2084]="Set Periodic Sync Subevent"
	[2085]="Extended Create Connection v2"
	[2086]="Set Periodic Advertising Parameters v2"
	[205b]="Periodic Advertising Set Info Transfer"
	[24]="Periodic Advertising Sync Established v2"
	[25]="Periodic Advertising Report v2"
	[26]="Periodic Advertising Sync Transfer Received v2"
	[27]="Periodic Advertising Subevent Data Request"
	[28]="Periodic Advertising Response Report"
	[smp]="pairing by the Security Manager"
	[encryption]="an encrypted connection"
	[channel]="a credit-based L2CAP channel"
)

result() {
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
	fi
}

# Nothing can be decoded here: skipped, unless everything must have been seen.
unable() {
	if [ "${REQUIRE_DATA:-}" = 1 ]; then
		printf '1..1\nnot ok 1 - captures are read by the tshark of Debian 13\n# %s\n' "$*"
		exit 1
	fi
	echo "1..0 # SKIP $*"
	exit 0
}

make_root() {
	[ -x "$root/usr/bin/tshark" ] && return 0
	[ "$(id -u)" = 0 ] || unable "a root of Debian 13 for its tshark is made by root only"
	command -v mmdebstrap >/dev/null || unable "mmdebstrap is missing (apt-get install mmdebstrap)"
	mkdir -p "$(dirname "$root")"
	rm -rf "$root.new" "$root"
	timeout 900 mmdebstrap --quiet --variant=essential --include=tshark trixie "$root.new" \
		>"$build/vm/trixie.log" 2>&1 ||
		unable "no root of Debian 13 can be made: $(grep -m1 -E '^[EW]:|error' "$build/vm/trixie.log")"
	mv "$root.new" "$root"
}

# rows FILE: a line a packet: protocols|command|LE meta event|event|L2CAP signal|malformed.
rows() {
	cp "$1" "$root/tmp/capture"
	chroot "$root" tshark -r /tmp/capture -T fields -E separator='|' -e frame.protocols -e bthci_cmd.opcode \
		-e bthci_evt.le_meta_subevent -e bthci_evt.code -e btl2cap.cmd_code -e _ws.malformed 2>/dev/null
}

# seen KIND: how many of those rows are of that kind, and well-formed.
seen() {
	awk -F'|' -v kind="$1" '
		$6 ~ /./ && $1 ~ /bthci_(cmd|evt)/ { next }
		kind == "smp" { n += $1 ~ /btsmp/; next }
		kind == "encryption" { n += $4 == "0x08" || $4 == "0x59"; next }
		kind == "channel" { n += $5 ~ /0x14/; next }
		length(kind) == 4 { n += $1 ~ /bthci_cmd/ && $2 == "0x" kind; next }
		{ n += $1 ~ /bthci_evt/ && $3 == "0x" kind }
		END { print n + 0 }' "$work/rows"
}

# raw FILE KIND: how many the bytes of the btsnoop file hold, as btmon (2001) and the simulator (1002) write it.
raw() {
	perl -e '
		my ($file, $kind) = @ARGV;
		my $want = hex $kind;
		my ($n, $head, $record, $packet) = (0);
		open(my $f, "<:raw", $file) or die;
		read($f, $head, 16);
		my $link = unpack("N", substr($head, 12));
		while (read($f, $record, 24) == 24) {
			my ($all, $len, $flags) = unpack("NNN", $record);
			last if read($f, $packet, $len) != $len;
			my $type = $link == 2001 ? { 2 => 1, 3 => 4 }->{$flags & 0xffff} // 0 : ord substr($packet, 0, 1, "");
			next if length $packet < 3;
			if (length $kind == 4) { $n++ if $type == 1 && unpack("v", $packet) == $want; }
			else { $n++ if $type == 4 && ord $packet == 0x3e && ord(substr $packet, 2) == $want; }
		}
		print $n;' "$1" "$2"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
looked=0
for t in "$@"; do
	line=$(grep -m1 '^# capture:' "$top_srcdir/$t") || continue
	name=$(basename "${t%.test}")
	out=$build/vm/out-$name-$kernel
	# Where no machine could be started nothing can have been recorded; that was said already.
	[ -f "$out/rc" ] || continue
	make_root
	[ "$looked" -gt 0 ] || echo "# $(chroot "$root" tshark --version 2>/dev/null | head -1)"
	looked=$((looked + 1))
	[ -s "$out/bluetooth.btsnoop" ] && rows "$out/bluetooth.btsnoop" >"$work/rows" && [ -s "$work/rows" ]
	result $? "$name: its capture is read ($(wc -l <"$work/rows" 2>/dev/null) packets)"
	bad=$(awk -F'|' '$1 ~ /bthci_(cmd|evt)/ && $6 ~ /./' "$work/rows" | head -5)
	[ -z "$bad" ]
	result $? "$name: no HCI packet is malformed"
	[ -z "$bad" ] || sed 's/^/# /' <<<"$bad"
	for kind in ${line#*:}; do
		n=$(seen "$kind") there=
		case $kind in
		[0-9]*)
			there=$(raw "$out/bluetooth.btsnoop" "$kind")
			[ "$n" -gt 0 ] && [ "$n" = "$there" ]
			;;
		*) [ "$n" -gt 0 ] ;;
		esac
		result $? "$name: ${names[$kind]:-unknown kind} is decoded, $n times${there:+ of $there}"
	done
done
[ "$looked" -gt 0 ] || unable "nothing was recorded on $kernel"
echo "1..$tests"
[ "$failures" = 0 ]
