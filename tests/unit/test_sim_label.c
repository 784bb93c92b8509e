/* SPDX-License-Identifier: Apache-2.0 */
/* One simulated label: timed commands by the letter, both personalities, redraw and states. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "sim/label.h"
#include <stdio.h>
#include <string.h>

#define REDRAW_US (800 * US_PER_MS)
#define HOUR_US   (3600 * US_PER_SEC)
#define GROUP     5
#define ID        9

struct fixture {
	struct sim_label *label;
	int64_t now_us;
	struct ead_key train_key, response_key;
	uint8_t picture[2][4096]; /**< serial form */
	size_t picture_len;
	uint8_t randomizer;
	int events[3];
};

static void count_event(void *user, struct sim_label *l, enum sim_label_event event, int64_t at_us)
{
	struct fixture *f = user;

	(void) l;
	(void) at_us;
	f->events[event]++;
}

static void make_pictures(struct fixture *f)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct image im;
		struct buf b = BUF_INIT;

		assert_int_equal(image_init(&im, 64, 32, DISPLAY_BLACK_WHITE), 0);
		image_set(&im, 0, i, 0, true);
		image_encode(&im, &b);
		assert_true(buf_ok(&b) && b.len <= sizeof f->picture[i]);
		memcpy(f->picture[i], b.data, b.len);
		f->picture_len = b.len;
		buf_done(&b);
		image_done(&im);
	}
}

/** A label in its subevent, with pictures in slots 0 and 1 of 4, and its clock at 1,000,000 ms. */
static void begin(struct fixture *f, enum sim_personality personality)
{
	static const uint8_t addr[6] = {0xc0, 0xff, 0xee, 0, 0, 1};
	struct sim_label_model model = {.width = 64,
					.height = 32,
					.type = DISPLAY_BLACK_WHITE,
					.slots = 4,
					.leds = 1,
					.personality = personality,
					.redraw_us = REDRAW_US};
	uint8_t keys[2][EAD_WIRE_KEY_BYTES];

	memset(f, 0, sizeof *f);
	for (size_t i = 0; i < sizeof keys[0]; i++) {
		keys[0][i] = (uint8_t) i;
		keys[1][i] = (uint8_t) (200 - i);
	}
	ead_key_from_wire(keys[0], &f->response_key);
	ead_key_from_wire(keys[1], &f->train_key);
	make_pictures(f);
	f->now_us = 5 * US_PER_SEC;
	assert_int_equal(sim_label_new(addr, &model, 1, count_event, f, &f->label), 0);
	sim_label_connected(f->label, f->now_us);
	assert_int_equal(sim_label_configure(f->label, esl_address(GROUP, ID), keys[0], keys[1],
					     1000000, f->now_us),
			 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(sim_label_write_image(f->label, i, f->picture[i], f->picture_len,
						       f->now_us),
				 0);
	assert_int_equal(sim_label_update_complete(f->label, true, f->now_us), 0);
	assert_int_equal(sim_label_state(f->label), ESL_SYNCHRONIZED);
}

static void end(struct fixture *f)
{
	sim_label_free(f->label);
}

/** Sends a sealed packet; yields the length of the plain answer (without AD header), 0 for silence.
 */
static size_t send_packet(struct fixture *f, const struct esl_packet *p, uint8_t *answer,
			  unsigned int *slot)
{
	uint8_t ad[ESL_AD_MAX], sealed[ESL_AD_MAX + EAD_OVERHEAD], out[SIM_LABEL_ANSWER_MAX];
	uint8_t rand[EAD_RAND_BYTES] = {1, 2, 3, 4, f->randomizer++};
	uint8_t plain[EAD_PLAIN_MAX];
	const uint8_t *payload;
	size_t len;
	int n = esl_ad_encode(p->data, p->len, ad, sizeof ad);

	assert_true(n > 0);
	n = ead_seal(&f->train_key, rand, ad, (size_t) n, sealed, sizeof sealed);
	assert_true(n > 0);
	n = sim_label_packet(f->label, sealed, (size_t) n, out, slot, f->now_us);
	assert_true(n >= 0);
	if (n == 0)
		return 0;
	n = ead_open(&f->response_key, out, (size_t) n, plain, sizeof plain);
	assert_true(n > 0);
	assert_int_equal(esl_ad_find(plain, (size_t) n, &payload, &len), 0);
	memcpy(answer, payload, len);
	return len;
}

/** Sends one command to the label and yields its answer. */
static struct esl_rsp command(struct fixture *f, struct esl_cmd cmd)
{
	struct esl_packet p;
	uint8_t answer[ESL_PACKET_MAX];
	struct esl_rsp rsp = {.tag = 0xff};
	unsigned int slot;
	struct wire w;
	size_t n;

	cmd.esl_id = ID;
	esl_packet_init(&p, GROUP);
	assert_int_equal(esl_packet_add(&p, &cmd), 0);
	n = send_packet(f, &p, answer, &slot);
	if (n == 0)
		return rsp;
	assert_int_equal(slot, 0);
	wire_init(&w, answer, n);
	esl_rsp_decode(&w, &rsp);
	assert_int_equal(wire_finish(&w), 0);
	return rsp;
}

static struct esl_rsp timed(struct fixture *f, uint8_t image, uint32_t abs_ms)
{
	return command(
		f, (struct esl_cmd){.op = ESL_OP_DISPLAY_TIMED, .image = image, .abs_ms = abs_ms});
}

static void assert_error(struct esl_rsp rsp, uint8_t error)
{
	assert_int_equal(rsp.tag, ESL_RSP_ERROR);
	assert_int_equal(rsp.error, error);
}

static void assert_display(struct esl_rsp rsp, uint8_t image)
{
	assert_int_equal(rsp.tag, ESL_RSP_DISPLAY_STATE);
	assert_int_equal(rsp.image, image);
}

static void pass(struct fixture *f, int64_t us)
{
	f->now_us += us;
	sim_label_advance(f->label, f->now_us);
}

static bool shows(const struct fixture *f, unsigned int picture)
{
	struct sim_label_view v;

	sim_label_get(f->label, &v);
	return v.frame && v.frame_len == f->picture_len &&
	       !memcmp(v.frame, f->picture[picture], v.frame_len);
}

static void panel_changes_at_the_end_of_the_redraw(void **state)
{
	struct fixture f;
	struct sim_label_view v;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(command(&f, (struct esl_cmd){.op = ESL_OP_DISPLAY_IMAGE, .image = 1}), 1);
	sim_label_get(f.label, &v);
	assert_null(v.frame);
	assert_true(v.redrawing);
	assert_true(v.redraw_started_us == f.now_us);
	pass(&f, REDRAW_US * 3 / 4 - 1000);
	assert_false(shows(&f, 1));
	pass(&f, REDRAW_US / 2 + 1000);
	assert_true(shows(&f, 1));
	sim_label_get(f.label, &v);
	assert_true(v.shown_at_us >= v.redraw_started_us + REDRAW_US * 3 / 4);
	assert_true(v.shown_at_us <= v.redraw_started_us + REDRAW_US * 5 / 4);
	assert_int_equal(v.redraws, 1);
	end(&f);
}

static void a_display_command_during_a_redraw_waits_for_its_end(void **state)
{
	struct fixture f;
	struct sim_label_view v;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(command(&f, (struct esl_cmd){.op = ESL_OP_DISPLAY_IMAGE, .image = 0}), 0);
	pass(&f, 100 * US_PER_MS);
	assert_display(command(&f, (struct esl_cmd){.op = ESL_OP_DISPLAY_IMAGE, .image = 1}), 1);
	pass(&f, REDRAW_US + 150 * US_PER_MS);
	assert_true(shows(&f, 0));
	pass(&f, 2 * REDRAW_US);
	assert_true(shows(&f, 1));
	sim_label_get(f.label, &v);
	assert_int_equal(v.redraws, 2);
	end(&f);
}

static void an_overwritten_slot_becomes_visible_only_by_refresh(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(command(&f, (struct esl_cmd){.op = ESL_OP_DISPLAY_IMAGE, .image = 0}), 0);
	pass(&f, 2 * REDRAW_US);
	sim_label_connected(f.label, f.now_us);
	assert_int_equal(sim_label_write_image(f.label, 0, f.picture[1], f.picture_len, f.now_us),
			 0);
	assert_int_equal(sim_label_update_complete(f.label, true, f.now_us), 0);
	assert_true(shows(&f, 0));
	assert_display(command(&f, (struct esl_cmd){.op = ESL_OP_REFRESH_DISPLAY}), 0);
	pass(&f, 2 * REDRAW_US);
	assert_true(shows(&f, 1));
	end(&f);
}

static void a_timed_display_flips_at_its_instant(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(timed(&f, 1, 1000000 + 60000), 1);
	assert_int_equal(command(&f, (struct esl_cmd){.op = ESL_OP_PING}).basic,
			 ESL_STATE_SYNCHRONIZED | ESL_STATE_PENDING_DISPLAY);
	assert_true(sim_label_next_us(f.label) == f.now_us + 60 * US_PER_SEC);
	pass(&f, 60 * US_PER_SEC);
	assert_int_equal(f.events[SIM_LABEL_REDRAW_STARTED], 1);
	pass(&f, REDRAW_US * 5 / 4);
	assert_true(shows(&f, 1));
	assert_int_equal(command(&f, (struct esl_cmd){.op = ESL_OP_PING}).basic,
			 ESL_STATE_SYNCHRONIZED);
	end(&f);
}

static void delays_count_modulo_two_to_the_32(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	/* A second ago, and 41 hours ago but for a second: implausible. */
	assert_error(timed(&f, 0, 999000), ESL_ERR_IMPLAUSIBLE_TIME);
	assert_error(timed(&f, 0, 1000000u - 147766000u), ESL_ERR_IMPLAUSIBLE_TIME);
	/* 48 days ahead is the last that counts as future; beyond it wraps into the refused part.
	 */
	assert_error(timed(&f, 0, 1000000u + ESL_MAX_DELAY_MS + 1), ESL_ERR_IMPLAUSIBLE_TIME);
	/* Older than 41 hours looks like a far future and is taken. */
	assert_display(timed(&f, 0, 1000000u - 147768000u), 0);
	end(&f);
}

static void one_pending_entry_per_display(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(timed(&f, 0, 1100000), 0);
	assert_error(timed(&f, 1, 1200000), ESL_ERR_QUEUE_FULL);
	assert_display(timed(&f, 1, 1100000), 1);
	pass(&f, 100 * US_PER_SEC + 2 * REDRAW_US);
	assert_true(shows(&f, 1));
	assert_display(timed(&f, 0, 1200000), 0);
	end(&f);
}

static void absolute_time_zero_takes_a_pending_display_back(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(timed(&f, 1, 1100000), 1);
	assert_display(timed(&f, 1, 0), 1);
	pass(&f, 200 * US_PER_SEC);
	assert_false(shows(&f, 1));
	assert_error(timed(&f, 1, 0), ESL_ERR_INVALID_PARAMETER);
	end(&f);
	begin(&f, SIM_PERSONALITY_NRF);
	assert_display(timed(&f, 1, 0), 1);
	end(&f);
}

static void wrong_image_indexes_are_answered_by_personality(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_error(timed(&f, 4, 1100000), ESL_ERR_INVALID_IMAGE_INDEX);
	assert_error(timed(&f, 3, 1100000), ESL_ERR_IMAGE_NOT_AVAILABLE);
	end(&f);
	begin(&f, SIM_PERSONALITY_NRF);
	assert_error(timed(&f, 4, 1100000), ESL_ERR_INVALID_PARAMETER);
	end(&f);
}

static void rewriting_the_clock_moves_pending_commands(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(timed(&f, 1, 1100000), 1);
	sim_label_set_time(f.label, 1090000, f.now_us);
	assert_true(sim_label_next_us(f.label) == f.now_us + 10 * US_PER_SEC);
	sim_label_set_time(f.label, 1200000, f.now_us);
	assert_int_equal(f.events[SIM_LABEL_REDRAW_STARTED], 1);
	end(&f);
}

static void a_reboot_loses_pending_commands_and_the_clock(void **state)
{
	struct fixture f;
	struct sim_label_view v;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_display(command(&f, (struct esl_cmd){.op = ESL_OP_DISPLAY_IMAGE, .image = 0}), 0);
	pass(&f, 2 * REDRAW_US);
	assert_display(timed(&f, 1, 1100000), 1);
	sim_label_reboot(f.label, f.now_us);
	assert_int_equal(sim_label_state(f.label), ESL_UNSYNCHRONIZED);
	assert_int_equal(command(&f, (struct esl_cmd){.op = ESL_OP_PING}).tag, 0xff);
	sim_label_get(f.label, &v);
	assert_false(v.pending_display);
	assert_true(v.advertising && v.bonded && v.slot_filled[1]);
	assert_true(v.basic_state & ESL_STATE_SERVICE_NEEDED);
	sim_label_connected(f.label, f.now_us);
	assert_int_equal(sim_label_state(f.label), ESL_UPDATING);
	assert_int_equal(sim_label_update_complete(f.label, true, f.now_us), -ERR_STATE);
	sim_label_set_time(f.label, 1300000, f.now_us);
	assert_int_equal(sim_label_update_complete(f.label, true, f.now_us), 0);
	assert_true(shows(&f, 0));
	end(&f);
}

static void broadcast_is_done_but_not_answered_and_takes_a_slot(void **state)
{
	struct fixture f;
	struct esl_packet p;
	uint8_t answer[ESL_PACKET_MAX];
	unsigned int slot = 99;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	esl_packet_init(&p, GROUP);
	assert_int_equal(esl_packet_add(&p, &(struct esl_cmd){.op = ESL_OP_DISPLAY_IMAGE,
							      .esl_id = ESL_ID_BROADCAST,
							      .image = 1}),
			 0);
	assert_int_equal(send_packet(&f, &p, answer, &slot), 0);
	assert_int_equal(f.events[SIM_LABEL_REDRAW_STARTED], 1);
	assert_int_equal(esl_packet_add(&p, &(struct esl_cmd){.op = ESL_OP_PING, .esl_id = ID + 1}),
			 1);
	assert_int_equal(esl_packet_add(&p, &(struct esl_cmd){.op = ESL_OP_PING, .esl_id = ID}), 2);
	assert_int_equal(send_packet(&f, &p, answer, &slot), 3);
	assert_int_equal(slot, 2);
	end(&f);
}

static void several_answers_share_the_last_slot_and_overflow_is_capacity(void **state)
{
	struct fixture f;
	struct esl_packet p;
	uint8_t answer[ESL_PACKET_MAX];
	unsigned int slot;
	size_t n;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	esl_packet_init(&p, GROUP);
	for (int i = 0; i < 23; i++)
		assert_int_equal(
			esl_packet_add(&p, &(struct esl_cmd){.op = ESL_OP_PING, .esl_id = ID}), i);
	n = send_packet(&f, &p, answer, &slot);
	/* Sixteen Basic States fill the 48 bytes; the last of them gives way to the error. */
	assert_int_equal(n, 47);
	assert_int_equal(slot, 22);
	assert_int_equal(answer[42], ESL_RSP_BASIC_STATE);
	assert_int_equal(answer[45], ESL_RSP_ERROR);
	assert_int_equal(answer[46], ESL_ERR_CAPACITY);
	end(&f);
}

static void another_group_or_a_wrong_key_is_ignored(void **state)
{
	struct fixture f;
	struct esl_packet p;
	uint8_t answer[ESL_PACKET_MAX];
	unsigned int slot;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	esl_packet_init(&p, GROUP + 1);
	assert_int_equal(esl_packet_add(&p, &(struct esl_cmd){.op = ESL_OP_PING, .esl_id = ID}), 0);
	assert_int_equal(send_packet(&f, &p, answer, &slot), 0);
	f.train_key.key[3] ^= 1;
	assert_int_equal(command(&f, (struct esl_cmd){.op = ESL_OP_PING}).tag, 0xff);
	end(&f);
}

static void a_silent_hour_ends_synchronization_and_another_the_bond(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	pass(&f, HOUR_US - US_PER_SEC);
	(void) command(&f, (struct esl_cmd){.op = ESL_OP_PING});
	pass(&f, HOUR_US - US_PER_SEC);
	assert_int_equal(sim_label_state(f.label), ESL_SYNCHRONIZED);
	pass(&f, 2 * US_PER_SEC);
	assert_int_equal(sim_label_state(f.label), ESL_UNSYNCHRONIZED);
	pass(&f, HOUR_US);
	assert_int_equal(sim_label_state(f.label), ESL_UNASSOCIATED);
	end(&f);
}

static void a_link_lost_before_configuration_leaves_it_unassociated(void **state)
{
	static const uint8_t addr[6] = {0xc0, 0xff, 0xee, 0, 0, 2};
	struct sim_label_model model = {.width = 8,
					.height = 8,
					.type = DISPLAY_BLACK_WHITE,
					.slots = 2,
					.redraw_us = REDRAW_US};
	struct sim_label *l;

	(void) state;
	assert_int_equal(sim_label_new(addr, &model, 1, NULL, NULL, &l), 0);
	assert_int_equal(sim_label_state(l), ESL_UNASSOCIATED);
	sim_label_connected(l, 0);
	assert_int_equal(sim_label_state(l), ESL_CONFIGURING);
	assert_int_equal(sim_label_update_complete(l, true, 0), -ERR_STATE);
	sim_label_link_lost(l, 10);
	assert_int_equal(sim_label_state(l), ESL_UNASSOCIATED);
	sim_label_free(l);
}

static void unassociate_answers_and_then_forgets(void **state)
{
	struct fixture f;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_int_equal(command(&f, (struct esl_cmd){.op = ESL_OP_UNASSOCIATE}).tag,
			 ESL_RSP_BASIC_STATE);
	pass(&f, 700 * US_PER_MS);
	assert_int_equal(sim_label_state(f.label), ESL_SYNCHRONIZED);
	pass(&f, 100 * US_PER_MS);
	assert_int_equal(sim_label_state(f.label), ESL_UNASSOCIATED);
	end(&f);
}

static void a_factory_reset_needs_a_link(void **state)
{
	struct fixture f;
	struct sim_label_view v;
	const uint8_t tlv[] = {ESL_OP_FACTORY_RESET, ID};
	uint8_t answer[ESL_PACKET_MAX];

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_error(command(&f, (struct esl_cmd){.op = ESL_OP_FACTORY_RESET}),
		     ESL_ERR_INVALID_STATE);
	sim_label_connected(f.label, f.now_us);
	assert_int_equal(sim_label_control_point(f.label, tlv, sizeof tlv, answer, f.now_us), 0);
	sim_label_get(f.label, &v);
	assert_int_equal(v.state, ESL_UNASSOCIATED);
	assert_false(v.slot_filled[0]);
	end(&f);
}

static void led_runs_for_its_repeats(void **state)
{
	struct fixture f;
	struct esl_cmd cmd = {.op = ESL_OP_LED_CONTROL,
			      .led = {.pattern = {0, 0, 0, 0, 0x02},
				      .on_period = 100,
				      .off_period = 150,
				      .repeats = 4 << 1}};

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_int_equal(command(&f, cmd).tag, ESL_RSP_LED_STATE);
	/* One bit on, one off: (100 + 150) * 2 ms, four times. */
	pass(&f, 2 * US_PER_SEC - 1000);
	assert_true(command(&f, (struct esl_cmd){.op = ESL_OP_PING}).basic & ESL_STATE_ACTIVE_LED);
	pass(&f, 1000);
	assert_false(command(&f, (struct esl_cmd){.op = ESL_OP_PING}).basic & ESL_STATE_ACTIVE_LED);
	cmd.led.on_period = 0;
	assert_error(command(&f, cmd), ESL_ERR_INVALID_PARAMETER);
	cmd.index = 1;
	assert_error(command(&f, cmd), ESL_ERR_INVALID_PARAMETER);
	end(&f);
}

static void a_fast_clock_flips_early(void **state)
{
	static const uint8_t addr[6] = {0xc0, 0xff, 0xee, 0, 0, 3};
	static const uint8_t keys[EAD_WIRE_KEY_BYTES];
	struct sim_label_model model = {.width = 8,
					.height = 8,
					.type = DISPLAY_BLACK_WHITE,
					.slots = 2,
					.clock_ppm = 100,
					.redraw_us = REDRAW_US};
	const uint8_t tlv[] = {ESL_OP_DISPLAY_TIMED, ID, 0, 0, 0x80, 0x96, 0x98, 0};
	uint8_t answer[ESL_PACKET_MAX];
	struct image im;
	struct buf b = BUF_INIT;
	struct sim_label *l;

	(void) state;
	assert_int_equal(image_init(&im, 8, 8, DISPLAY_BLACK_WHITE), 0);
	image_encode(&im, &b);
	assert_int_equal(sim_label_new(addr, &model, 1, NULL, NULL, &l), 0);
	sim_label_connected(l, 0);
	assert_int_equal(sim_label_configure(l, esl_address(GROUP, ID), keys, keys, 0, 0), 0);
	assert_int_equal(sim_label_write_image(l, 0, b.data, b.len, 0), 0);
	/* 10,000,000 ms on a clock that gains 100 us a second: a second early. */
	assert_true(sim_label_control_point(l, tlv, sizeof tlv, answer, 0) > 0);
	assert_in_range(10000 * US_PER_SEC - sim_label_next_us(l), 999000, 1001000);
	sim_label_free(l);
	buf_done(&b);
	image_done(&im);
}

static void pictures_for_another_panel_are_refused(void **state)
{
	struct fixture f;
	struct image im;
	struct buf b = BUF_INIT;

	(void) state;
	begin(&f, SIM_PERSONALITY_SL);
	assert_int_equal(image_init(&im, 65, 32, DISPLAY_BLACK_WHITE), 0);
	image_encode(&im, &b);
	assert_int_equal(sim_label_write_image(f.label, 0, b.data, b.len, f.now_us), -ERR_BADMSG);
	assert_int_equal(sim_label_write_image(f.label, 0, b.data, 5, f.now_us), -ERR_BADMSG);
	assert_int_equal(sim_label_write_image(f.label, 4, f.picture[0], f.picture_len, f.now_us),
			 -ERR_RANGE);
	buf_done(&b);
	image_done(&im);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(panel_changes_at_the_end_of_the_redraw),
		cmocka_unit_test(a_display_command_during_a_redraw_waits_for_its_end),
		cmocka_unit_test(an_overwritten_slot_becomes_visible_only_by_refresh),
		cmocka_unit_test(a_timed_display_flips_at_its_instant),
		cmocka_unit_test(delays_count_modulo_two_to_the_32),
		cmocka_unit_test(one_pending_entry_per_display),
		cmocka_unit_test(absolute_time_zero_takes_a_pending_display_back),
		cmocka_unit_test(wrong_image_indexes_are_answered_by_personality),
		cmocka_unit_test(rewriting_the_clock_moves_pending_commands),
		cmocka_unit_test(a_reboot_loses_pending_commands_and_the_clock),
		cmocka_unit_test(broadcast_is_done_but_not_answered_and_takes_a_slot),
		cmocka_unit_test(several_answers_share_the_last_slot_and_overflow_is_capacity),
		cmocka_unit_test(another_group_or_a_wrong_key_is_ignored),
		cmocka_unit_test(a_silent_hour_ends_synchronization_and_another_the_bond),
		cmocka_unit_test(a_link_lost_before_configuration_leaves_it_unassociated),
		cmocka_unit_test(unassociate_answers_and_then_forgets),
		cmocka_unit_test(a_factory_reset_needs_a_link),
		cmocka_unit_test(led_runs_for_its_repeats),
		cmocka_unit_test(a_fast_clock_flips_early),
		cmocka_unit_test(pictures_for_another_panel_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
