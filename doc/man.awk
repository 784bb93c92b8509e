# SPDX-License-Identifier: Apache-2.0
# Turns what a program says of itself into reStructuredText, so that a man page cannot disagree with it:
#   gondolad --help-config | awk -v what=keys -f man.awk
#   gondolactl --help      | awk -v what=verbs -f man.awk
# Fails on a line that it does not understand.

function quote(text)
{
	gsub(/[\\*`|_]/, "\\\\&", text)
	return text
}

function definition(term, text)
{
	printf "%s\n    %s\n\n", term, quote(text)
	count++
}

function key(line,   name)
{
	match(line, /^  [a-z0-9_]+/)
	name = substr(line, 3, RLENGTH - 2)
	line = substr(line, RLENGTH + 1)
	sub(/^ +/, "", line)
	gsub(/"/, "", line)
	definition("**" name "**", line)
}

function section(line,   title)
{
	title = line
	sub(/ \{ \.\.\. \}$/, "", title)
	printf "%s\n", quote("Section " title)
	gsub(/./, "-", title)
	printf "%s--------\n\n", title
}

what == "keys" && /^  [a-z0-9_]+ +[^ ]/ { key($0); next }
what == "keys" && /^[a-z_]+( "NAME")? \{ \.\.\. \}$/ { section($0); next }
what == "keys" && /^$/ { next }

# Verbs are the paragraph after the options; a long one has its text on the next line.
what == "verbs" && /^  [a-z]/ { verbs = 1 }
what == "verbs" && verbs && /^$/ { verbs = 0; next }
what == "verbs" && !verbs { next }
what == "verbs" && /^          +[^ ]/ && term != "" {
	sub(/^ +/, "")
	definition(term, $0)
	term = ""
	next
}
what == "verbs" && /^  [a-z]/ {
	line = substr($0, 3)
	cut = match(line, /  +/)
	term = "**" (cut ? substr(line, 1, cut - 1) : line) "**"
	if (cut) {
		definition(term, substr(line, cut + RLENGTH))
		term = ""
	}
	next
}

{
	print "man.awk: not understood: " $0 > "/dev/stderr"
	failed = 1
	exit 1
}

END {
	if (failed || term != "" || count == 0)
		exit 1
}
