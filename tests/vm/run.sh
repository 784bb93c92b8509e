#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [-t SECONDS] [-m MIB] [-c CPUS] [-n NAME] KERNEL SCRIPT [ARGUMENT...]: runs SCRIPT as root in a virtual machine
# (QEMU, no KVM needed) on Debian's kernel KERNEL (6.12 or 6.1), and ends as it ended.
#
# The machine sees this machine's files, each where it is here, and may write over them without anything changing here:
# what was just built can be run as it is. /out in it is build/vm/out-NAME-KERNEL here (NAME: that of the script), for
# captures and logs; the console is in it too (console.log). Standard output of the script comes through as it is
# written, so that a script which prints TAP counts test by test.
#
# Exit: the script's own; 125 when there was none (a message and `Bail out!` say why). Where no machine can be made it
# prints `1..0 # SKIP reason` and ends with 0, or with REQUIRE_DATA=1 `not ok` and 1.
# Kernels are kept in build/vm, or where VM_KERNELS says.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
src=$(cd "${top_srcdir:-$here/../..}" && pwd)
build=$(cd "${top_builddir:-$src/build}" && pwd) || exit 64

usage() {
	echo "usage: run.sh [-t SECONDS] [-m MIB] [-c CPUS] [-n NAME] KERNEL SCRIPT [ARGUMENT...]" >&2
	exit 64
}

# No machine: a skip, unless everything must have been seen.
unable() {
	if [ "${REQUIRE_DATA:-}" = 1 ]; then
		printf '1..1\nnot ok 1 - a virtual machine with kernel %s can be started\n# %s\n' "$kernel" "$*"
		exit 1
	fi
	echo "1..0 # SKIP $*"
	exit 0
}

seconds=120 memory=1024 cpus=2 name=
while getopts t:m:c:n: o; do
	case $o in
	t) seconds=$OPTARG ;;
	m) memory=$OPTARG ;;
	c) cpus=$OPTARG ;;
	n) name=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || usage
kernel=$1
script=$(readlink -f "$2") || usage
shift 2
# A script may ask for more than the defaults: `# vm: seconds=300 memory=2048`.
while IFS='=' read -r key value; do
	case $key in
	seconds) seconds=$value ;;
	memory) memory=$value ;;
	cpus) cpus=$value ;;
	esac
done < <(sed -n 's/^# vm: *//p' "$script" | tr ' ' '\n' | grep -E '^[a-z]+=[0-9]+$')
[ -n "$name" ] || name=$(basename "${script%.*}")
out=$build/vm/out-$name-$kernel
dir=${VM_KERNELS:-$build/vm}/kernel-$kernel
command -v qemu-system-x86_64 >/dev/null || unable "qemu-system-x86_64 is missing (apt-get install qemu-system-x86)"
mkdir -p "$out" "$(dirname "$dir")"
reason=$(bash "$here/get-kernel.sh" "$kernel" "$dir" 2>&1)
case $? in
0) ;;
77) unable "$reason" ;;
*) unable "the kernel cannot be had: $reason" ;;
esac

# One machine at a time: each wants all of the processor.
exec 9>"$build/vm/turn.lock"
flock 9
# Of an earlier run nothing may be taken for one of this.
find "$out" -mindepth 1 -delete
{
	printf 'export top_srcdir=%q top_builddir=%q VM_NAME=%q VM_KERNEL=%q REQUIRE_DATA=%q VM_PATIENCE=%q\n' "$src" "$build" "$name" "$kernel" "${REQUIRE_DATA:-}" "${VM_PATIENCE:-4}"
	printf 'cd %q || exit 99\n' "$build"
	printf 'exec bash %q' "$script"
	[ $# -eq 0 ] || printf ' %q' "$@"
	echo
} >"$out/job"

# A busy machine is slow, not wrong (lib.sh has patience as well).
timeout -k 5 "$((seconds * ${VM_PATIENCE:-4}))" qemu-system-x86_64 -accel "${VM_ACCEL:-tcg,thread=multi}" -smp "$cpus" -m "$memory" -M pc \
	-nodefaults -no-user-config -display none -no-reboot \
	-kernel "$dir/vmlinuz" -initrd "$dir/initrd" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check random.trust_cpu=on gondola.modules=$dir/lib/modules gondola.guest=$here/vm-guest.sh" \
	-serial "file:$out/console.log" -serial stdio \
	-device virtio-rng-pci \
	-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=root,mount_tag=root \
	-fsdev "local,id=out,path=$out,security_model=none" -device virtio-9p-pci,fsdev=out,mount_tag=out \
	</dev/null 9>&-
ended=$?

if [ ! -s "$out/rc" ]; then
	[ "$ended" = 124 ] && why="not done within $((seconds * ${VM_PATIENCE:-4})) s" || why="QEMU ended with $ended"
	echo "Bail out! the virtual machine left no result: $why"
	tail -n 20 "$out/console.log" 2>/dev/null | tr -d '\r' | sed 's/^/# console: /'
	exit 125
fi
exit "$(cat "$out/rc")"
