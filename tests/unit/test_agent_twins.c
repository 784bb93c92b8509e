/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_agent_twins.h"
#include "common/err.h"
#include <stdio.h>
#include <string.h>

/* --- twin of rfid ----------------------------------------------------------------------------- */

struct rfid_reader *reader_twins[8];
unsigned int readers_made, readers_freed, suspended, resumed;
uint32_t last_source;
struct rfid_read last_read;
struct presence *presence_twin;

int rfid_reader_new(struct loop *loop, const struct rfid_reader_config *cfg,
		    const struct rfid_reader_callbacks *cb, void *user, struct rfid_reader **ret)
{
	struct rfid_reader *r = calloc(1, sizeof(*r));

	(void) loop;
	r->cfg = *cfg;
	r->cb = *cb;
	r->user = user;
	snprintf(r->host, sizeof(r->host), "%s", cfg->host);
	reader_twins[readers_made++ % 8] = r;
	*ret = r;
	return 0;
}

void rfid_reader_stop(struct rfid_reader *r, loop_fn done, void *user)
{
	r->stopped = done;
	r->stopped_user = user;
}

void rfid_reader_leave(struct rfid_reader *r, loop_fn done, void *user)
{
	rfid_reader_stop(r, done, user);
	r->left = true;
}

const char *rfid_gap_cause_str(enum rfid_gap_cause c)
{
	return c == RFID_GAP_OVERFLOW ? "overflow" : "connection";
}

void rfid_reader_free(struct rfid_reader *r)
{
	if (r)
		readers_freed++;
	free(r);
}

int rfid_reader_access(struct rfid_reader *r, const struct rfid_access *access, rfid_access_fn fn,
		       void *user)
{
	if (r->refuses)
		return r->refuses;
	r->accesses++;
	r->asked = *access;
	r->answer = fn;
	r->answer_user = user;
	return 0;
}

int rfid_access_write_epc(const struct epc *tag, const struct epc *now, struct rfid_access *ret)
{
	*ret = (struct rfid_access){.tag = *tag, .n_ops = 1};
	ret->ops[0].kind = RFID_OP_WRITE;
	ret->ops[0].n_words = (uint16_t) (now->bits / 16);
	return 0;
}

void rfid_reader_get_stats(const struct rfid_reader *r, struct rfid_reader_stats *ret)
{
	*ret = (struct rfid_reader_stats){.reads = 5, .model = "twin"};
	ret->ledger = r->ledger;
}

const char *rfid_reader_state_str(enum rfid_reader_state s)
{
	return s == RFID_READER_RUNNING ? "running" : "other";
}

int presence_new(const struct presence_config *cfg, presence_fn fn, void *user,
		 struct presence **ret)
{
	(void) cfg;
	presence_twin = calloc(1, sizeof(*presence_twin));
	presence_twin->fn = fn;
	presence_twin->user = user;
	*ret = presence_twin;
	return 0;
}

void presence_free(struct presence *p)
{
	free(p);
}

int presence_read(struct presence *p, uint32_t source, const struct rfid_read *r)
{
	(void) p;
	last_source = source;
	last_read = *r;
	return 0;
}

void presence_tick(struct presence *p, int64_t now_us)
{
	(void) p;
	(void) now_us;
}

unsigned int restored;

int presence_restore(struct presence *p, uint32_t source, const struct epc *epc, int64_t now_us)
{
	(void) p;
	(void) epc;
	(void) now_us;
	last_source = source;
	restored++;
	return 0;
}

void presence_suspend(struct presence *p, uint32_t source)
{
	(void) p;
	last_source = source;
	suspended++;
}

void presence_set_step(struct presence *p, int16_t rssi_step_cdbm, int64_t min_step_us)
{
	(void) p;
	(void) rssi_step_cdbm;
	(void) min_step_us;
}

void presence_resume(struct presence *p, uint32_t source, int64_t now_us)
{
	(void) p;
	(void) now_us;
	last_source = source;
	resumed++;
}

size_t presence_pairs(const struct presence *p)
{
	(void) p;
	return 0;
}

size_t presence_tags(const struct presence *p)
{
	(void) p;
	return 3;
}

/* --- twin of esl-radio ------------------------------------------------------------------------ */

struct esl_engine *engine_twin;

int esl_engine_new(struct loop *loop, const struct esl_engine_config *cfg,
		   const struct esl_engine_callbacks *cb, void *user, struct esl_engine **ret)
{
	(void) loop;
	(void) cfg;
	engine_twin = calloc(1, sizeof(*engine_twin));
	engine_twin->cb = *cb;
	engine_twin->user = user;
	*ret = engine_twin;
	return 0;
}

int esl_engine_restore(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	(void) key;
	(void) data;
	(void) len;
	e->restored++;
	return 0;
}

int esl_engine_start(struct esl_engine *e)
{
	(void) e;
	return 0;
}

void esl_engine_free(struct esl_engine *e)
{
	free(e);
}

void esl_engine_set_utc(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us)
{
	(void) uncertainty_us;
	e->offset_us = offset_us;
	e->clocks++;
}

int esl_engine_want(struct esl_engine *e, const struct esl_want *w)
{
	e->wants++;
	e->last_want = *w;
	return 0;
}

void esl_engine_forget(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) addr;
	e->forgets++;
}

int esl_engine_image(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		     size_t len)
{
	(void) hash;
	(void) data;
	(void) len;
	e->images++;
	return 0;
}

bool esl_engine_knows(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) addr;
	return !e->stranger;
}

int esl_engine_take_over(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	(void) data;
	(void) len;
	e->taken++;
	snprintf(e->last_taken, sizeof(e->last_taken), "%s", key);
	return 0;
}

void esl_engine_tell(struct esl_engine *e)
{
	e->told++;
}

void esl_engine_get_stats(const struct esl_engine *e, struct esl_stats *ret)
{
	(void) e;
	*ret = (struct esl_stats){.synced = 4};
}

void esl_engine_get_view(const struct esl_engine *e, struct esl_radio_view *ret)
{
	*ret = (struct esl_radio_view){
		.driver = "twin", .channels_known = true, .channels = e->map};
}

int esl_engine_outlook(const struct esl_engine *e, struct esl_outlook *ret)
{
	(void) e;
	*ret = (struct esl_outlook){.labels = 1, .picture_ms = 180, .flip_s = 60};
	return 0;
}

void esl_engine_set_sensor_period(struct esl_engine *e, int64_t seconds)
{
	e->sensor_period_s = seconds;
}

void esl_engine_set_channels(struct esl_engine *e, uint64_t map)
{
	e->map = map;
}

int esl_hci_check(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 && address[5] ? 0 : -ERR_SYNTAX;
}

int esl_engine_rotate_keys(struct esl_engine *e, int64_t older_than_utc_us)
{
	e->rotate_before_us = older_than_utc_us;
	return 0;
}

int esl_panels_check(const char *file, char why[2 * ESL_TEXT_MAX])
{
	(void) file;
	(void) why;
	return 0;
}

int esl_oepl_check(const char *url)
{
	return strncmp(url, "http://", 7) == 0 && url[7] ? 0 : -ERR_SYNTAX;
}

int esl_train_check(const struct esl_train *t, char why[ESL_TEXT_MAX])
{
	(void) t;
	why[0] = '\0';
	return 0;
}
