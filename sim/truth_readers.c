/* SPDX-License-Identifier: Apache-2.0 */
/* The truth port about readers: how they are, and what is done to them. */
#include "sim/truth_impl.h"

#include <string.h>

static json_t *reader_json(const struct sim_reader *r)
{
	struct sim_reader_stats st;

	sim_reader_get_stats(r, &st);
	return json_pack("{s:s,s:i,s:b,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:f}", "name",
			 sim_reader_name(r), "port", sim_reader_port(r), "connected", st.connected,
			 "unplugged", st.unplugged, "frozen", st.frozen, "inventory", st.inventory,
			 "reads", (json_int_t) st.reads, "reported", (json_int_t) st.reported,
			 "dropped", (json_int_t) st.dropped, "connections",
			 (json_int_t) st.connections, "errors_sent", (json_int_t) st.errors_sent,
			 "power_db", sim_reader_power_db(r, 1));
}

json_t *sim_truth_readers(const struct sim_truth_ctx *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->s->n_readers; i++)
		json_array_append_new(list, reader_json(c->s->readers[i]));
	return json_pack("{s:o}", "readers", list);
}

/** A number of the request; -1 when it is left out. A boolean counts as one. */
static int number(const struct sim_truth_ctx *c, const char *key)
{
	const json_t *v = json_object_get(c->q, key);
	json_int_t n = json_is_boolean(v) ? json_is_true(v) : json_integer_value(v);

	return v && n >= 0 && n <= INT32_MAX ? (int) n : -1;
}

static const char *cables(const struct sim_truth_ctx *c, struct sim_reader *r)
{
	int antenna = number(c, "antenna"), on = number(c, "connected"), cable = number(c, "cable");

	if (antenna < 0)
		return NULL;
	if (antenna > UINT16_MAX ||
	    (on >= 0 && sim_reader_set_antenna(r, (uint16_t) antenna, on > 0) < 0) ||
	    (cable >= 0 && sim_reader_set_cable(r, (uint16_t) antenna, cable > 0) < 0))
		return "no such antenna";
	return NULL;
}

static const char *air(const struct sim_truth_ctx *c, struct sim_reader *r)
{
	const json_t *jam = json_object_get(c->q, "jam"), *v;
	uint64_t channels = 0;
	size_t i;

	if (!json_is_array(jam))
		return NULL;
	json_array_foreach(jam, i, v)
	{
		json_int_t n = json_integer_value(v);

		if (n < 1 || n > 64)
			return "a channel is from 1 to 64";
		channels |= UINT64_C(1) << (n - 1);
	}
	sim_reader_jam(r, channels);
	return NULL;
}

static const char *settings(const struct sim_truth_ctx *c, struct sim_reader *r)
{
	const struct sim_reader_meddling m = {
		.power = (uint16_t) MAX(number(c, "power"), 0),
		.session = number(c, "session"),
		.keepalive_ms = number(c, "keepalive_ms"),
		.hold = number(c, "hold"),
		.events = number(c, "events"),
		.forget = number(c, "forget") > 0,
	};

	if (number(c, "room") >= 0)
		sim_reader_set_room(r, (size_t) number(c, "room"));
	return sim_reader_meddle(r, &m) < 0 ? "out of range" : NULL;
}

static const char *plug(const struct sim_truth_ctx *c, struct sim_reader *r)
{
	const json_t *unplug = json_object_get(c->q, "unplug");
	const json_t *freeze = json_object_get(c->q, "freeze");

	if (json_is_boolean(unplug) && sim_reader_set_unplugged(r, json_is_true(unplug)) < 0)
		return "its port is taken";
	if (json_is_boolean(freeze))
		sim_reader_set_frozen(r, json_is_true(freeze));
	return NULL;
}

json_t *sim_truth_reader(const struct sim_truth_ctx *c)
{
	const char *name = json_string_value(json_object_get(c->q, "name"));

	for (size_t i = 0; name && i < c->s->n_readers; i++) {
		struct sim_reader *r = c->s->readers[i];
		const char *wrong;

		if (strcmp(name, sim_reader_name(r)))
			continue;
		wrong = plug(c, r);
		if (!wrong)
			wrong = cables(c, r);
		if (!wrong)
			wrong = air(c, r);
		if (!wrong)
			wrong = settings(c, r);
		return wrong ? sim_truth_failure(wrong) : reader_json(r);
	}
	return sim_truth_failure("no such reader");
}
