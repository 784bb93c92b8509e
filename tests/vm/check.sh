#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh TEST...: runs them in the virtual machine on Debian's 6.12, then on its 6.1 (VM_KERNELS_WANTED names others), and
# has what they recorded decoded. What each has said is kept in build/vm/results-KERNEL/TEST.tap, what its machine left
# in build/vm/out-TEST-KERNEL. Says how long each took; the last line is `N passed, N failed, N skipped`.
set -uo pipefail
: "${top_srcdir:?}" "${top_builddir:?}"
cd "$top_builddir" || exit 64
passed=0 failed=0 skipped=0

# tally FILE WHAT: counts the TAP in it. One that ends before its plan, or has none, has failed.
tally() {
	local p f s plan
	p=$(grep -E '^ok ' "$1" | grep -cv '# SKIP')
	f=$(grep -cE '^not ok |^Bail out!' "$1")
	s=$(grep -cE '^ok .*# SKIP|^1\.\.0 # SKIP' "$1")
	plan=$(sed -nE 's/^1\.\.([0-9]+).*/\1/p' "$1" | head -1)
	if [ "$f" = 0 ] && { [ -z "$plan" ] || { [ "$plan" != 0 ] && [ $((p + s)) != "$plan" ]; }; }; then
		f=1
		echo "# $2 ended before its plan"
	fi
	grep -E '# SKIP' "$1"
	[ "$f" = 0 ] || sed -n '/^not ok/,/^ok/p;/^Bail out/,$p' "$1"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	echo "$2: $p passed, $f failed, $s skipped, $((SECONDS - began)) s"
}

mkdir -p vm
find vm -maxdepth 1 -name 'results-*' -exec rm -rf {} +
for kernel in ${VM_KERNELS_WANTED:-6.12 6.1}; do
	results=vm/results-$kernel
	mkdir -p "$results"
	for t in "$@"; do
		name=$(basename "${t%.test}") began=$SECONDS
		VM_KERNEL=$kernel bash "$top_srcdir/tests/vm/run.sh" "$kernel" "$top_srcdir/$t" >"$results/$name.tap" 2>&1
		tally "$results/$name.tap" "$name on $kernel"
	done
	began=$SECONDS
	bash "$top_srcdir/tests/vm/decode.sh" "$kernel" "$@" >"$results/decode.tap" 2>&1
	sed -nE 's/^ok [0-9]+ - (.* is decoded, .*)/  \1/p' "$results/decode.tap"
	tally "$results/decode.tap" "captures of $kernel"
done
echo "$SECONDS s in all"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
