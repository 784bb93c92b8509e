/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/radio.h"
#include "sim/simconf_impl.h"

#include "common/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REDRAW_BW_MS     800
#define REDRAW_COLOUR_MS 14000

const struct conf_row simconf_schema[] = {
	{NULL, "seed", CONF_INT, "1", 0, INT64_MAX, "everything random follows from it"},
	{NULL, "start", CONF_STR, "", 0, 63,
	 "place where all goods begin; empty = spread over all"},
	{NULL, "truth_port", CONF_INT, "0", 0, 65535, "TCP port of the truth; 0 = any"},
	{"radio*", "hci", CONF_STR, NULL, 1, 107,
	 "UNIX socket of the H4 byte stream; \"vhci:\" = an adapter of this machine's kernel"},
	{"radio*", "labels", CONF_INT, "0", 0, SIM_RADIO_MAX_LABELS,
	 "labels of the panel described here"},
	{"radio*", "width", CONF_INT, "296", 1, 2048, "pixels"},
	{"radio*", "height", CONF_INT, "128", 1, 2048, "pixels"},
	{"radio*", "type", CONF_STR, "bw", 1, 8, "bw, bwr or bwy"},
	{"radio*", "slots", CONF_INT, "4", 1, SIM_LABEL_MAX_SLOTS, "images a label holds"},
	{"radio*", "leds", CONF_INT, "1", 0, SIM_LABEL_MAX_LEDS, "LEDs of a label"},
	{"radio*", "redraw_ms", CONF_INT, "0", 0, 60000,
	 "mean time of a redraw; 0 = 800 for black-white, 14000 for colour"},
	{"radio*", "personality", CONF_STR, "sl", 2, 3,
	 "sl or nrf: whose reading of the standard the labels follow"},
	{"radio*", "ppm", CONF_FLOAT, "20", 0, 0, "how fast the clocks of the labels run away"},
	{"radio*", "wifi_mhz", CONF_INT, "0", 0, 2484, "centre of a Wi-Fi near by; 0 = none"},
	{"radio*", "wifi_width", CONF_INT, "20", 20, 40, "its width in MHz"},
	{"radio*", "wifi_loss", CONF_FLOAT, "0.5", 0, 0,
	 "share of the packets on its channels that it destroys"},
	{"radio*", "ppm_spread", CONF_FLOAT, "0", 0, 0,
	 "each label's clock runs by ppm plus or minus up to this"},
	{"radio*", "corrects_clock", CONF_BOOL, "false", 0, 0,
	 "the labels correct their clocks by the train"},
	{"radio*", "hears", CONF_STR, "", 0, 400,
	 "radios whose trains disturb this one, by name: ap2,ap3"},
	{"radio*", "links", CONF_INT, "8", 1, 8, "connections at a time"},
	{"radio*", "advert_ms", CONF_INT, "1000", 100, 10240,
	 "between two advertisements of a label that waits for its access point"},
	{"radio*", "capture", CONF_STR, "", 0, 4000,
	 "file for everything the controller hears and says, as btsnoop; empty = none"},
	{"radio*", "loss", CONF_FLOAT, "0.02", 0, 0, "chance that a packet is lost, each way"},
	{"radio*", "drop", CONF_FLOAT, "0.0001", 0, 0,
	 "chance that a link breaks, per connection event"},
	{"panel*", "radio", CONF_STR, NULL, 1, 63, "the radio these labels belong to"},
	{"panel*", "labels", CONF_INT, NULL, 1, SIM_RADIO_MAX_LABELS, "how many"},
	{"panel*", "width", CONF_INT, "296", 1, 2048, "pixels"},
	{"panel*", "height", CONF_INT, "128", 1, 2048, "pixels"},
	{"panel*", "type", CONF_STR, "bw", 1, 8, "bw, bwr or bwy"},
	{"panel*", "slots", CONF_INT, "4", 1, SIM_LABEL_MAX_SLOTS, "images a label holds"},
	{"panel*", "leds", CONF_INT, "1", 0, SIM_LABEL_MAX_LEDS, "LEDs of a label"},
	{"panel*", "redraw_ms", CONF_INT, "0", 0, 60000, "as for a radio"},
	{"panel*", "personality", CONF_STR, "sl", 2, 3, "as for a radio"},
	{"panel*", "ppm", CONF_FLOAT, "20", 0, 0, "as for a radio"},
	{"panel*", "ppm_spread", CONF_FLOAT, "0", 0, 0, "as for a radio"},
	{"panel*", "corrects_clock", CONF_BOOL, "false", 0, 0, "as for a radio"},
	{"guest*", "radio", CONF_STR, NULL, 1, 63,
	 "the radio in whose air a label stands that has a host of its own"},
	{"guest*", "hci", CONF_STR, NULL, 1, 107,
	 "where that host finds its controller: a UNIX socket, or \"vhci:\", as for a radio"},
	{"guest*", "capture", CONF_STR, "", 0, 4000, "as for a radio"},
	{"oepl*", "port", CONF_INT, "0", 0, 65535,
	 "TCP port of an OpenEPaperLink access point, HTTP; 0 = any"},
	{"oepl*", "tags", CONF_INT, "0", 0, SIM_OEPL_MAX_TAGS, "labels that call it"},
	{"oepl*", "type", CONF_STR, "01", 1, 2,
	 "what they are, as that project numbers them: 00, 01, 02, 33, 36 or 60"},
	{"oepl*", "poll_s", CONF_FLOAT, "40", 0, 0, "between two calls of a label"},
	{"oepl*", "sleep_s", CONF_FLOAT, "0", 0, 0, "more than 60: labels that sleep so long"},
	{"oepl*", "stopsleep", CONF_BOOL, "true", 0, 0,
	 "labels are kept awake while a WebSocket is open"},
	{"oepl*", "speed", CONF_FLOAT, "1", 0, 0,
	 "so many times faster than life it draws, sends and redraws"},
	{"oepl*", "loss", CONF_FLOAT, "0.02", 0, 0, "chance that a packet is lost"},
	{"reader*", "port", CONF_INT, "0", 0, 65535, "TCP port of LLRP; 0 = any"},
	{"reader*", "antennas", CONF_INT, "4", 1, SIM_READER_MAX_ANTENNAS, "ports of the reader"},
	{"reader*", "reads_per_s", CONF_FLOAT, "5", 0, 0,
	 "of an item at an antenna that covers it"},
	{"reader*", "cross", CONF_FLOAT, "0.02", 0, 0,
	 "share of those reads at the reader's other antennas"},
	{"reader*", "carry_forward", CONF_BOOL, "false", 0, 0,
	 "leave out report fields that did not change"},
	{"reader*", "impinj", CONF_BOOL, "false", 0, 0, "take that maker's extensions"},
	{"reader*", "tls", CONF_BOOL, "false", 0, 0, "TLS, with a certificate made at the start"},
	{"reader*", "call", CONF_INT, "0", 0, 65535,
	 "port of loopback where a client waits for this reader's call; 0 = it listens only"},
	{"reader*", "version", CONF_INT, "1", 1, 2, "highest LLRP version: 1 = 1.0.1, 2 = 1.1"},
	{"reader*", "held_kib", CONF_INT, "2048", 1, 65536,
	 "room for reports that nobody takes, in KiB"},
	{"place*", "reader", CONF_STR, "", 0, 63, "reader that covers the place; empty = none"},
	{"place*", "antennas", CONF_STR, "", 0, 127, "its antennas there, such as \"1,2\""},
	{"place*", "kind", CONF_STR, "other", 1, 31,
	 "sales-floor, back-room, fitting-room, receiving, exit or other"},
	{"place*", "x", CONF_FLOAT, "0", 0, 0, "metres: its west side"},
	{"place*", "y", CONF_FLOAT, "0", 0, 0, "metres: its south side"},
	{"place*", "w", CONF_FLOAT, "0", 0, 0, "metres to the east; 0 = not on the ground plan"},
	{"place*", "h", CONF_FLOAT, "0", 0, 0, "metres to the north"},
	{"place*", "door", CONF_STR, "", 0, 63,
	 "\"x,y\": whoever comes or goes on foot passes there; empty = anywhere"},
	{"place*", "wall_db", CONF_FLOAT, "0", 0, 0, "what its walls take from a signal, one way"},
	{"antenna*", "reader", CONF_STR, NULL, 1, 63, "the reader it hangs on"},
	{"antenna*", "number", CONF_INT, NULL, 1, SIM_READER_MAX_ANTENNAS, "its port there"},
	{"antenna*", "x", CONF_FLOAT, "0", 0, 0,
	 "metres east; antennas with places make a ground plan"},
	{"antenna*", "y", CONF_FLOAT, "0", 0, 0, "metres north"},
	{"antenna*", "z", CONF_FLOAT, "2.6", 0, 0, "metres above the ground"},
	{"antenna*", "direction", CONF_FLOAT, "0", 0, 0, "degrees: 0 looks east, 90 north"},
	{"antenna*", "tilt", CONF_FLOAT, "30", 0, 0, "degrees: 0 looks ahead, 90 straight down"},
	{"antenna*", "gain_dbi", CONF_FLOAT, "6", 0, 0, "of the antenna, circularly polarised"},
	{"antenna*", "beam_deg", CONF_FLOAT, "70", 0, 0, "between the points of half power"},
	{"antenna*", "cable_db", CONF_FLOAT, "1", 0, 0, "lost in its cable"},
	{"room", "height", CONF_FLOAT, "3.2", 0, 0, "metres to the ceiling"},
	{"room", "exponent", CONF_FLOAT, "2.2", 0, 0, "of path loss; 2 = free space"},
	{"room", "reflection", CONF_FLOAT, "0.4", 0, 0, "of the field at walls, floor and things"},
	{"room", "shadow_db", CONF_FLOAT, "3", 0, 0, "deviation of what shelves and goods take"},
	{"room", "people", CONF_FLOAT, "0.03", 0, 0, "share of the links that somebody stands in"},
	{"room", "sensitivity_dbm", CONF_FLOAT, "-22", 0, 0, "what the best tag needs to wake"},
	{"room", "region", CONF_STR, "fcc", 3, 4, "fcc or etsi: channels of all readers"},
	{"room", "dwell_ms", CONF_INT, "100", 10, 10000, "an antenna's turn"},
	{"room", "dock", CONF_STR, "", 0, 63,
	 "\"x,y\": where deliveries come from; empty = they appear at receiving"},
	{"room", "outside", CONF_STR, "", 0, 63,
	 "\"x,y\": where those go who leave; empty = straight on from the exit"},
	{"day", "deliveries_per_h", CONF_FLOAT, "0", 0, 0, "at the place of kind receiving"},
	{"day", "delivery_items", CONF_INT, "20", 1, 1000, "items of a delivery"},
	{"day", "put_away_min", CONF_FLOAT, "10", 0, 0, "minutes till a delivery is put away"},
	{"day", "replenish_per_h", CONF_FLOAT, "0", 0, 0, "items carried to the sales floor"},
	{"day", "customers_per_h", CONF_FLOAT, "0", 0, 0, "who take an item from the sales floor"},
	{"day", "try_on", CONF_FLOAT, "0.4", 0, 0, "share of them who try it on"},
	{"day", "buy", CONF_FLOAT, "0.5", 0, 0, "share of them who buy it"},
	{"day", "misplace", CONF_FLOAT, "0.2", 0, 0,
	 "share of what they do not buy that they leave in another place"},
	{"day", "thefts_per_h", CONF_FLOAT, "0", 0, 0, "items carried out unpaid"},
	{"day", "speed", CONF_FLOAT, "1.1", 0, 0, "metres a second on foot"},
	{"day", "till", CONF_STR, "", 0, 63, "the place where is paid; empty = at the exit"},
	{"goods", "products", CONF_STR, "", 0, 4095, "CSV file with a gtin column"},
	{"goods", "gtins", CONF_STR, "", 0, 65535, "comma list, instead of a file"},
	{"goods", "max_products", CONF_INT, "0", 0, 200000, "take only the first so many; 0 = all"},
	{"goods", "items", CONF_INT, "0", 0, SIM_MAX_ITEMS, "tagged items in the store"},
	{"goods", "prefix_digits", CONF_INT, "7", 6, 12, "length of the GS1 company prefix"},
	{"goods", "move_every_s", CONF_FLOAT, "0", 0, 0,
	 "mean time between two moves by the script; 0 = nobody moves anything"},
	{NULL, NULL, CONF_STR, NULL, 0, 0, NULL},
};

int simconf_wrong(const struct simconf_reading *rd, const char *fmt, ...)
{
	int n = snprintf(rd->diag, rd->diag_len, "%s: ", rd->file);
	va_list ap;

	va_start(ap, fmt);
	if (n > 0 && (size_t) n < rd->diag_len)
		(void) vsnprintf(rd->diag + n, rd->diag_len - (size_t) n, fmt, ap);
	va_end(ap);
	return -ERR_CONFIG;
}

int simconf_number(const struct simconf_reading *rd, const char *section, const char *title,
		   const char *key, double min, double max, double *ret)
{
	double v = conf_float(rd->conf, section, title, key);

	if (v >= min && v <= max) {
		*ret = v;
		return 0;
	}
	if (title)
		return simconf_wrong(rd, "%s \"%s\": %s: must be from %g to %g", section, title,
				     key, min, max);
	return simconf_wrong(rd, "%s: %s: must be from %g to %g", section, key, min, max);
}

/** A share from 0 to 1. */
static int read_share(const struct simconf_reading *rd, const char *section, const char *title,
		      const char *key, double *ret)
{
	return simconf_number(rd, section, title, key, 0, 1, ret);
}

static int read_panel(const struct simconf_reading *rd, const char *section, const char *title,
		      struct simconf_panel *ret)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = {{"bw", DISPLAY_BLACK_WHITE},
		     {"bwr", DISPLAY_RED_BLACK_WHITE},
		     {"bwy", DISPLAY_YELLOW_BLACK_WHITE}};
	const char *type = conf_str(rd->conf, section, title, "type");
	const char *personality = conf_str(rd->conf, section, title, "personality");
	int64_t redraw_ms = conf_int(rd->conf, section, title, "redraw_ms");
	struct sim_label_model *m = &ret->model;

	*ret = (struct simconf_panel){0};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!strcmp(type, types[i].name))
			m->type = types[i].type;
	}
	if (!m->type)
		return simconf_wrong(rd, "%s \"%s\": type: '%s' is not bw, bwr or bwy", section,
				     title, type);
	if (strcmp(personality, "sl") && strcmp(personality, "nrf"))
		return simconf_wrong(rd, "%s \"%s\": personality: '%s' is not sl or nrf", section,
				     title, personality);
	if (redraw_ms == 0)
		redraw_ms = m->type == DISPLAY_BLACK_WHITE ? REDRAW_BW_MS : REDRAW_COLOUR_MS;
	m->personality = personality[0] == 's' ? SIM_PERSONALITY_SL : SIM_PERSONALITY_NRF;
	m->redraw_us = redraw_ms * US_PER_MS;
	m->width = (uint16_t) conf_int(rd->conf, section, title, "width");
	m->height = (uint16_t) conf_int(rd->conf, section, title, "height");
	m->slots = (uint8_t) conf_int(rd->conf, section, title, "slots");
	m->leds = (uint8_t) conf_int(rd->conf, section, title, "leds");
	m->clock_ppm = conf_float(rd->conf, section, title, "ppm");
	m->clock_spread_ppm = conf_float(rd->conf, section, title, "ppm_spread");
	m->corrects_clock = conf_bool(rd->conf, section, title, "corrects_clock");
	ret->labels = (unsigned int) conf_int(rd->conf, section, title, "labels");
	return 0;
}

static int read_radio(const struct simconf_reading *rd, const char *title, struct simconf_radio *to)
{
	int r;

	to->name = title;
	to->hci = conf_str(rd->conf, "radio", title, "hci");
	to->hears = conf_str(rd->conf, "radio", title, "hears");
	to->max_links = (unsigned int) conf_int(rd->conf, "radio", title, "links");
	to->advert_ms = (unsigned int) conf_int(rd->conf, "radio", title, "advert_ms");
	to->capture = conf_str(rd->conf, "radio", title, "capture");
	to->wifi.mhz = (uint16_t) conf_int(rd->conf, "radio", title, "wifi_mhz");
	to->wifi.width_mhz = (uint16_t) conf_int(rd->conf, "radio", title, "wifi_width");
	r = read_share(rd, "radio", title, "wifi_loss", &to->wifi.loss);
	if (r == 0)
		r = read_share(rd, "radio", title, "loss", &to->loss);
	if (r == 0)
		r = read_share(rd, "radio", title, "drop", &to->drop);
	if (r == 0)
		r = read_panel(rd, "radio", title, &to->panels[0]);
	if (r == 0 && to->panels[0].labels > 0)
		to->n_panels = 1;
	return r;
}

static int read_extra_panel(const struct simconf_reading *rd, const char *title)
{
	const char *radio = conf_str(rd->conf, "panel", title, "radio");

	for (size_t i = 0; i < rd->to->n_radios; i++) {
		struct simconf_radio *to = &rd->to->radios[i];

		if (strcmp(to->name, radio))
			continue;
		if (to->n_panels == SIM_MAX_PANELS)
			return simconf_wrong(rd, "panel \"%s\": too many for one radio", title);
		return read_panel(rd, "panel", title, &to->panels[to->n_panels++]);
	}
	return simconf_wrong(rd, "panel \"%s\": radio: there is no radio \"%s\"", title, radio);
}

static int read_guest(const struct simconf_reading *rd, const char *title, struct simconf_guest *to)
{
	const char *radio = conf_str(rd->conf, "guest", title, "radio");

	*to = (struct simconf_guest){.name = title,
				     .hci = conf_str(rd->conf, "guest", title, "hci"),
				     .capture = conf_str(rd->conf, "guest", title, "capture")};
	for (to->radio = 0; to->radio < rd->to->n_radios; to->radio++)
		if (!strcmp(rd->to->radios[to->radio].name, radio))
			return 0;
	return simconf_wrong(rd, "guest \"%s\": radio: there is no radio \"%s\"", title, radio);
}

static int read_oepl(const struct simconf_reading *rd, const char *title, struct simconf_oepl *to)
{
	const char *type = conf_str(rd->conf, "oepl", title, "type");
	char *end;
	unsigned long id = strtoul(type, &end, 16);

	if (*end || !sim_oepl_type((unsigned int) id))
		return simconf_wrong(rd, "oepl \"%s\": type: there is no '%s'", title, type);
	to->port = (uint16_t) conf_int(rd->conf, "oepl", title, "port");
	to->ap = (struct sim_oepl_config){
		.name = title,
		.type = (uint8_t) id,
		.tags = (unsigned int) conf_int(rd->conf, "oepl", title, "tags"),
		.poll_s = conf_float(rd->conf, "oepl", title, "poll_s"),
		.speed = conf_float(rd->conf, "oepl", title, "speed"),
		.sleep_s = conf_float(rd->conf, "oepl", title, "sleep_s"),
		.stopsleep = conf_bool(rd->conf, "oepl", title, "stopsleep"),
	};
	if (!(to->ap.speed >= 0.1 && to->ap.speed <= 1000))
		return simconf_wrong(rd, "oepl \"%s\": speed: must be from 0.1 to 1000", title);
	if (!(to->ap.poll_s >= 0.1 && to->ap.poll_s <= 86400) ||
	    !(to->ap.sleep_s >= 0 && to->ap.sleep_s <= 86400))
		return simconf_wrong(
			rd, "oepl \"%s\": poll_s, sleep_s: must be from 0.1 to 86400 s", title);
	return read_share(rd, "oepl", title, "loss", &to->ap.loss);
}

static int read_reader(const struct simconf_reading *rd, const char *title,
		       struct simconf_reader *to)
{
	to->reader.name = title;
	to->reader.n_antennas = (uint16_t) conf_int(rd->conf, "reader", title, "antennas");
	to->reader.carry_forward = conf_bool(rd->conf, "reader", title, "carry_forward");
	to->reader.impinj = conf_bool(rd->conf, "reader", title, "impinj");
	to->reader.tls = conf_bool(rd->conf, "reader", title, "tls");
	to->call_port = (uint16_t) conf_int(rd->conf, "reader", title, "call");
	to->reader.version = (uint8_t) conf_int(rd->conf, "reader", title, "version");
	to->reader.held_bytes = (size_t) conf_int(rd->conf, "reader", title, "held_kib") * 1024;
	to->port = (uint16_t) conf_int(rd->conf, "reader", title, "port");
	if (simconf_number(rd, "reader", title, "reads_per_s", 0, 1000, &to->reads_per_s) < 0)
		return -ERR_CONFIG;
	return read_share(rd, "reader", title, "cross", &to->cross);
}

static int read_place(const struct simconf_reading *rd, const char *title, struct simconf_place *to)
{
	*to = (struct simconf_place){
		.name = title,
		.kind = conf_str(rd->conf, "place", title, "kind"),
		.reader = conf_str(rd->conf, "place", title, "reader"),
		.antennas = conf_str(rd->conf, "place", title, "antennas"),
	};
	for (size_t i = 0; *to->reader && i < rd->to->n_readers; i++) {
		if (!strcmp(rd->to->readers[i].reader.name, to->reader))
			return simconf_read_plan(rd, title, to);
	}
	return *to->reader ? simconf_wrong(rd, "place \"%s\": reader: there is no reader \"%s\"",
					   title, to->reader)
			   : simconf_read_plan(rd, title, to);
}

static int read_goods(const struct simconf_reading *rd)
{
	struct simconf *to = rd->to;

	to->goods = (struct sim_goods){
		.gtins = conf_str(rd->conf, "goods", NULL, "gtins"),
		.products = conf_str(rd->conf, "goods", NULL, "products"),
		.max_products = (uint32_t) conf_int(rd->conf, "goods", NULL, "max_products"),
		.items = (uint32_t) conf_int(rd->conf, "goods", NULL, "items"),
		.prefix_digits = (unsigned int) conf_int(rd->conf, "goods", NULL, "prefix_digits"),
		.start = conf_str(rd->conf, NULL, NULL, "start"),
	};
	to->move_every_s = conf_float(rd->conf, "goods", NULL, "move_every_s");
	if (!(to->move_every_s >= 0 && to->move_every_s < 1e9))
		return simconf_wrong(rd, "goods: move_every_s: must not be negative");
	if (to->day.deliveries_per_h > 0 && to->goods.items == 0)
		return simconf_wrong(rd, "day: deliveries_per_h: needs goods with items to go by");
	return 0;
}

static int read_sections(const struct simconf_reading *rd)
{
	struct simconf *to = rd->to;
	size_t n_panels = conf_count(rd->conf, "panel");
	int r = 0;

	to->n_radios = conf_count(rd->conf, "radio");
	to->n_oepls = conf_count(rd->conf, "oepl");
	to->n_guests = conf_count(rd->conf, "guest");
	to->n_readers = conf_count(rd->conf, "reader");
	to->n_places = conf_count(rd->conf, "place");
	if (to->n_radios > SIM_MAX_RADIOS || to->n_readers > SIM_MAX_READERS ||
	    to->n_places > SIM_MAX_PLACES - 1)
		return simconf_wrong(rd, "at most %d radios, %d readers and %d places",
				     SIM_MAX_RADIOS, SIM_MAX_READERS, SIM_MAX_PLACES - 1);
	for (size_t i = 0; r == 0 && i < to->n_radios; i++)
		r = read_radio(rd, conf_title(rd->conf, "radio", i), &to->radios[i]);
	for (size_t i = 0; r == 0 && i < n_panels; i++)
		r = read_extra_panel(rd, conf_title(rd->conf, "panel", i));
	if (to->n_guests > SIM_MAX_GUESTS)
		return simconf_wrong(rd, "at most %d guests", SIM_MAX_GUESTS);
	for (size_t i = 0; r == 0 && i < to->n_guests; i++)
		r = read_guest(rd, conf_title(rd->conf, "guest", i), &to->guests[i]);
	if (to->n_oepls > SIM_MAX_OEPLS)
		return simconf_wrong(rd, "at most %d OpenEPaperLink access points", SIM_MAX_OEPLS);
	for (size_t i = 0; r == 0 && i < to->n_oepls; i++)
		r = read_oepl(rd, conf_title(rd->conf, "oepl", i), &to->oepls[i]);
	for (size_t i = 0; r == 0 && i < to->n_readers; i++)
		r = read_reader(rd, conf_title(rd->conf, "reader", i), &to->readers[i]);
	for (size_t i = 0; r == 0 && i < to->n_places; i++)
		r = read_place(rd, conf_title(rd->conf, "place", i), &to->places[i]);
	if (r == 0)
		r = simconf_read_floor(rd);
	return r < 0 ? r : read_goods(rd);
}

int simconf_load(const char *file, struct simconf **ret, char *diag, size_t diag_len)
{
	struct simconf *c = calloc(1, sizeof *c);
	struct simconf_reading rd = {.file = file, .diag = diag, .diag_len = diag_len, .to = c};
	int r;

	if (!c)
		return -ENOMEM;
	diag[0] = '\0';
	r = conf_load(file, simconf_schema, diag, diag_len, &c->conf);
	if (r == 0) {
		rd.conf = c->conf;
		c->seed = (uint64_t) conf_int(c->conf, NULL, NULL, "seed");
		c->truth_port = (uint16_t) conf_int(c->conf, NULL, NULL, "truth_port");
		r = read_sections(&rd);
	}
	if (r < 0) {
		simconf_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void simconf_free(struct simconf *c)
{
	if (!c)
		return;
	conf_free(c->conf);
	free(c);
}
