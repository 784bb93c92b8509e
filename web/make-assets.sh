#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts the front end into BUILDDIR/web/dist: make-assets.sh SRCDIR BUILDDIR
# A source tarball ships it built (SRCDIR/web/dist); it is used as long as it belongs to the sources
# beside it. Otherwise node and npm build it. Without either the rest of Gondola builds all the same.
set -e
src=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
web="$src/web"
out="$build/web/dist"
mkdir -p "$build/web"

# The name of the sources: a hash over every file that the build reads.
sources_hash()
{
	(cd "$web" && find src styles index.html icon.svg openapi.yaml build.mjs package.json package-lock.json \
		-type f | LC_ALL=C sort | while read -r f; do sha256sum "$f"; done | sha256sum | cut -c1-64)
}

belongs()
{
	[ -f "$1/index.html" ] && [ -f "$1/.sources" ] && [ "$(cat "$1/.sources")" = "$want" ]
}

build_it()
{
	cp "$web/package.json" "$web/package-lock.json" "$web/.npmrc" "$build/web/" 2>/dev/null || :
	if [ ! -f "$build/web/node_modules/.package-lock.json" ] ||
		[ "$web/package-lock.json" -nt "$build/web/node_modules/.package-lock.json" ]; then
		(cd "$build/web" && npm ci --no-audit --no-fund --loglevel=error) || return 1
	fi
	node "$web/build.mjs" "$out" "$build/web/node_modules" || return 1
	echo "$want" > "$out/.sources"
}

want=$(sources_hash)
if belongs "$out"; then
	exit 0
fi
if [ "$src" != "$build" ] && belongs "$web/dist"; then
	rm -rf "$out"
	mkdir "$out"
	cp "$web/dist/"* "$web/dist/.sources" "$out/"
	echo "web: using the built front end of the source tarball"
	exit 0
fi
if command -v node > /dev/null && command -v npm > /dev/null; then
	if build_it; then
		exit 0
	fi
	echo "web: building the front end failed (see above)." >&2
	[ -z "$GONDOLA_WEB_REQUIRED" ] || exit 1
else
	echo "web: node and npm are not installed, and this tree does not ship the built front end." >&2
fi
if [ -f "$out/index.html" ] || [ -f "$web/dist/index.html" ]; then
	echo "web: keeping an older build of the front end." >&2
	[ -f "$out/index.html" ] || { mkdir -p "$out" && cp "$web/dist/"* "$out/"; }
else
	echo "web: going on without the front end; gondolad will serve its API but no pages." >&2
	echo "web: install nodejs (18 or later) and npm, or build from a release tarball, to have them." >&2
fi
