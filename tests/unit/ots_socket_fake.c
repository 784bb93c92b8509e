/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ots_socket_fake.h"

#include "common/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct ots_socket_fake ots_fake;

struct ots_socket {
	struct ots_socket_callbacks cb;
	void *user;
	struct loop_timer *turn;
	bool open;
	const uint8_t *data;
	size_t len, at;
};

/** Opens the channel, then hands over a unit at a time. */
static void on_turn(void *user)
{
	struct ots_socket *s = user;
	size_t n = MIN(s->len - s->at, (size_t) ots_fake.unit);

	if (!s->open) {
		s->open = ots_fake.bluez->service.channel_open = true;
		s->cb.opened(s->user, 0);
		return;
	}
	if (!ots_fake.bluez->linked) {
		s->cb.sent(s->user, -ERR_CLOSED);
		return;
	}
	if (n == 0) {
		s->cb.sent(s->user, 0);
		return;
	}
	label_service_content(&ots_fake.bluez->service, s->data + s->at, n);
	s->at += n;
	ots_fake.sent += n;
	loop_timer_start(s->turn, 0);
	if (ots_fake.cut_after && ots_fake.sent >= ots_fake.cut_after) {
		ots_fake.cut_after = 0;
		bluez_fake_cut(ots_fake.bluez);
	}
}

int ots_socket_new(struct loop *loop, const struct ots_end *own, const struct ots_end *peer,
		   const struct ots_socket_callbacks *cb, void *user, struct ots_socket **ret)
{
	struct ots_socket *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_memory_equal(peer->addr, bluez_fake_label, SIM_LABEL_ADDR_BYTES);
	assert_true(peer->random);
	ots_fake.own_random = own->random;
	ots_fake.opened++;
	s->cb = *cb;
	s->user = user;
	assert_int_equal(loop_timer_new(loop, on_turn, s, &s->turn), 0);
	loop_timer_start(s->turn, 0);
	*ret = s;
	return 0;
}

void ots_socket_send(struct ots_socket *s, const uint8_t *data, size_t len)
{
	s->data = data;
	s->len = len;
	s->at = 0;
	loop_timer_start(s->turn, 0);
}

size_t ots_socket_sent(const struct ots_socket *s)
{
	return s->at;
}

uint16_t ots_socket_unit(const struct ots_socket *s)
{
	return s->open ? ots_fake.unit : 0;
}

void ots_socket_free(struct ots_socket *s)
{
	if (!s)
		return;
	if (s->open && ots_fake.bluez->linked) {
		label_service_content_end(&ots_fake.bluez->service);
		ots_fake.bluez->service.channel_open = false;
	}
	loop_timer_free(s->turn);
	free(s);
}
