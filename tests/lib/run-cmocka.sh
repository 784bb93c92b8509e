#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run-cmocka.sh PROGRAM ARGUMENT...: runs a unit test. cmocka 1.1.5 calls a skipped test "not ok", which is a failure in TAP.
{
	status=$({ { "$@"; echo $? >&4; } | sed 's/^not ok \([0-9]*\) # SKIP/ok \1 # SKIP/' >&3; } 4>&1)
} 3>&1
exit "$status"
