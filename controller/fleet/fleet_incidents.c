/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/fleet_incidents.h"
#include "common/err.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/incidents/incidents.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLEAR_US  (15 * US_PER_SEC)  /* gone from the reports for so long */
#define RENEW_US  (60 * US_PER_SEC)  /* between two pieces of evidence of one */
#define NEVER_US  (600 * US_PER_SEC) /* for an agent that has never been heard */
#define CLOCK_US  (1 * US_PER_SEC)   /* an uncertainty beyond this vouches for nothing */
#define KNOWN_MAX 256u               /* incidents of one agent that are told */

/* One that is open, or may become so. */
struct known {
	char key[INCIDENT_KIND_MAX + 1 + INCIDENT_SUBJECT_MAX + 1]; /* kind, blank, subject */
	int64_t agent_id;
	int64_t first_us, last_us; /* monotonic, in the reports */
	int64_t written_us;
	uint32_t words; /* hash of the evidence that was written last */
	bool open;
	UT_hash_handle hh;
};

struct fleet_incidents {
	struct app *app;
	struct known *known;
	size_t n_known;
	int64_t started_us;
};

/* --- writing ------------------------------------------------------------------------------- */

struct change {
	char kind[INCIDENT_KIND_MAX + 1], subject[INCIDENT_SUBJECT_MAX + 1];
	char title[INCIDENT_TITLE_MAX + 1], step[INCIDENT_STEP_MAX + 1];
	char *detail; /* owned; NULL = close it */
	const char *why;
	enum incident_severity severity;
	int64_t agent_id;
	struct fleet_incidents *f;
};

static int write_change(struct sql *s, void *arg)
{
	const struct change *c = arg;
	const struct incident_new n = {.kind = c->kind,
				       .subject = c->subject,
				       .agent_id = c->agent_id,
				       .severity = c->severity,
				       .title = c->title,
				       .next_step = c->step,
				       .detail = c->detail};
	int64_t now_us, id;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = c->detail ? incident_open(s, &n, now_us, &id)
			      : incident_close(s, c->kind, c->subject, now_us, c->why);
	return MIN(r, 0);
}

/* A write that failed is tried again: an open one with its next evidence, a closed one never came
 * to be known as closed. */
static void change_done(void *arg, int err)
{
	struct change *c = arg;

	if (err < 0)
		log_write(LOG_WARN, "fleet", err, "msg=\"an incident was not written\"");
	else
		incidents_look(c->f->app->incidents);
	free(c->detail);
	free(c);
}

static bool submit(struct fleet_incidents *f, struct change *c)
{
	c->f = f;
	if (db_write(f->app->db, write_change, change_done, c) == 0)
		return true;
	free(c->detail);
	free(c);
	return false;
}

static void close_known(struct fleet_incidents *f, struct known *k, const char *why)
{
	struct change *c = calloc(1, sizeof(*c));
	size_t kind = strcspn(k->key, " ");

	if (!c)
		return;
	snprintf(c->kind, sizeof(c->kind), "%.*s", (int) kind, k->key);
	snprintf(c->subject, sizeof(c->subject), "%s", k->key + kind + (k->key[kind] == ' '));
	c->agent_id = k->agent_id;
	c->why = why;
	if (submit(f, c))
		k->open = false;
}

/* --- what is known ------------------------------------------------------------------------- */

static struct known *know(struct fleet_incidents *f, const char *key, int64_t agent_id,
			  int64_t now_us)
{
	struct known *k;

	HASH_FIND_STR(f->known, key, k);
	if (k)
		return k;
	k = f->n_known < KNOWN_MAX * 64 ? calloc(1, sizeof(*k)) : NULL;
	if (!k)
		return NULL;
	snprintf(k->key, sizeof(k->key), "%s", key);
	k->agent_id = agent_id;
	k->first_us = k->last_us = now_us;
	k->written_us = now_us - RENEW_US;
	HASH_ADD_STR(f->known, key, k);
	if (!k->hh.tbl) {
		free(k);
		return NULL;
	}
	f->n_known++;
	return k;
}

static void forget(struct fleet_incidents *f, struct known *k)
{
	HASH_DEL(f->known, k);
	f->n_known--;
	free(k);
}

/* What was open when we were last here still is, until the reports say otherwise. */
static int load(struct fleet_incidents *f)
{
	struct sql_stmt *q = sql_prepare(db_reader(f->app->db),
					 "SELECT kind || ' ' || subject, agent_id FROM incidents"
					 " WHERE closed IS NULL AND subject LIKE 'agent:%'");
	int r;

	while ((r = sql_step(q)) > 0) {
		struct known *k = know(f, sql_col_text(q, 0), sql_col_i64(q, 1), f->started_us);

		if (!k) {
			sql_reset(q);
			return -ENOMEM;
		}
		k->open = true;
	}
	return r;
}

/* --- finding ------------------------------------------------------------------------------- */

/* What is wrong now. `settle_us`: it must last so long before anybody is told. */
struct found {
	const char *kind;
	enum incident_severity severity;
	int64_t settle_us;
	const char *step;
	json_t *detail; /* owned by who calls */
};

static uint32_t hash_text(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (uint8_t) *text) * 16777619u;
	return h;
}

static void _printf_(5, 6)
	tell(struct fleet_incidents *f, const struct agent *a, const struct found *found,
	     const char *about, const char *title, ...)
{
	int64_t now_us = clock_mono_us(f->app->clock);
	struct change *c = calloc(1, sizeof(*c));
	char key[sizeof(((struct known *) 0)->key)];
	struct known *k;
	va_list ap;
	uint32_t words;

	if (!c)
		return;
	snprintf(c->kind, sizeof(c->kind), "%s", found->kind);
	snprintf(c->subject, sizeof(c->subject), "agent:%lld%s", (long long) a->id, about);
	snprintf(key, sizeof(key), "%s %s", c->kind, c->subject);
	va_start(ap, title);
	vsnprintf(c->title, sizeof(c->title), title, ap);
	va_end(ap);
	snprintf(c->step, sizeof(c->step), "%s", found->step);
	c->severity = found->severity;
	c->agent_id = a->id;
	c->detail = json_dumps(found->detail, JSON_COMPACT);
	k = c->detail ? know(f, key, a->id, now_us) : NULL;
	words = c->detail ? hash_text(c->detail) : 0;
	if (k && !k->open && k->last_us < now_us - CLEAR_US - US_PER_SEC)
		k->first_us = now_us; /* another time */
	if (k)
		k->last_us = now_us;
	if (!k || now_us - k->first_us < found->settle_us ||
	    (k->open && (k->words == words || now_us - k->written_us < RENEW_US))) {
		free(c->detail);
		free(c);
		return;
	}
	if (submit(f, c)) {
		k->open = true;
		k->words = words;
		k->written_us = now_us;
	}
}

/* Closes what the agent's reports have not had for a while; `silent`: only that one kind. */
static void sweep(struct fleet_incidents *f, const struct agent *a, bool silent)
{
	int64_t now_us = clock_mono_us(f->app->clock);
	struct known *k, *next;

	HASH_ITER (hh, f->known, k, next) {
		bool is_silent = !strncmp(k->key, "agent-silent ", 13);

		if (k->agent_id != a->id || is_silent != silent || now_us - k->last_us < CLEAR_US)
			continue;
		if (k->open)
			close_known(f, k,
				    silent ? "It is heard again."
					   : "It is no longer in the reports.");
		if (!k->open)
			forget(f, k);
	}
}

/* --- what is wrong with readers ------------------------------------------------------------ */

static bool is_reader_of(struct fleet_incidents *f, const struct agent *a, const char *name)
{
	struct sql_stmt *q = sql_prepare(db_reader(f->app->db), "SELECT 1 FROM readers"
								" WHERE agent_id = ? AND name = ?");
	bool is;

	sql_bind_i64(q, 1, a->id);
	sql_bind_text(q, 2, name);
	is = sql_step(q) > 0;
	sql_reset(q);
	return is;
}

static const struct {
	const char *code, *words;
	enum incident_severity severity;
} kinds[] = {
	{"silent-antenna", "reads nothing", INCIDENT_WARNING},
	{"antenna-off", "is not connected", INCIDENT_WARNING},
	{"failing-reader", "fails again and again", INCIDENT_WARNING},
	{"interference", "is disturbed on the air", INCIDENT_WARNING},
	{"reader-buffer", "had more reports than room for them", INCIDENT_WARNING},
	{"drifted", "was not as it had been set", INCIDENT_NOTICE},
};

static void add_rates(const struct proto_health_reader *h, uint16_t antenna, json_t *detail)
{
	for (size_t i = 0; i < h->n_antennas; i++) {
		if (h->antennas[i].antenna != antenna)
			continue;
		/* To a tenth: what changes by chance is no new evidence. */
		json_object_set_new(
			detail, "usual_reads_per_s",
			json_real((double) ((h->antennas[i].usual_mhz + 50) / 100) / 10));
		json_object_set_new(detail, "reads_per_s",
				    json_real((double) ((h->antennas[i].now_mhz + 50) / 100) / 10));
	}
}

static void add_channels(const struct proto_health_reader *h, json_t *detail)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_channels; i++)
		if (h->channels[i].failing)
			json_array_append_new(list, json_real(h->channels[i].khz / 1000.0));
	if (json_array_size(list))
		json_object_set_new(detail, "channels_mhz", list);
	else
		json_decref(list);
}

static void look_at_trouble(struct fleet_incidents *f, const struct agent *a,
			    const struct proto_health_reader *h, const struct proto_trouble *t)
{
	char about[PROTO_NAME_MAX + 40], where[24] = "", since[CLOCK_RFC3339_MAX];
	struct found found = {.step = fleet_trouble_step(t->code)};
	const char *words = NULL;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].code, t->code)) {
			found.kind = kinds[i].code;
			found.severity = kinds[i].severity;
			words = kinds[i].words;
		}
	if (!words)
		return; /* of a newer agent; its health tells it all the same */
	n = (size_t) snprintf(about, sizeof(about), "/reader:%s", h->name);
	if (t->antenna) {
		snprintf(about + n, sizeof(about) - n, "/antenna:%u", t->antenna);
		snprintf(where, sizeof(where), "Antenna %u of r", t->antenna);
	}
	found.detail = json_pack("{s:o,s:o}", "reader", fleet_json_text(h->name), "evidence",
				 fleet_json_text(t->text));
	if (t->since_us)
		json_object_set_new(found.detail, "since",
				    json_string(clock_rfc3339(t->since_us, since)));
	if (t->antenna) {
		json_object_set_new(found.detail, "antenna", json_integer(t->antenna));
		add_rates(h, t->antenna, found.detail);
	}
	if (!strcmp(t->code, "interference"))
		add_channels(h, found.detail);
	tell(f, a, &found, about, "%seader %s of %s %s.", where[0] ? where : "R", h->name, a->name,
	     words);
	json_decref(found.detail);
}

static void look_at_reader(struct fleet_incidents *f, const struct agent *a,
			   const struct proto_health_reader *h)
{
	struct found found = {
		.kind = "reader-down",
		.severity = INCIDENT_GRAVE,
		.settle_us = 30 * US_PER_SEC,
		.step = "Check the reader's power, its network cable and its address."};
	char about[PROTO_NAME_MAX + 40];
	bool running = !strcmp(h->state, "running");

	if ((running && h->n_troubles == 0) || !is_reader_of(f, a, h->name))
		return;
	for (size_t i = 0; i < h->n_troubles; i++)
		look_at_trouble(f, a, h, &h->troubles[i]);
	if (running)
		return;
	snprintf(about, sizeof(about), "/reader:%s", h->name);
	found.detail = json_pack("{s:o,s:o}", "reader", fleet_json_text(h->name), "evidence",
				 fleet_json_text(h->error[0] ? h->error : "no connection"));
	tell(f, a, &found, about, "Reader %s of %s does not work.", h->name, a->name);
	json_decref(found.detail);
}

/* --- what is wrong with the rest ----------------------------------------------------------- */

static void look_at_clock(struct fleet_incidents *f, const struct agent *a)
{
	const struct proto_health *h = a->health;
	struct found found = {
		.kind = "agent-clock",
		.severity = INCIDENT_WARNING,
		.settle_us = 120 * US_PER_SEC,
		.step = "Look at the network between access point and controller: the time is "
			"measured on it. Until then labels show no price at its instant."};

	if (h->clock_uncertainty_us >= 0 && h->clock_uncertainty_us <= CLOCK_US)
		return;
	found.detail = json_pack("{s:s}", "evidence",
				 h->clock_uncertainty_us < 0
					 ? "the offset to the controller's clock is not measured"
					 : "the offset to the controller's clock is known to no "
					   "better than a second");
	tell(f, a, &found, "", "The clock of %s cannot be vouched for.", a->name);
	json_decref(found.detail);
}

static void look_at_radio(struct fleet_incidents *f, const struct agent *a)
{
	const struct proto_health *h = a->health;
	struct found found = {.kind = "radio-down",
			      .severity = INCIDENT_GRAVE,
			      .settle_us = 20 * US_PER_SEC,
			      .step = "Check that the Bluetooth adapter is plugged in and that "
				      "nothing else uses it."};

	if (strcmp(h->radio_state, "down") != 0)
		return;
	found.detail =
		json_pack("{s:o,s:I}", "evidence",
			  fleet_json_text(h->radio_error[0] ? h->radio_error : "no reason given"),
			  "labels", (json_int_t) h->labels_synced);
	tell(f, a, &found, "", "The label radio of %s is down.", a->name);
	json_decref(found.detail);
}

static void look_at_links(struct fleet_incidents *f, const struct agent *a)
{
	struct fleet_finding list[FLEET_FINDINGS_MAX];
	size_t n = fleet_find_troubles(a, list);

	for (size_t i = 0; i < n; i++) {
		const struct found found = {.kind = list[i].kind,
					    .severity = list[i].severity,
					    .settle_us = list[i].settle_us,
					    .step = list[i].step,
					    .detail = list[i].detail};

		tell(f, a, &found, "", "%s", list[i].title);
		json_decref(list[i].detail);
	}
}

void fleet_incidents_health(struct fleet_incidents *f, const struct agent *a)
{
	if (!f || !a->health)
		return;
	for (size_t i = 0; i < a->health->n_readers; i++)
		look_at_reader(f, a, &a->health->readers[i]);
	look_at_clock(f, a);
	look_at_radio(f, a);
	look_at_links(f, a);
	sweep(f, a, false);
}

void fleet_incidents_watch(struct fleet_incidents *f, const struct agent *a)
{
	int64_t now_us = clock_real_us(f->app->clock);
	struct found found = {
		.kind = "agent-silent",
		.severity = INCIDENT_GRAVE,
		.step = "Check power and network of the access point, then that "
			"gondola-agent runs there. If it is dead, replace it: another "
			"machine takes its place and keeps its labels."};
	char since[CLOCK_RFC3339_MAX];

	if (a->revoked_us)
		return;
	/* After a start of ours everybody gets the time to say something. */
	found.settle_us = clock_mono_us(f->app->clock) - f->started_us < FLEET_OFFLINE_US
				  ? FLEET_OFFLINE_US
				  : 0;
	if (!a->last_seen_us && now_us - a->created_us < NEVER_US)
		return;
	if (!a->online) {
		found.detail = json_pack(
			"{s:s,s:o}", "evidence",
			a->last_seen_us ? "nothing came from it" : "it has never been heard",
			"last_seen",
			a->last_seen_us ? json_string(clock_rfc3339(a->last_seen_us, since))
					: json_null());
		tell(f, a, &found, "", "Nothing is heard from access point %s.", a->name);
		json_decref(found.detail);
	}
	sweep(f, a, true);
}

void fleet_incidents_revoked(struct fleet_incidents *f, const struct agent *a)
{
	struct known *k, *next;

	if (!f)
		return;
	HASH_ITER (hh, f->known, k, next) {
		if (k->agent_id != a->id)
			continue;
		if (k->open)
			close_known(f, k, "The access point was revoked.");
		if (!k->open)
			forget(f, k);
	}
}

int fleet_incidents_new(struct app *app, struct fleet_incidents **ret)
{
	struct fleet_incidents *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->app = app;
	f->started_us = clock_mono_us(app->clock);
	r = load(f);
	if (r < 0) {
		fleet_incidents_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

void fleet_incidents_free(struct fleet_incidents *f)
{
	struct known *k, *next;

	if (!f)
		return;
	HASH_ITER (hh, f->known, k, next)
		forget(f, k);
	free(f);
}
