# SPDX-License-Identifier: Apache-2.0
# What quickstart and runtests share: say what is missing, install it, build out of tree in build/.
# Sourced by bash; expects $top (the source tree).

BUILD_PACKAGES="autoconf automake make gcc libc6-dev pkg-config
	libuv1-dev libmicrohttpd-dev libsqlite3-dev liblmdb-dev libcmocka-dev
	libcurl4-gnutls-dev libgnutls28-dev nettle-dev libgmp-dev libconfuse-dev libcbor-dev
	libjansson-dev libjpeg62-turbo-dev libsodium-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libdbus-1-dev
	libbluetooth-dev libcairo2-dev libpango1.0-dev libzint-dev libical-dev zlib1g-dev tzdata uthash-dev fonts-dejavu-core fonts-dejavu-extra
	python3-docutils ca-certificates"
TEST_PACKAGES="clang libclang-rt-14-dev clang-format chromium tshark curl sqlite3 iproute2
	gnutls-bin procps xz-utils util-linux faketime
	qemu-system-x86 busybox-static cpio kmod bluez bluez-test-tools dbus iw hostapd wpasupplicant mmdebstrap"

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "root rights are needed to install packages: run as root, or install sudo"
	fi
}

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Node.js may come from elsewhere than Debian: only what is not there at all is asked for.
node_packages() {
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
}

# install_missing PACKAGE...: prints the list before anything is installed.
install_missing() {
	local missing=() p
	for p in "$@"; do
		is_installed "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	say "These Debian packages are missing and will be installed:"
	printf '  %s\n' "${missing[*]}" | fold -s -w 100
	as_root apt-get update -qq || die "apt-get update failed"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		"${missing[@]}" >/dev/null || die "apt-get install failed"
}

# build_tree DIR [CONFIGURE-ARGUMENT...]: configures once, then makes.
build_tree() {
	local dir=$1
	shift
	if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
		say "Preparing the build system ..."
		mkdir -p "$top/m4"
		(cd "$top" && autoreconf -fi) >"$top/autoreconf.log" 2>&1 ||
			{ cat "$top/autoreconf.log"; die "autoreconf failed"; }
		rm -f "$top/autoreconf.log"
	fi
	mkdir -p "$dir"
	if [ ! -f "$dir/Makefile" ]; then
		say "Configuring in ${dir#"$top"/} ..."
		(cd "$dir" && "$top/configure" "$@") >"$dir/configure.out" 2>&1 ||
			{ tail -20 "$dir/configure.out"; die "configure failed"; }
	fi
	say "Building in ${dir#"$top"/} ..."
	GONDOLA_WEB_REQUIRED=1 make -C "$dir" -s -j"$(nproc)" >"$dir/build.out" 2>&1 ||
		{ grep -E 'error|Error' -A5 "$dir/build.out" | head -60; die "the build failed; see ${dir#"$top"/}/build.out"; }
}
