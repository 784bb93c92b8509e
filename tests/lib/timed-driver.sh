#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timed-driver.sh ARGUMENT...: automake's TAP driver; the result file also says how long the test took.
begun=$(date +%s%N)
"$(dirname "$0")/../../build-aux/tap-driver.sh" "$@"
status=$?
while [ $# -gt 0 ]; do
	if [ "$1" = --trs-file ]; then
		printf ':test-seconds: %d\n' $((($(date +%s%N) - begun) / 1000000000)) >>"$2"
		break
	fi
	shift
done
exit $status
