#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The dependency rules of the house, read off the #include lines: which room may know which, and which
# file is the only door to a library. TAP.
set -uo pipefail
cd "${top_srcdir:-.}" || exit 99

n=0
# check DESCRIPTION OFFENDERS: one test; offenders are lines `file: include`.
check() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# includes ROOM: every quoted include of a room, as `file: target`.
includes() {
	grep -rnoE --include='*.[ch]' '^#include "[^"]+"' "$1" | sed -E 's/:[0-9]+:#include "/: /; s/"$//'
}

# room ROOM ALLOWED-REGEX: a room includes nothing outside the expression.
room() {
	check "$1/ knows only what it may" "$(includes "$1" | grep -vE ": ($2)" || true)"
}

room common 'common/|config\.h$'
room rfid 'rfid/|common/|config\.h$'
room esl-radio 'esl-radio/|common/|config\.h$'
room ap-agent 'ap-agent/|rfid/rfid\.h$|esl-radio/esl\.h$|common/|config\.h$'
room controller 'controller/|common/|config\.h$'
room sim 'sim/|common/|rfid/llrp_|esl-radio/(esl_wire|hci_wire|ead|le/(le_crypto|[a-z0-9_]+_wire))|config\.h$'
check 'sim/ never sees a session of the product' \
	"$(includes sim | grep -E ': (rfid/llrp_session|rfid/rfid|esl-radio/esl\.h|esl-radio/esl_engine)' || true)"

# door HEADER FILES-REGEX: only these files open a library.
door() {
	check "<$1> is behind one seam" "$(grep -rlE --include='*.[ch]' "^#include <$1>" \
		common rfid esl-radio ap-agent controller sim | grep -vE "^($2)$" || true)"
}

door uv.h 'common/loop\.c'
door sqlite3.h 'common/sql\.c'
door lmdb.h 'controller/(db|shop)/lmdb[a-z_]*\.[ch]'
door microhttpd.h 'controller/http/http[a-z_]*\.[ch]|sim/oepl_web\.c'
door cbor.h 'common/cbor\.c'
door libical/ical.h 'controller/promo/walltime\.c'
door confuse.h 'common/conf\.c'
door dbus/dbus.h 'common/bus\.h'
door curl/curl.h 'common/curl_loop\.h|controller/ctl/client\.c'
check 'only clients of HTTP know libcurl' "$(grep -rlE --include='*.[ch]' '^#include "common/curl_loop\.h"' \
	common rfid esl-radio ap-agent controller sim | grep -vE '^(common/curl_loop\.c|ap-agent/http_client\.c|esl-radio/oepl/http\.c)$' || true)"

check 'nobody reads the clock but clock.c' "$(grep -rnE --include='*.[ch]' \
	'\b(clock_gettime|gettimeofday|time)\((NULL|0|&|CLOCK)' common rfid esl-radio ap-agent controller sim |
	grep -v '^common/clock\.c:' || true)"
check 'no unbounded or shell-running calls' "$(grep -rnE --include='*.[ch]' \
	'\b(strcpy|strcat|sprintf|atoi|strtok|system|popen|alloca)\(' \
	common rfid esl-radio ap-agent controller sim || true)"
check 'every source carries its licence line' "$(git ls-files '*.c' '*.h' 2>/dev/null |
	xargs -r grep -L 'SPDX-License-Identifier: Apache-2.0' || true)"
echo "1..$n"
