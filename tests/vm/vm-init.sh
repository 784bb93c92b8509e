#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# First program of the virtual machine, from the initramfs: the host's root, read-only by 9p, below a tmpfs; the kernel's
# modules where modprobe looks for them; the shared folder at /out. Then vm-guest.sh takes over.
#   kernel arguments: gondola.modules=DIR (of /lib/modules of the unpacked kernel) gondola.guest=SCRIPT
b=/bin/busybox

halt() {
	echo "vm-init: $*"
	$b poweroff -f
}

argument() {
	$b sed -n "s#.*gondola\\.$1=\\([^ ]*\\).*#\\1#p" /proc/cmdline
}

$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
while read -r m; do
	$b insmod "/modules/$m" || echo "vm-init: module $m does not load"
done </modules/order

options=trans=virtio,version=9p2000.L,msize=512000
$b mount -t 9p -o $options,ro,cache=loose root /low || halt "no root"
$b mount -t tmpfs -o size=70% tmpfs /rw
$b mkdir /rw/upper /rw/work
$b mount -t overlay -o lowerdir=/low,upperdir=/rw/upper,workdir=/rw/work overlay /new || halt "no overlay"
$b mkdir -p /new/out /new/dev /new/proc /new/sys /new/run
$b mount -t 9p -o $options,cache=none out /new/out || halt "no shared folder"
$b mount -t proc proc /new/proc
$b mount --move /sys /new/sys
$b mount --move /dev /new/dev
$b mkdir -p /new/dev/pts /new/dev/shm
$b mount -t devpts devpts /new/dev/pts
$b mount -t tmpfs tmpfs /new/dev/shm
$b mount -t tmpfs tmpfs /new/run

release=$($b uname -r)
modules=$(argument modules)
guest=$(argument guest)
$b mkdir -p "/new/usr/lib/modules/$release"
$b mount --bind "/new$modules/$release" "/new/usr/lib/modules/$release" || halt "no modules"
exec $b switch_root /new /bin/bash "$guest"
