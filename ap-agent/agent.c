/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/agent.h"
#include "ap-agent/agent_impl.h"
#include "common/err.h"
#include "common/hex.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define TICK_US       US_PER_SEC
#define CLOCK_SAVE_US (600 * US_PER_SEC)
#define CLOCK_STEP_US (10 * US_PER_MS)
#define CODE_LOOK     10 /* ticks between two looks for the join code file */
#define TRIM          60 /* ticks between two returns of free memory to the system */
#define STOP_US       (4 * US_PER_SEC)

static int link_up(struct agent *a);
static void look_for_code(struct agent *a);

/* --- what the link tells ---------------------------------------------------------------------- */

static void on_forget(void *user, const uint8_t addr[LABEL_ADDR_BYTES])
{
	struct agent *a = user;

	if (a->labels)
		labels_forget(a->labels, addr);
}

/* A controller that came back from a backup may have lost what this agent told it. The reports are
 * in the journal before the new epoch is kept: whoever dies between the two tells it twice. */
static void tell_another_database(struct agent *a, const struct proto_desired *d)
{
	uint64_t epoch = 0, rev;

	if (a->labels && d->full && store_desired_rev(a->store, &epoch, &rev) == 0 && epoch &&
	    epoch != d->epoch) {
		labels_tell(a->labels);
		escrow_again(a->escrow);
	}
}

static void watch_for(void *user, const struct proto_watch *w)
{
	struct agent *a = user;

	follow_want(a->follow, w);
	readers_fine(a->readers, w->fine);
}

static void on_desired(void *user, const struct proto_desired *d)
{
	struct agent *a = user;
	int r;

	tell_another_database(a, d);
	/* An operation on a tag is told once: it is kept before the revision it came with. */
	r = d->has_operations ? operations_want(a->operations, d->operations, d->n_operations) : 0;
	if (r < 0)
		log_write(LOG_ERR, "agent", r, "msg=\"operations on tags cannot be kept\"");
	r = store_desired_put(a->store, d, on_forget, a);
	/* What cannot be kept can still be shown; after a restart the older revision asks again. */
	if (r < 0 && !a->desired_failed)
		log_write(LOG_ERR, "agent", r,
			  "msg=\"cannot keep the desired state; applied all"
			  " the same\"");
	a->desired_failed = r < 0;
	for (size_t i = 0; a->labels && i < d->n_labels; i++)
		labels_want(a->labels, &d->labels[i]);
	if (d->has_readers)
		readers_want(a->readers, d->readers, d->n_readers);
	if (d->rotate_keys_us && a->labels)
		labels_clock(a->labels);
	if (d->sensor_period_s && a->labels)
		labels_set_sensor_period(a->labels, d->sensor_period_s);
	if (d->watch)
		watch_for(a, d->watch);
	log_info("agent", "rev=%llu labels=%zu readers=%zu full=%d msg=\"desired state\"",
		 (unsigned long long) d->rev, d->n_labels, d->n_readers, d->full);
}

static void save_clock(struct agent *a)
{
	uint8_t blob[TIMEBASE_BLOB_BYTES];
	int64_t now = clock_mono_us(a->clock);

	if (!a->tb.known || (a->saved_mono_us && now - a->saved_mono_us < CLOCK_SAVE_US))
		return;
	timebase_save(&a->tb, blob);
	a->saved_mono_us = now;
	if (store_meta_set(a->store, "time", blob, sizeof(blob)) < 0)
		log_debug("agent", "msg=\"cannot keep the clock\"");
}

static void on_clock(void *user)
{
	struct agent *a = user;

	if (a->labels)
		labels_clock(a->labels);
	if (!a->saved_mono_us)
		log_info("agent", "offset_ms=%lld uncertainty_ms=%lld msg=\"clock measured\"",
			 (long long) (timebase_offset(&a->tb) / US_PER_MS),
			 (long long) (timebase_uncertainty(&a->tb) / US_PER_MS));
	save_clock(a);
}

static void on_health(void *user, struct proto_health *h)
{
	agent_health(user, h);
}

static void on_linked(void *user)
{
	struct agent *a = user;

	printf("gondola-agent ready name=%s\n", a->name);
	fflush(stdout);
}

/* --- at work, or at rest ---------------------------------------------------------------------- */

static void readers_remembered(void *user, const struct proto_desired_reader *r, size_t n)
{
	struct agent *a = user;

	readers_want(a->readers, r, n);
}

int agent_serve(struct agent *a)
{
	int r = 0;

	if (a->serving)
		return 0;
	r = store_desired_watch(a->store, watch_for, a);
	if (r >= 0)
		r = store_desired_readers(a->store, readers_remembered, a);
	if (r >= 0 && a->labels)
		r = labels_start(a->labels);
	a->serving = r >= 0;
	return r;
}

/* Another machine may have this one's place by now. A reader talks with one client, and a label
 * listens to one train: who was sent away lets go of both. */
static void rest(struct agent *a)
{
	static const struct proto_watch nothing;

	a->serving = false;
	watch_for(a, &nothing);
	readers_want(a->readers, NULL, 0);
	if (a->labels)
		labels_rest(a->labels);
	log_notice("agent", "msg=\"revoked: readers and label radio are at rest\"");
}

static void on_revoked(void *user)
{
	struct agent *a = user;
	const char *hash = identity_cert_hash(a->identity);

	if (a->labels) {
		labels_online(a->labels, false);
		escrow_online(a->escrow, false);
	}
	rest(a);
	if (store_meta_set(a->store, "revoked", hash, strlen(hash)) < 0)
		log_warn("agent", "msg=\"cannot remember that the certificate was taken back\"");
}

static void on_renewed(void *user)
{
	(void) user; /* the next health report carries the new expiry */
}

static void on_change(void *user)
{
	struct agent *a = user;

	if (a->link)
		link_health_soon(a->link);
}

static void on_durable(void *user, unsigned int streams)
{
	struct agent *a = user;

	if (a->link)
		link_kick(a->link, streams);
}

/* --- joining ---------------------------------------------------------------------------------- */

static bool is_revoked(struct agent *a)
{
	char hash[IMAGE_HASH_HEX_MAX];
	size_t len;

	return store_meta_get(a->store, "revoked", hash, sizeof(hash) - 1, &len) == 0 &&
	       len == strlen(identity_cert_hash(a->identity)) &&
	       memcmp(hash, identity_cert_hash(a->identity), len) == 0;
}

static void on_enrolled(void *user, uint64_t agent_id, const char *name)
{
	struct agent *a = user;
	int r = agent_remember_joining(a, name);

	log_notice("agent", "agent=%llu msg=\"enrolled\"", (unsigned long long) agent_id);
	if (r < 0)
		log_write(LOG_ERR, "agent", r, "msg=\"cannot keep what the enrolment said\"");
	snprintf(a->name, sizeof(a->name), "%s", name);
	memset(&a->given, 0, sizeof(a->given));
	enroll_free(a->enroll);
	a->enroll = NULL;
	r = link_up(a);
	if (r < 0)
		log_write(LOG_ERR, "agent", r, "msg=\"cannot start the link\"");
}

static int join(struct agent *a, const struct joincode *code)
{
	struct enroll_config cfg = {.http = a->http,
				    .identity = a->identity,
				    .trust = a->trust,
				    .tb = &a->tb,
				    .code = *code,
				    .name = a->settings->name,
				    .version = PACKAGE_VERSION,
				    .caps = a->caps,
				    .seed = a->seed};

	a->given = *code;
	return enroll_new(a->loop, &cfg, on_enrolled, a, &a->enroll);
}

static int link_up(struct agent *a)
{
	static const struct link_callbacks cb = {.desired = on_desired,
						 .clock = on_clock,
						 .health = on_health,
						 .linked = on_linked,
						 .revoked = on_revoked,
						 .renewed = on_renewed};
	struct link_config cfg = {.http = a->http,
				  .journal = a->journal,
				  .tb = &a->tb,
				  .identity = a->identity,
				  .trust = a->trust,
				  .name = a->name,
				  .version = PACKAGE_VERSION,
				  .caps = a->caps,
				  .seed = a->seed};
	size_t ca_len;
	const void *ca = identity_ca(a->identity, &ca_len);
	int r = trust_pin_ca(a->trust, ca, ca_len);

	if (r >= 0)
		r = agent_serve(a);
	if (r >= 0)
		r = store_desired_rev(a->store, &cfg.epoch, &cfg.rev);
	if (r >= 0)
		r = link_new(a->loop, &cfg, &cb, a, &a->link);
	if (r < 0)
		return r;
	http_client_identify(a->http, true);
	if (a->labels) {
		labels_online(a->labels, true);
		escrow_online(a->escrow, true);
	}
	if (a->tb.known)
		on_clock(a);
	link_start(a->link);
	operations_online(a->operations);
	return 0;
}

/* Which way in: linked already, or by a code. */
static int enter(struct agent *a)
{
	bool enrolled = identity_enrolled(a->identity) && !is_revoked(a);
	size_t len = 0;

	/* Not when it was revoked since: only a person with a new code can undo that. */
	if (a->has_given && (!identity_enrolled(a->identity) || !agent_code_used(a, &a->given)))
		return join(a, &a->given);
	if (!enrolled) {
		look_for_code(a);
		return 0;
	}
	if (store_meta_get(a->store, "name", a->name, sizeof(a->name) - 1, &len) == 0)
		a->name[len] = '\0';
	else
		snprintf(a->name, sizeof(a->name), "%s", a->settings->name);
	return link_up(a);
}

static void look_for_code(struct agent *a)
{
	const char *file = a->settings->join_code_file;
	struct joincode code;
	int r = file[0] ? joincode_read_file(file, &code) : -ENOENT;

	if (r == 0 && identity_enrolled(a->identity) && agent_code_used(a, &code))
		r = -ERR_REVOKED;
	if (r == 0)
		r = join(a, &code);
	if (r == 0)
		return;
	if (!a->no_code_told)
		log_write(LOG_ERR, "agent", r,
			  "msg=\"not enrolled, and no usable join code; make one with gondolactl"
			  " join-code and start with --join CODE, or set join_code_file\"");
	a->no_code_told = true;
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_tick(void *user)
{
	struct agent *a = user;
	int64_t skew = timebase_skew(&a->tb);
	int64_t step = skew - a->told_skew_us;

	a->ticks++;
	/* Somebody set this machine's clock: the engine counts from it. */
	if (step > CLOCK_STEP_US || step < -CLOCK_STEP_US) {
		a->told_skew_us = skew;
		if (a->labels)
			labels_clock(a->labels);
	}
	if (a->ticks % CODE_LOOK == 0 && !a->enroll && (!a->link || link_revoked(a->link))) {
		if (a->link && a->settings->join_code_file[0]) {
			link_free(a->link);
			a->link = NULL;
		}
		if (!a->link)
			look_for_code(a);
	}
	if (a->escrow)
		escrow_tick(a->escrow);
	save_clock(a);
#ifdef __GLIBC__
	if (a->ticks % TRIM == 2)
		malloc_trim(0);
#endif
	loop_timer_start(a->tick, TICK_US);
}

static int open_store(struct agent *a)
{
	const struct store_config cfg = {.max_mib = a->settings->state_mib,
					 .image_kib = a->settings->image_kib};
	char path[512], aside[544];
	int r;

	if (mkdir(a->settings->state_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%.400s/agent.db", a->settings->state_dir);
	r = store_open(path, &cfg, &a->store);
	if (r != -ERR_CORRUPT)
		return r;
	/* Flash that lies. The shelf must go on; the journal id is new, so that the controller
	 * cannot mistake the new numbers for the old ones. */
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	log_write(LOG_ERR, "agent", r,
		  "msg=\"agent.db is damaged: set aside as agent.db.damaged;"
		  " what was not sent yet is lost\"");
	if (rename(path, aside) < 0)
		return -errno;
	for (size_t i = 0; i < 2; i++) {
		snprintf(aside, sizeof(aside), "%s%s", path, i ? "-shm" : "-wal");
		(void) remove(aside);
	}
	return store_open(path, &cfg, &a->store);
}

static void on_channels(void *user, uint64_t map)
{
	struct agent *a = user;

	log_notice("agent", "channels=%d msg=\"the label radio keeps off the Wi-Fi here\"",
		   __builtin_popcountll(map));
	labels_set_channels(a->labels, map);
}

static void on_network(void *user)
{
	struct agent *a = user;
	struct channels_wifi list[NETWATCH_WIFI_MAX];

	if (a->neighbours)
		neighbours_see(a->neighbours, list,
			       netwatch_wifi(a->netwatch, list, NETWATCH_WIFI_MAX));
	on_change(a);
}

static bool on_hold(void *user, const uint8_t addr[LABEL_ADDR_BYTES])
{
	struct agent *a = user;

	return escrow_hold(a->escrow, addr);
}

static int on_take(void *user, const char *key, const void *data, size_t len)
{
	struct agent *a = user;

	return labels_take_over(a->labels, key, data, len);
}

static void on_let_go(void *user, const struct proto_desired_label *wish)
{
	struct agent *a = user;

	labels_want(a->labels, wish);
}

static int open_labels(struct agent *a)
{
	static const struct escrow_callbacks cb = {.take = on_take, .let_go = on_let_go};
	const struct escrow_config escrow = {
		.http = a->http, .store = a->store, .caps = a->caps, .seed = a->seed};
	const struct labels_config cfg = {.engine = a->settings->engine,
					  .http = a->http,
					  .store = a->store,
					  .journal = a->journal,
					  .tb = &a->tb,
					  .hold = on_hold,
					  .hold_user = a};
	int r = escrow_new(a->loop, &escrow, &cb, a, &a->escrow);

	if (r >= 0)
		r = labels_new(a->loop, &cfg, on_change, a, &a->labels);
	if (r >= 0)
		r = neighbours_new(a->loop, on_channels, a, &a->neighbours);
	return r;
}

static int open_parts(struct agent *a)
{
	const struct http_client_config http = {.base_url = a->settings->controller,
						.cert_path = identity_cert_path(a->identity),
						.key_path = identity_key_path(a->identity),
						.trust = a->trust};
	int r = http_client_new(a->loop, &http, &a->http);

	if (r >= 0)
		r = journal_new(a->loop, a->store, &a->tb, on_durable, a, &a->journal);
	if (r >= 0)
		r = follow_new(a->loop, a->journal, &a->tb, &a->follow);
	if (r >= 0)
		r = readers_new(a->loop, a->journal, &a->tb, on_change, a, &a->readers);
	if (r >= 0) {
		const struct operations_config cfg = {.store = a->store,
						      .readers = a->readers,
						      .tb = &a->tb,
						      .http = a->http,
						      .caps = a->caps};

		r = operations_new(a->loop, &cfg, &a->operations);
	}
	if (r >= 0 && a->settings->radio)
		r = open_labels(a);
	if (r < 0)
		return r;
	r = netwatch_new(a->loop, on_network, a, &a->netwatch);
	if (r < 0)
		log_write(LOG_WARN, "agent", r, "msg=\"network interfaces cannot be watched\"");
	return 0;
}

static int open_all(struct agent *a)
{
	uint8_t blob[TIMEBASE_BLOB_BYTES];
	size_t len;
	int r = open_store(a);

	if (r < 0)
		return log_errno("agent", r, "msg=\"cannot open the state directory\"");
	if (store_meta_get(a->store, "time", blob, sizeof(blob), &len) == 0 && len == sizeof(blob))
		(void) timebase_restore(&a->tb, blob);
	r = identity_open(a->settings->state_dir, &a->identity);
	if (r < 0)
		return log_errno("agent", r, "msg=\"cannot open the agent's key\"");
	r = trust_new(&a->tb, &a->trust);
	if (r >= 0)
		r = open_parts(a);
	if (r < 0)
		return log_errno("agent", r, "msg=\"cannot start\"");
	readers_show(a->readers, a->follow);
	readers_remember(a->readers, a->store);
	if (identity_enrolled(a->identity))
		readers_identify(a->readers, identity_cert_path(a->identity),
				 identity_key_path(a->identity));
	/* The shelf goes on before the controller is reached, but not on behalf of another. */
	if (!is_revoked(a))
		r = agent_serve(a);
	if (r >= 0)
		r = enter(a);
	if (r < 0)
		return log_errno("agent", r, "msg=\"cannot start\"");
	return 0;
}

int agent_new(struct loop *loop, const struct settings *settings, const struct joincode *code,
	      struct agent **ret)
{
	struct agent *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->loop = loop;
	a->clock = loop_clock(loop);
	a->settings = settings;
	a->started_us = clock_mono_us(a->clock);
	a->caps = PROTO_CAP_RFID | (settings->radio ? PROTO_CAP_LABELS : 0);
	if (getrandom(&a->seed, sizeof(a->seed), 0) != (ssize_t) sizeof(a->seed))
		a->seed = (uint64_t) a->started_us;
	a->seed |= 1;
	if (code) {
		a->given = *code;
		a->has_given = true;
	}
	timebase_init(&a->tb, a->clock, timebase_boot_id());
	a->told_skew_us = timebase_skew(&a->tb);

	int r = loop_timer_new(loop, on_tick, a, &a->tick);

	if (r >= 0)
		r = open_all(a);
	if (r < 0) {
		agent_free(a);
		return r;
	}
	loop_timer_start(a->tick, TICK_US);
	*ret = a;
	return 0;
}

static void on_stopped(void *user)
{
	struct agent *a = user;

	loop_stop(a->loop);
}

void agent_stop(struct agent *a)
{
	if (a->guard) /* asked twice: do not wait */
		loop_stop(a->loop);
	else if (loop_timer_new(a->loop, on_stopped, a, &a->guard) < 0)
		loop_stop(a->loop);
	else {
		log_notice("agent", "msg=\"stopping\"");
		loop_timer_start(a->guard, STOP_US);
		readers_stop(a->readers, on_stopped, a);
	}
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	enroll_free(a->enroll);
	link_free(a->link);
	a->link = NULL;
	operations_free(a->operations);
	readers_free(a->readers);
	follow_free(a->follow);
	labels_free(a->labels);
	escrow_free(a->escrow);
	journal_free(a->journal);
	netwatch_free(a->netwatch);
	neighbours_free(a->neighbours);
	http_client_free(a->http);
	trust_free(a->trust);
	identity_free(a->identity);
	store_close(a->store);
	loop_timer_free(a->tick);
	loop_timer_free(a->guard);
	free(a);
}
