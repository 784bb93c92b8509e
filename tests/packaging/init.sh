#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# init.sh ROOT: first process of new namespaces; makes ROOT the root and becomes its systemd. When everything
# is up, a line comes out of the pipe ROOT/var/tmp/booted.
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/sys"
mkdir -p "$root/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -o remount,ro "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
for device in null zero full random urandom tty; do
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ip link set lo up

units=$root/run/systemd/system
mkdir -p "$units/multi-user.target.wants"
cat >"$units/booted.service" <<-'END'
	[Unit]
	After=gondolad.service
	[Service]
	Type=oneshot
	ExecStart=/bin/sh -c 'echo booted >/var/tmp/booted'
END
ln -s ../booted.service "$units/multi-user.target.wants/"

cd "$root"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
exec env -i container=gondola-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --unit=multi-user.target --show-status=no
