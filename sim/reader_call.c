/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader_impl.h"

#define CALL_EVERY_US (500 * US_PER_MS)

static void connected(void *user, int fd)
{
	struct sim_reader *r = user;

	net_dial_free(r->dial);
	r->dial = NULL;
	if (fd >= 0 && r->client)
		/* Somebody came while we were on our way. */
		(void) !sim_reader_attach(r, fd);
	else if (fd < 0 || reader_serve(r, fd, true) < 0)
		reader_call_again(r);
}

static void call_due(void *user)
{
	struct sim_reader *r = user;

	if (r->client || r->dial || r->stats.unplugged || r->stats.frozen)
		return;
	if (net_dial_tcp(r->loop, r->call_port, connected, r, &r->dial) < 0)
		reader_call_again(r);
}

void reader_call_again(struct sim_reader *r)
{
	if (r->call_timer && !r->stats.unplugged)
		loop_timer_start(r->call_timer, CALL_EVERY_US);
}

void reader_call_stop(struct sim_reader *r)
{
	if (r->call_timer)
		loop_timer_stop(r->call_timer);
	net_dial_free(r->dial);
	r->dial = NULL;
}

void reader_call_done(struct sim_reader *r)
{
	reader_call_stop(r);
	if (r->call_timer)
		loop_timer_free(r->call_timer);
	r->call_timer = NULL;
}

int sim_reader_call(struct sim_reader *r, uint16_t port)
{
	int e = r->call_timer ? 0 : loop_timer_new(r->loop, call_due, r, &r->call_timer);

	if (e < 0)
		return e;
	r->call_port = port;
	loop_timer_start(r->call_timer, 0);
	return 0;
}
