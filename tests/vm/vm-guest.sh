#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The virtual machine's process 1 once its root is there: runs /out/job with its output on the second serial line, leaves
# its exit code in /out/rc and turns the machine off. What is written outside of /out goes with the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
exec </dev/null >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 raw -echo
hostname vm
ip link set lo up
rm -rf /var/lib/bluetooth && mkdir -p /var/lib/bluetooth # pairings of the host are none of ours
mkdir -p /run/dbus /run/lock
echo "# kernel $(uname -r), up $(cut -d' ' -f1 /proc/uptime) s"
bash /out/job
rc=$?
echo "# ended with $rc at $(cut -d' ' -f1 /proc/uptime) s"
dmesg >/out/dmesg.log 2>/dev/null
echo "$rc" >/out/rc
sync
echo o >/proc/sysrq-trigger
read -rt 60 _ </dev/ttyS1 # nothing can be started any more
