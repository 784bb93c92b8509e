#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# get-kernel.sh RELEASE DIR: has Debian's kernel RELEASE (6.12 or 6.1) unpacked in DIR, beside an initramfs that finds
# its way from there to the root of this machine. Nothing is installed. What is there already is used again; with
# VM_KERNEL_REFRESH=1 a newer revision of the package takes its place.
#
# In DIR afterwards: vmlinuz, initrd, release (what uname -r will say), lib/modules/.
# Exit: 0 there, 77 cannot be had here (the reason is on standard error), 64 wrong usage.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

unable() {
	printf 'no kernel %s: %s\n' "$release" "$*" >&2
	exit 77
}

release=${1:-} dir=${2:-}
case $release in
6.12) meta=linux-image-6.12-amd64 ;;
6.1) meta=linux-image-amd64 ;;
*) echo "usage: get-kernel.sh 6.12|6.1 DIR" >&2 && exit 64 ;;
esac
[ -n "$dir" ] || { echo "usage: get-kernel.sh 6.12|6.1 DIR" >&2 && exit 64; }
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || unable "it is fetched on Debian amd64 only"
for tool in apt-get dpkg-deb depmod modprobe cpio xz /bin/busybox; do
	command -v "$tool" >/dev/null || unable "$tool is missing (apt-get install kmod cpio xz-utils busybox-static)"
done

# The real package behind the meta package, as apt knows it now.
resolve() {
	apt-cache depends "$meta" 2>/dev/null |
		awk -v want="^linux-image-${release//./\\.}\\." '$1 == "Depends:" && $2 ~ want { print $2; exit }'
}

# apt's lists may be missing, or older than what the mirror still has; root can mend both.
refresh_lists() {
	[ "$(id -u)" = 0 ] && apt-get update -qq >"$work/update.log" 2>&1
}

# The right package in the folder it is called from, or a reason.
download() {
	local package
	package=$(resolve)
	[ -n "$package" ] || { refresh_lists && package=$(resolve); }
	[ -n "$package" ] || unable "apt knows no $meta (is it Debian 12 with its security archive? try apt-get update)"
	if ! apt-get -o APT::Sandbox::User=root download "$package" >"$work/download.log" 2>&1; then
		refresh_lists || true
		package=$(resolve)
		apt-get -o APT::Sandbox::User=root download "$package" >"$work/download.log" 2>&1 ||
			unable "apt-get download $package failed: $(tail -1 "$work/download.log")"
	fi
}

# Modules that stand between the kernel and the 9p root, in the order they must be loaded.
needed_modules() {
	local m
	for m in virtio_pci 9pnet_virtio 9p overlay; do
		modprobe -d "$1" -S "$2" --show-depends "$m" 2>/dev/null | awk '$1 == "insmod" { print $2 }' || true
	done | awk '!seen[$0]++'
}

# initramfs ROOT VERSION FILE: busybox, those modules, and vm-init.sh.
initramfs() {
	local tree=$work/initramfs f name
	mkdir -p "$tree"/{bin,modules,proc,sys,dev,low,rw,new}
	cp /bin/busybox "$tree/bin/"
	needed_modules "$1" "$2" | while read -r f; do
		name=$(basename "${f%.xz}")
		case $f in
		*.xz) xz -dc "$f" >"$tree/modules/$name" ;;
		*) cp "$f" "$tree/modules/$name" ;;
		esac
		echo "$name"
	done >"$tree/modules/order"
	install -m 755 "$here/vm-init.sh" "$tree/init"
	(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$3"
}

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
if [ -f "$dir/release" ] && [ "${VM_KERNEL_REFRESH:-0}" != 1 ]; then
	[ "$here/vm-init.sh" -nt "$dir/initrd" ] || exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -f "$dir/release" ] || [ "${VM_KERNEL_REFRESH:-0}" = 1 ]; then
	mkdir "$work/deb"
	(cd "$work/deb" && download) || exit $?
	rm -rf "$dir.new" && mkdir "$dir.new"
	dpkg-deb -x "$work"/deb/*.deb "$work/tree" || unable "the package does not unpack"
	[ -d "$work/tree/lib/modules" ] || mv "$work/tree/usr/lib" "$work/tree/lib"
	version=$(basename "$work"/tree/lib/modules/*)
	mv "$work/tree/lib" "$dir.new/lib"
	mv "$work/tree/boot/vmlinuz-$version" "$dir.new/vmlinuz"
	depmod -b "$dir.new" "$version"
	initramfs "$dir.new" "$version" "$dir.new/initrd"
	echo "$version" >"$dir.new/release"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
else
	initramfs "$dir" "$(cat "$dir/release")" "$dir/initrd.new"
	mv "$dir/initrd.new" "$dir/initrd"
fi
echo "kernel $(cat "$dir/release") in $dir" >&2
