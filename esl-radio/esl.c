/* SPDX-License-Identifier: Apache-2.0 */
/* The front door: to each engine its calls. */
#include "esl-radio/esl_ops.h"

#include <errno.h>

static const struct esl_engine_ops *ops_of(const struct esl_engine *e)
{
	return ((const struct esl_door *) (const void *) e)->ops;
}

int esl_engine_new(struct loop *loop, const struct esl_engine_config *cfg,
		   const struct esl_engine_callbacks *cb, void *user, struct esl_engine **ret)
{
	if (cfg->oepl && cfg->oepl[0])
		return esl_oepl_new(loop, cfg, cb, user, ret);
	return esl_pawr_new(loop, cfg, cb, user, ret);
}

int esl_engine_restore(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	return ops_of(e)->restore(e, key, data, len);
}

int esl_engine_take_over(struct esl_engine *e, const char *key, const void *data, size_t len)
{
	return ops_of(e)->take_over ? ops_of(e)->take_over(e, key, data, len) : -ENOTSUP;
}

bool esl_engine_knows(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	return !ops_of(e)->knows || ops_of(e)->knows(e, addr);
}

int esl_engine_start(struct esl_engine *e)
{
	return ops_of(e)->start(e);
}

void esl_engine_free(struct esl_engine *e)
{
	if (e)
		ops_of(e)->free(e);
}

void esl_engine_set_utc(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us)
{
	if (uncertainty_us >= 0) /* not measured: nobody vouches for it */
		ops_of(e)->set_utc(e, offset_us, uncertainty_us);
}

int esl_engine_want(struct esl_engine *e, const struct esl_want *w)
{
	return ops_of(e)->want(e, w);
}

void esl_engine_forget(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	ops_of(e)->forget(e, addr);
}

void esl_engine_set_sensor_period(struct esl_engine *e, int64_t seconds)
{
	if (ops_of(e)->set_sensor_period)
		ops_of(e)->set_sensor_period(e, seconds);
}

int esl_engine_rotate_keys(struct esl_engine *e, int64_t older_than_utc_us)
{
	return ops_of(e)->rotate_keys ? ops_of(e)->rotate_keys(e, older_than_utc_us) : 0;
}

int esl_engine_image(struct esl_engine *e, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		     size_t len)
{
	return ops_of(e)->image(e, hash, data, len);
}

void esl_engine_tell(struct esl_engine *e)
{
	ops_of(e)->tell(e);
}

int esl_engine_outlook(const struct esl_engine *e, struct esl_outlook *ret)
{
	return ops_of(e)->outlook ? ops_of(e)->outlook(e, ret) : -ENOTSUP;
}

void esl_engine_get_stats(const struct esl_engine *e, struct esl_stats *ret)
{
	ops_of(e)->get_stats(e, ret);
}

void esl_engine_get_view(const struct esl_engine *e, struct esl_radio_view *ret)
{
	*ret = (struct esl_radio_view){0};
	if (ops_of(e)->get_view)
		ops_of(e)->get_view(e, ret);
}

void esl_engine_set_channels(struct esl_engine *e, uint64_t map)
{
	if (ops_of(e)->set_channels)
		ops_of(e)->set_channels(e, map & ESL_CHANNELS_ALL);
}
