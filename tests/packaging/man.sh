#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Man pages and default configurations speak of what the programs have: every option and every key, and no other.
set -uo pipefail
doc="$top_srcdir/doc"
bin="$top_builddir/bin"
conf="$top_srcdir/debian/conf"
n=0

# result NAME DIFFERENCE: passes if there is no difference.
result() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' <<<"$2"
	fi
}

long_options() {
	grep -oE -- '--[a-z][a-z-]+' | sort -u
}

# The options of gondolactl's verbs are in the table that is made from the program.
own_options() {
	sed '/^  login/,$d'
}

# Page options: lines of the OPTIONS section that begin with an option.
page_options() {
	awk '/^OPTIONS$/ { on = 1; next } on && /^=+$/ { next } on && /^[A-Z]+$/ { exit } on && /^-/' "$1"
}

config_keys() {
	sed -nE 's/^  ([a-z0-9_]+) .*/\1/p; s/^([a-z]+) .*\{.*/\1{/p' | sort
}

file_keys() {
	sed -nE 's/^[[:space:]]*(# )?([a-z0-9_]+) = .*/\2/p; s/^([a-z]+) \{.*/\1{/p' "$1" | sort
}

defaults() {
	sed -nE 's/^  ([a-z0-9_]+) .*\[default: (.*)\]$/\1 = \2/p' | sed 's/ = empty$/ = /' | sort
}

file_defaults() {
	sed -nE 's/^[[:space:]]*# ([a-z0-9_]+ = .*)/\1/p' "$1" | tr -d '"' | sort
}

echo 1..10
for p in gondolad:8 gondola-agent:8 gondola-esl:1 gondola-llrp:1 gondola-sim:1 gondolactl:1; do
	name=${p%:*}
	result "the page of $name lists the options that the program has" "$(
		diff <("$bin/$name" --help | own_options | long_options) \
			<(page_options "$doc/$name.${p#*:}.rst" | long_options))"
done
for p in gondolad:gondolad.conf gondola-agent:agent.conf; do
	name=${p%:*}
	file=$conf/${p#*:}
	result "${p#*:} shows every key of $name" "$(
		diff <("$bin/$name" --help-config | config_keys) <(file_keys "$file"))"
	# Keys shown with an example instead: what has no default, or an empty one that would show nothing.
	result "${p#*:} shows the defaults of $name" "$(
		comm -13 <("$bin/$name" --help-config | defaults) \
			<(file_defaults "$file" | grep -vE '^(controller|names|hci|link) = ') )"
done
