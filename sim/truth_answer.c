/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/truth_impl.h"

#include "common/hex.h"
#include <ctype.h>
#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

#define SHOWS_AT_ONCE 5000

json_t *sim_truth_failure(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

/** The label model runs on the monotonic clock; the port speaks UTC. */
static int64_t to_real_us(const struct sim_truth_ctx *c, int64_t mono_us)
{
	return mono_us ? clock_real_us(c->clock) - (clock_mono_us(c->clock) - mono_us) : 0;
}

/* --- labels ----------------------------------------------------------------------------------- */

static json_t *hash_json(bool set, const uint8_t hash[IMAGE_HASH_BYTES])
{
	char hex[IMAGE_HASH_HEX_MAX];

	return set ? json_string(hex_encode(hash, IMAGE_HASH_BYTES, hex)) : json_null();
}

/** What somebody in front of the label would see it blink; null when it does not. */
static json_t *led_json(const struct sim_truth_ctx *c, const struct sim_label_view *v)
{
	if (!v->led_active)
		return json_null();
	return json_pack("{s:b,s:b,s:b,s:o}", "red", (v->led_color & 0x03) != 0, "green",
			 (v->led_color & 0x0c) != 0, "blue", (v->led_color & 0x30) != 0, "until_us",
			 v->led_until_us == INT64_MAX
				 ? json_null()
				 : json_integer(to_real_us(c, v->led_until_us)));
}

static json_t *label_json(const struct sim_truth_ctx *c, const struct sim_label *l)
{
	struct sim_label_view v;
	json_t *o, *slots = json_array();
	char addr[2 * SIM_LABEL_ADDR_BYTES + 1];

	sim_label_get(l, &v);
	(void) hex_encode(v.addr, sizeof v.addr, addr);
	for (char *p = addr; *p; p++)
		*p = (char) toupper((unsigned char) *p);
	for (unsigned int i = 0; i < v.model.slots; i++)
		json_array_append_new(slots, hash_json(v.slot_filled[i], v.slot_hash[i]));
	o = json_pack("{s:s,s:i,s:i,s:i,s:s,s:i,s:i,s:o,s:I,s:I,s:b,s:o,s:o,s:I,s:I,s:i,s:i,s:o}",
		      "addr", addr, "width", v.model.width, "height", v.model.height, "type",
		      v.model.type, "state", esl_label_state_name(v.state), "group", v.group, "id",
		      v.id, "shown_sha256", hash_json(v.frame != NULL, v.frame_hash), "shown_at_us",
		      (json_int_t) to_real_us(c, v.shown_at_us), "redraw_started_us",
		      (json_int_t) to_real_us(c, v.redraw_started_us), "redrawing", v.redrawing,
		      "slot", v.has_image ? json_integer(v.slot) : json_null(), "image_slots",
		      slots, "redraws", (json_int_t) v.redraws, "writes", (json_int_t) v.writes,
		      "basic_state", v.basic_state, "battery_mv", v.battery_mv, "led",
		      led_json(c, &v));
	return o ? o : sim_truth_failure("out of memory");
}

static json_t *op_labels(const struct sim_truth_ctx *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->s->n_radios; i++) {
		for (size_t k = 0; k < sim_radio_labels(c->s->radios[i]); k++) {
			json_t *o = label_json(c, sim_radio_label(c->s->radios[i], k));

			json_object_set_new(o, "radio",
					    json_string(sim_radio_name(c->s->radios[i])));
			json_array_append_new(list, o);
		}
	}
	for (size_t i = 0; i < c->s->n_labels; i++)
		json_array_append_new(list, label_json(c, c->s->labels[i]));
	sim_truth_oepl_labels(c, list);
	return json_pack("{s:o}", "labels", list);
}

/** The label that the request names, or NULL. Its radio is NULL if it has none of ours. */
static struct sim_label *label_of(const struct sim_truth_ctx *c, struct sim_radio **ret_radio,
				  size_t *ret_index)
{
	const char *text = json_string_value(json_object_get(c->q, "addr"));
	uint8_t addr[SIM_LABEL_ADDR_BYTES];

	if (!text || strlen(text) != 2 * sizeof addr || hex_decode(text, addr, sizeof addr) < 0)
		return NULL;
	for (size_t i = 0; i < c->s->n_radios; i++) {
		int k = sim_radio_find(c->s->radios[i], addr);

		if (k >= 0) {
			*ret_radio = c->s->radios[i];
			*ret_index = (size_t) k;
			return sim_radio_label(c->s->radios[i], (size_t) k);
		}
	}
	*ret_radio = NULL;
	for (size_t i = 0; i < c->s->n_labels; i++) {
		struct sim_label_view v;

		sim_label_get(c->s->labels[i], &v);
		if (memcmp(v.addr, addr, sizeof(addr)) == 0)
			return c->s->labels[i];
	}
	return NULL;
}

static json_t *base64_json(const uint8_t *data, size_t len)
{
	char *text = malloc(BASE64_ENCODE_RAW_LENGTH(len) + 1);
	json_t *o;

	if (!text)
		return NULL;
	base64_encode_raw(text, len, data);
	o = json_stringn(text, BASE64_ENCODE_RAW_LENGTH(len));
	free(text);
	return o;
}

static json_t *op_label(const struct sim_truth_ctx *c)
{
	struct sim_radio *radio;
	size_t i;
	struct sim_label *l = label_of(c, &radio, &i);
	struct sim_label_view v;
	json_t *o;

	if (!l) {
		o = sim_truth_oepl_label(c);
		return o ? o : sim_truth_failure("no such label");
	}
	o = label_json(c, l);
	sim_label_get(l, &v);
	json_object_set_new(o, "planes_base64",
			    v.frame ? base64_json(v.frame, v.frame_len) : json_null());
	return o;
}

static json_t *show_json(const struct sim_show *s)
{
	char addr[2 * SIM_LABEL_ADDR_BYTES + 1];

	(void) hex_encode(s->addr, sizeof s->addr, addr);
	for (char *p = addr; *p; p++)
		*p = (char) toupper((unsigned char) *p);
	return json_pack("{s:s,s:o,s:I,s:I}", "addr", addr, "sha256", hash_json(true, s->hash),
			 "started_us", (json_int_t) s->started_us, "at_us", (json_int_t) s->at_us);
}

static json_t *op_shows(const struct sim_truth_ctx *c)
{
	json_int_t since = json_integer_value(json_object_get(c->q, "since"));
	uint64_t n = since > 0 ? (uint64_t) since : 0, lost = 0;
	json_t *list;

	if (!c->s->shows)
		return sim_truth_failure("nobody keeps that log");
	if (n < sim_shows_oldest(c->s->shows)) {
		lost = sim_shows_oldest(c->s->shows) - n;
		n += lost;
	}
	list = json_array();
	for (const struct sim_show *s;
	     json_array_size(list) < SHOWS_AT_ONCE && (s = sim_shows_at(c->s->shows, n)); n++)
		json_array_append_new(list, show_json(s));
	return json_pack("{s:o,s:I,s:I}", "shows", list, "next", (json_int_t) n, "lost",
			 (json_int_t) lost);
}

static json_t *op_label_reset(const struct sim_truth_ctx *c)
{
	struct sim_radio *radio;
	size_t i;
	struct sim_label *l = label_of(c, &radio, &i);

	if (!l)
		return sim_truth_failure("no such label");
	if (json_is_true(json_object_get(c->q, "factory")))
		sim_label_factory_reset(l, clock_mono_us(c->clock));
	else
		sim_label_reboot(l, clock_mono_us(c->clock));
	if (radio)
		sim_radio_touched(radio, i);
	else
		c->s->touched(c->s->user);
	return label_json(c, l);
}

static json_t *op_label_battery(const struct sim_truth_ctx *c)
{
	struct sim_radio *radio;
	size_t i;
	struct sim_label *l = label_of(c, &radio, &i);
	json_int_t mv = json_integer_value(json_object_get(c->q, "mv"));

	if (!l || mv < 0 || mv > UINT16_MAX)
		return sim_truth_failure(l ? "mv is out of range" : "no such label");
	sim_label_set_battery(l, (uint16_t) mv);
	return label_json(c, l);
}

/* --- radios ----------------------------------------------------------------------- */

static json_t *radio_json(const struct sim_radio *r)
{
	struct sim_radio_stats st;
	json_t *sent = json_array();
	unsigned int pairings = 0;

	for (size_t i = 0; i < sim_radio_labels(r); i++)
		pairings += sim_radio_pairings(r, i);
	sim_radio_get_stats(r, &st);
	for (size_t i = 0; i < RADIO_DATA_CHANNELS; i++)
		json_array_append_new(sent, json_integer((json_int_t) st.channel_sent[i]));
	return json_pack("{s:s,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:i,s:i,s:I,s:o,s:I,s:i,s:i,s:i}",
			 "name", sim_radio_name(r), "loss", sim_radio_loss(r), "packets",
			 (json_int_t) st.packets, "lost", (json_int_t) st.packets_lost, "responses",
			 (json_int_t) st.responses, "responses_lost",
			 (json_int_t) st.responses_lost, "collisions", (json_int_t) st.collisions,
			 "late", (json_int_t) st.late, "train", st.train_running, "trains",
			 (int) st.generation, "labels", (int) sim_radio_labels(r), "channels",
			 (json_int_t) st.channels, "channel_sent", sent, "jammed",
			 (json_int_t) st.jammed, "links", (int) st.links, "links_most",
			 (int) st.links_most, "pairings", (int) pairings);
}

static json_t *op_radio(const struct sim_truth_ctx *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->s->n_radios; i++)
		json_array_append_new(list, radio_json(c->s->radios[i]));
	return json_pack("{s:o}", "radios", list);
}

/** Switches one Wi-Fi on near a radio, or all off. */
static json_t *op_wifi(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "radio"));
	json_int_t mhz = json_integer_value(json_object_get(c->q, "mhz"));
	json_int_t width = json_integer_value(json_object_get(c->q, "width"));
	double loss = json_number_value(json_object_get(c->q, "loss"));
	struct radio_wifi w = {(uint16_t) mhz, (uint16_t) (width ? width : 20), loss};

	if (mhz < 0 || mhz > 2484 || (width != 0 && width != 20 && width != 40) ||
	    !(loss >= 0 && loss <= 1))
		return sim_truth_failure("mhz up to 2484, width 20 or 40, loss from 0 to 1");
	for (size_t i = 0; i < c->s->n_radios; i++)
		if (!name || !strcmp(name, sim_radio_name(c->s->radios[i])))
			(void) !sim_radio_set_wifi(c->s->radios[i], &w, 1);
	return op_radio(c);
}

static json_t *op_set(const struct sim_truth_ctx *c)
{
	const json_t *loss = json_object_get(c->q, "loss");
	const char *name = json_string_value(json_object_get(c->q, "radio"));
	double p = json_number_value(loss);

	if (!json_is_number(loss) || p < 0 || p > 1)
		return sim_truth_failure("loss must be from 0 to 1");
	for (size_t i = 0; i < c->s->n_radios; i++) {
		if (!name || !strcmp(name, sim_radio_name(c->s->radios[i])))
			sim_radio_set_loss(c->s->radios[i], p);
	}
	return op_radio(c);
}

/** The controller loses its power; or, with `replace`, another one comes in its place. */
static json_t *op_radio_reset(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "radio"));
	json_t *o = NULL;

	for (size_t i = 0; name && !o && i < c->s->n_radios; i++) {
		if (!strcmp(name, sim_radio_name(c->s->radios[i]))) {
			if (json_is_true(json_object_get(c->q, "replace")))
				sim_radio_replace(c->s->radios[i]);
			else
				sim_radio_power_cycle(c->s->radios[i]);
			o = op_radio(c);
		}
	}
	return o ? o : sim_truth_failure("no such radio");
}

static json_t *op_adapter(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "radio"));
	const json_t *unplug = json_object_get(c->q, "unplug");
	int r = -ENODEV;

	if (!json_is_boolean(unplug))
		return sim_truth_failure("unplug must be true or false");
	for (size_t i = 0; name && c->s->adapters && i < c->s->n_radios; i++)
		if (c->s->adapters[i] && !strcmp(name, sim_radio_name(c->s->radios[i])))
			r = sim_vhci_plug(c->s->adapters[i], !json_is_true(unplug));
	return r < 0 ? sim_truth_failure("there is no such adapter, or none can be made")
		     : op_radio(c);
}

static json_t *op_time(const struct sim_truth_ctx *c)
{
	return json_pack("{s:I,s:I}", "real_us", (json_int_t) clock_real_us(c->clock), "mono_us",
			 (json_int_t) clock_mono_us(c->clock));
}

static const struct {
	const char *op;
	json_t *(*fn)(const struct sim_truth_ctx *c);
} ops[] = {
	{"labels", op_labels},
	{"label", op_label},
	{"shows", op_shows},
	{"label-reset", op_label_reset},
	{"label-battery", op_label_battery},
	{"items", sim_truth_items},
	{"item", sim_truth_item},
	{"move", sim_truth_move},
	{"moves", sim_truth_moves},
	{"reads", sim_truth_reads},
	{"places", sim_truth_places},
	{"leave", sim_truth_leave},
	{"arrive", sim_truth_arrive},
	{"passages", sim_truth_passages},
	{"plan", sim_truth_plan},
	{"where", sim_truth_where},
	{"walk", sim_truth_walk},
	{"events", sim_truth_events},
	{"radio", op_radio},
	{"radio-reset", op_radio_reset},
	{"adapter", op_adapter},
	{"wifi", op_wifi},
	{"oepl", sim_truth_oepl},
	{"oepl-tag", sim_truth_oepl_tag},
	{"set", op_set},
	{"reader", sim_truth_reader},
	{"readers", sim_truth_readers},
	{"time", op_time},
};

static json_t *answer(const struct sim_truth_ctx *c)
{
	const char *op = json_string_value(json_object_get(c->q, "op"));

	for (size_t i = 0; op && i < ARRAY_SIZE(ops); i++) {
		if (!strcmp(op, ops[i].op))
			return ops[i].fn(c);
	}
	return sim_truth_failure("unknown op");
}

static int dump_to_buf(const char *text, size_t len, void *out)
{
	buf_put(out, text, len);
	return buf_ok(out) ? 0 : -1;
}

void sim_truth_answer(const struct sim_truth_sources *s, const struct clock *clock,
		      const char *line, size_t len, struct buf *out)
{
	json_t *q = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct sim_truth_ctx c = {.s = s, .clock = clock, .q = q};
	json_t *a = q ? answer(&c) : sim_truth_failure("not JSON");

	if (!a || json_dump_callback(a, dump_to_buf, out, JSON_COMPACT) < 0)
		buf_put_str(out, "{\"error\":\"out of memory\"}");
	buf_put_u8(out, '\n');
	json_decref(a);
	json_decref(q);
}
