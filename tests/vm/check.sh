#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh TEST...: runs them in the virtual machine on Debian's 6.12, then on its 6.1; VM_KERNELS_WANTED names others.
# Logs and results of each kernel are kept in build/vm/results-KERNEL. The last line is `N passed, N failed, N skipped`.
set -uo pipefail
: "${MAKE:=make}" "${top_srcdir:?}" "${top_builddir:?}"
cd "$top_builddir" || exit 64

# count EXPRESSION: results of this kind over all kernels.
count() {
	cat vm/results-*/*.trs 2>/dev/null | grep -cE "^:test-result: ($1)"
}

find vm -maxdepth 1 -name 'results-*' -exec rm -rf {} + 2>/dev/null
for kernel in ${VM_KERNELS_WANTED:-6.12 6.1}; do
	echo "--- kernel $kernel"
	for t in "$@"; do
		find "${t%.test}.log" "${t%.test}.trs" -delete 2>/dev/null
	done
	$MAKE -k --no-print-directory check-TESTS TESTS="$*" VM_KERNEL="$kernel" TEST_SUITE_LOG="check-vm-$kernel.log" 2>&1 |
		grep -E '^(PASS|FAIL|SKIP|ERROR|XPASS|XFAIL):'
	mkdir -p "vm/results-$kernel"
	for t in "$@"; do
		mv "${t%.test}.log" "${t%.test}.trs" "vm/results-$kernel/"
		[ "$(grep -cE '^:test-result: (FAIL|ERROR|XPASS)' "vm/results-$kernel/$(basename "${t%.test}").trs")" = 0 ] ||
			sed -n '/^not ok/,/^ok/p;/^Bail out/,$p' "vm/results-$kernel/$(basename "${t%.test}").log"
	done
done
failed=$(count 'FAIL|XPASS|ERROR')
echo "$(count 'PASS|XFAIL') passed, $failed failed, $(count SKIP) skipped"
[ "$failed" = 0 ] && [ "$(count 'PASS|XFAIL')" -gt 0 ]
