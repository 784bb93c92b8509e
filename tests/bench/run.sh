#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every bench program or script named on the command line; each prints `bench NAME VALUE UNIT`
# lines and, beside them, the conditions under which the figure holds.
set -uo pipefail

failed=0
printf '# %s cores, kernel %s\n' "$(nproc)" "$(uname -r)"
for b in "$@"; do
	printf '\n# %s\n' "$b"
	case $b in
	*.sh) bash "$top_srcdir/$b" ;;
	*.mjs) node "$top_srcdir/$b" ;;
	*) "$top_builddir/$b" ;;
	esac || { echo "# $b failed with $?"; failed=1; }
done
exit $failed
