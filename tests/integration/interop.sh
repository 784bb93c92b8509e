#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does the simulated reader speak LLRP as others understand it? An independent client (npm llrpjs) makes
# an inventory, an independent decoder (tshark) reads the session. Skipped where they cannot be had.
set -uo pipefail
here=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${top_builddir:-$here/build}
modules=$build/interop-modules

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

command -v node >/dev/null || skip_all "there is no node"
command -v tshark >/dev/null || skip_all "there is no tshark"
if [ ! -d "$modules/node_modules/llrpjs" ]; then
	mkdir -p "$modules"
	npm install --prefix "$modules" --no-audit --no-fund --ignore-scripts llrpjs@1.0.1 \
		>"$modules/install.log" 2>&1 ||
		skip_all "npm could not install llrpjs (see interop-modules/install.log)"
fi
exec node "$here/tests/integration/sim_interop.mjs" "$build/bin/gondola-sim" "$modules"
