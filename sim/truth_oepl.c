/* SPDX-License-Identifier: Apache-2.0 */
/* The truth of OpenEPaperLink access points and their labels, and what can be done to them. */
#include "sim/oepl.h"
#include "sim/truth_impl.h"

#include "common/hex.h"
#include <ctype.h>
#include <nettle/base64.h>
#include <string.h>

static int64_t to_real_us(const struct sim_truth_ctx *c, int64_t mono_us)
{
	return mono_us ? clock_real_us(c->clock) - (clock_mono_us(c->clock) - mono_us) : 0;
}

static uint8_t display_type(const struct sim_oepl_type *t)
{
	if (t->bpp == 1 || t->colours < 3)
		return DISPLAY_BLACK_WHITE;
	return t->yellow ? DISPLAY_YELLOW_BLACK_WHITE : DISPLAY_RED_BLACK_WHITE;
}

/** As other labels are told of; what these do not have is left out. */
static json_t *label_json(const struct sim_truth_ctx *c, const struct sim_oepl *ap, unsigned int i)
{
	struct sim_oepl_view v;
	char addr[13], hash[IMAGE_HASH_HEX_MAX];

	sim_oepl_get(ap, i, &v);
	hex_encode(v.mac + 2, 6, addr);
	for (char *p = addr; *p; p++)
		*p = (char) toupper((unsigned char) *p);
	return json_pack("{s:s,s:s,s:i,s:i,s:i,s:o,s:I,s:I,s:b,s:I,s:i,s:i,s:I}", "addr", addr,
			 "oepl", sim_oepl_name(ap), "width", (int) v.type->width, "height",
			 (int) v.type->height, "type", (int) display_type(v.type), "shown_sha256",
			 v.frame ? json_string(hex_encode(v.frame_hash, IMAGE_HASH_BYTES, hash))
				 : json_null(),
			 "shown_at_us", (json_int_t) to_real_us(c, v.shown_at_us),
			 "redraw_started_us", (json_int_t) to_real_us(c, v.started_us), "redrawing",
			 (int) v.redrawing, "redraws", (json_int_t) v.redraws, "battery_mv",
			 (int) v.battery_mv, "led_rgb332", (int) v.led_colour, "calls",
			 (json_int_t) v.calls);
}

void sim_truth_oepl_labels(const struct sim_truth_ctx *c, json_t *list)
{
	for (size_t k = 0; k < c->s->n_oepls; k++)
		for (unsigned int i = 0; i < sim_oepl_tags(c->s->oepls[k]); i++) {
			struct sim_oepl_view v;

			sim_oepl_get(c->s->oepls[k], i, &v);
			if (!v.gone)
				json_array_append_new(list, label_json(c, c->s->oepls[k], i));
		}
}

static struct sim_oepl *ap_of_label(const struct sim_truth_ctx *c, unsigned int *ret)
{
	const char *text = json_string_value(json_object_get(c->q, "addr"));
	uint8_t addr[6];

	if (!text || strlen(text) != 2 * sizeof addr || hex_decode(text, addr, sizeof addr) < 0)
		return NULL;
	for (size_t k = 0; k < c->s->n_oepls; k++) {
		int i = sim_oepl_find(c->s->oepls[k], addr);

		if (i >= 0) {
			*ret = (unsigned int) i;
			return c->s->oepls[k];
		}
	}
	return NULL;
}

json_t *sim_truth_oepl_label(const struct sim_truth_ctx *c)
{
	unsigned int i;
	struct sim_oepl *ap = ap_of_label(c, &i);
	struct sim_oepl_view v;
	char *text;
	json_t *o;

	if (!ap)
		return NULL;
	o = label_json(c, ap, i);
	sim_oepl_get(ap, i, &v);
	text = v.frame ? malloc(BASE64_ENCODE_RAW_LENGTH(v.frame_len)) : NULL;
	if (text)
		base64_encode_raw(text, v.frame_len, v.frame);
	json_object_set_new(o, "planes_base64",
			    text ? json_stringn(text, BASE64_ENCODE_RAW_LENGTH(v.frame_len))
				 : json_null());
	free(text);
	return o;
}

/* --- what is done to them --------------------------------------------------------------------- */

static int64_t seconds_us(const json_t *v)
{
	double s = json_number_value(v);

	return s > 0 && s < 1e6 ? (int64_t) (s * 1e6) : 0;
}

static unsigned int count(const json_t *v)
{
	json_int_t n = json_integer_value(v);

	return n > 0 && n <= 100000 ? (unsigned int) n : 0;
}

static void do_to_ap(const struct sim_truth_ctx *c, struct sim_oepl *ap)
{
	const json_t *v;

	v = json_object_get(c->q, "loss");
	if (json_is_number(v) && json_number_value(v) >= 0 && json_number_value(v) <= 1)
		sim_oepl_set_loss(ap, json_number_value(v));
	if ((v = json_object_get(c->q, "busy_s")))
		sim_oepl_busy(ap, seconds_us(v));
	if ((v = json_object_get(c->q, "fail_s")))
		sim_oepl_fail(ap, seconds_us(v));
	if ((v = json_object_get(c->q, "phantoms")))
		sim_oepl_phantoms(ap, count(v));
	if ((v = json_object_get(c->q, "starve")))
		sim_oepl_starve(ap, count(v));
	if ((v = json_object_get(c->q, "break")))
		sim_oepl_break_transfers(ap, count(v));
	if ((v = json_object_get(c->q, "babble")))
		sim_oepl_babble(ap, count(v));
	if (json_is_true(json_object_get(c->q, "forget")))
		sim_oepl_forget(ap);
	if ((v = json_object_get(c->q, "restart_s")))
		sim_oepl_restart(ap, seconds_us(v));
}

static json_t *ap_json(const struct sim_oepl *ap)
{
	struct sim_oepl_stats st;

	sim_oepl_get_stats(ap, &st);
	return json_pack("{s:s,s:b,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "name",
			 sim_oepl_name(ap), "up", (int) sim_oepl_is_up(ap), "tags",
			 (int) sim_oepl_tags(ap), "records", (int) st.records, "pending",
			 (int) st.pending, "requests", (json_int_t) st.requests, "uploads",
			 (json_int_t) st.uploads, "refused", (json_int_t) st.refused, "drawn",
			 (json_int_t) st.drawn, "same", (json_int_t) st.same, "transfers",
			 (json_int_t) st.transfers, "failed", (json_int_t) st.failed, "wraps",
			 (json_int_t) st.wraps, "messages", (json_int_t) st.messages);
}

json_t *sim_truth_oepl(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "name"));

	for (size_t k = 0; k < c->s->n_oepls; k++) {
		if (name && strcmp(name, sim_oepl_name(c->s->oepls[k])))
			continue;
		do_to_ap(c, c->s->oepls[k]);
		return ap_json(c->s->oepls[k]);
	}
	return sim_truth_failure("no such access point");
}

static struct sim_oepl *ap_named(const struct sim_truth_ctx *c, const char *name)
{
	for (size_t k = 0; name && k < c->s->n_oepls; k++)
		if (!strcmp(name, sim_oepl_name(c->s->oepls[k])))
			return c->s->oepls[k];
	return NULL;
}

json_t *sim_truth_oepl_tag(const struct sim_truth_ctx *c)
{
	const json_t *hide = json_object_get(c->q, "hide");
	struct sim_oepl *to = ap_named(c, json_string_value(json_object_get(c->q, "move")));
	unsigned int i;
	struct sim_oepl *ap = ap_of_label(c, &i);
	int there;

	if (!ap)
		return sim_truth_failure("no such label");
	if (json_is_boolean(hide))
		sim_oepl_hide_tag(ap, i, json_is_true(hide));
	if (json_is_true(json_object_get(c->q, "restart")))
		sim_oepl_restart_tag(ap, i);
	if (to && to != ap) {
		there = sim_oepl_move_tag(ap, i, to);
		if (there < 0)
			return sim_truth_failure("no room there");
		return label_json(c, to, (unsigned int) there);
	}
	return label_json(c, ap, i);
}
