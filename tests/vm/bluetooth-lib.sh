# SPDX-License-Identifier: Apache-2.0
# A small store in the virtual machine, its label radio an adapter of the kernel. Sourced after lib.sh.

store=/tmp/store
products=$top_srcdir/sim/demo/products.csv

# ctl VERB...: gondolactl as the store's administrator; lists come as JSON.
ctl() {
	XDG_CONFIG_HOME=$store/config GONDOLA_URL=$(cat "$store/url") \
		"$top_builddir/bin/gondolactl" --ca "$store/controller/ca/ca.pem" --json "$@"
}

# start_controller: gondolad with a product; its first password logs in.
start_controller() {
	mkdir -p "$store/controller" "$store/agent" "$store/config"
	cat >"$store/gondolad.conf" <<-EOF
		state_dir = "$store/controller"
		store_name = "Virtual"
		store_zone = "Europe/Berlin"
		currency = "EUR"
		public { address = "127.0.0.1" port = 0 }
		agents { address = "127.0.0.1" port = 0 }
		labels { adopt = "auto" }
	EOF
	daemon gondolad "$top_builddir/bin/gondolad" --config "$store/gondolad.conf"
	until_true 60 log_has gondolad "gondolad ready" || return 1
	sed -n 's/.*public=\([^ ]*\).*/\1/p' /out/gondolad.log >"$store/url"
	sed -n 's/^first password for admin: //p' /out/gondolad.log >"$store/password"
	ctl login --user admin --password-file "$store/password"
}

# start_agent [KEY=VALUE of the radio section...]: gondola-agent, joined, on hci0.
start_agent() {
	local code
	if [ ! -f "$store/agent.conf" ]; then
		code=$(ctl join-code | grep -o 'GJ1-[A-Z0-9]*-[0-9a-f]*' | head -1)
		echo "$code" >"$store/code"
		cat >"$store/agent.conf" <<-EOF
			state_dir = "$store/agent"
			controller = "$(sed -n 's/.*agents=\([^ ]*\).*/\1/p' /out/gondolad.log)"
			name = "ap1"
			join_code_file = "$store/code"
			radio {
				driver = "bluez"
				adapter = "hci0"
				$(printf '%s\n' "$@")
			}
		EOF
	fi
	daemon agent "$top_builddir/bin/gondola-agent" --config "$store/agent.conf"
}

# label_is ADDRESS WORD: the controller's own word about a label.
label_is() {
	ctl labels show "$1" | tee "$store/label.json" | grep -F "$2"
}

# start_radio [LABELS]: the simulated controller as an adapter of the kernel, with labels (1), and everything recorded.
start_radio() {
	cat >/tmp/sim.conf <<-EOF
		seed = 7
		radio "ap" { hci = "vhci:" labels = ${1:-1} loss = 0 drop = 0 }
	EOF
	modprobe hci_vhci && modprobe -a cmac ecb ccm ecdh_generic algif_hash
	# Its text is not wanted: while it is written the kernel drops what nobody reads.
	daemon btmon sh -c 'exec btmon -w /out/bluetooth.btsnoop >/dev/null'
	daemon bus dbus-monitor --system
	daemon sim "$top_builddir/bin/gondola-sim" store --config /tmp/sim.conf
	until_true 20 test -d /sys/class/bluetooth/hci0
}

# truth [REQUEST]: what the simulator knows of its labels, or answers to a request.
truth() {
	local port line request=${1:-'{"op":"labels"}'}
	port=$(sed -n 's/.*truth_port":\([0-9]*\).*/\1/p' /out/sim.log | head -1)
	exec 7<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf '%s\n' "$request" >&7
	read -r -t 10 line <&7
	exec 7>&-
	printf '%s\n' "$line"
	! grep -q '"error"' <<<"$line"
}

# links: how many connections there are; links_most: how many there were at a time.
links() {
	truth '{"op":"radio"}' | sed -n "s/.*\"${1:-links}\": *\([0-9]*\).*/\1/p"
}

connected() {
	[ "$(links)" -gt 0 ]
}

no_connection() {
	[ "$(links)" = 0 ]
}

# shows_price PRICE_MINOR [LABEL]: the controller says that the label has acknowledged this price, and the panel has its picture.
shows_price() {
	local wanted is=${2:-$label}
	ctl labels show "$is" >"$store/label.json"
	cp "$store/label.json" "/out/label-$is.json"
	grep -F '"state": "shown"' "$store/label.json" || return 1
	grep -F "\"price_minor\": $1" "$store/label.json" || return 1
	wanted=$(sed -n '/"shown"/,/}/s/.*"image": "\([0-9a-f]*\)".*/\1/p' "$store/label.json" | head -1)
	truth "{\"op\":\"label\",\"addr\":\"$is\"}" | grep -oF "\"shown_sha256\":\"$wanted\""
}

# all_show PRICE_MINOR: every label.
all_show() {
	local n
	for n in 1 2 3 4; do
		shows_price "$1" "C0FFEE00000$n" || return 1
	done
}

# set_price PRICE [GTIN]: of a product on a label.
set_price() {
	ctl price set "${2:-$gtin}" "$1"
}

# all_cost PRICE: the product of each label.
all_cost() {
	local n
	for n in 0 1 2 3; do
		set_price "$1" "${gtins[$n]}" || return 1
	done
}

power() {
	timeout 20 bluetoothctl power "$1"
	until_true 30 powered "$1"
}

powered() {
	bluetoothctl show | grep -F "Powered: $([ "$1" = on ] && echo yes || echo no)"
}

# times TEXT: how often the agent has said so.
times() {
	grep -cF -- "$1" /out/agent.log
}

said_again() {
	[ "$(times "$1")" -gt "$2" ]
}

# end NAME [SIGNAL]: of a program; done when it is gone.
end() {
	pkill "-${2:-TERM}" -x "$1"
	until_true 20 sh -c "! pgrep -x $1"
}

restart_bluetoothd() {
	end bluetoothd || return 1
	until_true 20 log_has agent "bluetoothd is not running" || return 1
	bluetooth_daemon
}

label=C0FFEE000001
gtin=9521234001003
gtins=("$gtin" 9521234001072 9521234001140 9521234001218)
up='reason="" msg="label radio is up"'
