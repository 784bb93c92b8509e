/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/neighbours.h"
#include <errno.h>
#include <string.h>

struct neighbours {
	const struct clock *clock;
	neighbours_fn changed;
	void *user;
	struct channels channels;
	struct channels_wifi list[NEIGHBOURS_MAX];
	size_t count;
	struct loop_timer *again;
};

static void update(void *user)
{
	struct neighbours *n = user;
	int64_t now_us = clock_mono_us(n->clock), again_us;

	if (channels_update(&n->channels, n->list, n->count, now_us, &again_us))
		n->changed(n->user, n->channels.map);
	if (again_us == CHANNELS_NEVER)
		loop_timer_stop(n->again);
	else
		loop_timer_start(n->again, MAX(again_us - now_us, INT64_C(0)));
}

int neighbours_new(struct loop *loop, neighbours_fn changed, void *user, struct neighbours **ret)
{
	struct neighbours *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->clock = loop_clock(loop);
	n->changed = changed;
	n->user = user;
	channels_init(&n->channels);
	r = loop_timer_new(loop, update, n, &n->again);
	if (r < 0) {
		free(n);
		return r;
	}
	*ret = n;
	return 0;
}

void neighbours_free(struct neighbours *n)
{
	if (!n)
		return;
	loop_timer_free(n->again);
	free(n);
}

void neighbours_see(struct neighbours *n, const struct channels_wifi *list, size_t count)
{
	n->count = MIN(count, (size_t) NEIGHBOURS_MAX);
	if (n->count)
		memcpy(n->list, list, n->count * sizeof(*list));
	update(n);
}

uint64_t neighbours_map(const struct neighbours *n)
{
	return n->channels.map;
}
