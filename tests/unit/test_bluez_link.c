/* SPDX-License-Identifier: Apache-2.0 */
/* The connected driver beside a bluetoothd and a kernel that the test plays. */
#include "common/err.h"
#include "esl-radio/bluez/bluez.h"
#include "tests/unit/bluez_fake.h"
#include "tests/unit/bus_daemon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 2000
#define LOOKS  4000 /* steps of 5 ms: connections are looked after every few seconds */
#define BOND   "bond:c0ffee000001"

static const uint8_t *const label = bluez_fake_label;
static const struct sim_label_model model = {
	.width = 296, .height = 128, .type = 1, .slots = 4, .leds = 1};

struct bench {
	struct bluez_fake bluez;
	struct loop *loop;
	struct hci_host *host;
	struct esl_link *link;
	unsigned int ups, downs, adverts, lost, reached;
	bool bonded;
	uint8_t kept[3];
	char text[ESL_TEXT_MAX];
	int done, err; /* completions, and the last one's code */
	struct esl_link_result res;
};

/* --- the engine ------------------------------------------------------------------------------- */

static void on_up(void *user)
{
	((struct bench *) user)->ups++;
}

static void on_down(void *user, int err, const char *text)
{
	struct bench *b = user;

	(void) err;
	b->downs++;
	snprintf(b->text, sizeof(b->text), "%s", text);
}

static void on_advert(void *user, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi, bool bonded,
		      uint16_t battery_mv)
{
	struct bench *b = user;

	(void) battery_mv;
	assert_memory_equal(addr, label, SIM_LABEL_ADDR_BYTES);
	assert_int_equal(rssi, -60);
	b->adverts++;
	b->bonded = bonded;
}

static void on_lost(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) addr;
	((struct bench *) user)->lost++;
}

static void on_reached(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	assert_memory_equal(addr, label, SIM_LABEL_ADDR_BYTES);
	((struct bench *) user)->reached++;
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	struct bench *b = user;

	assert_string_equal(key, BOND);
	assert_int_equal(len, sizeof(b->kept));
	memcpy(b->kept, data, len);
	return 0;
}

static void on_done(void *user, int err, const struct esl_link_result *res)
{
	struct bench *b = user;

	b->done++;
	b->err = err;
	if (res)
		b->res = *res;
}

static void step(struct bench *b)
{
	loop_run_once(b->loop, 5);
	bluez_fake_step(&b->bluez);
}

/** Goes on until *what has reached n. */
static void until(struct bench *b, const unsigned int *what, unsigned int n)
{
	for (int i = 0; i < ROUNDS && *what < n; i++)
		step(b);
	assert_int_equal(*what, n);
}

static void until_done(struct bench *b, int n)
{
	for (int i = 0; i < ROUNDS && b->done < n; i++)
		step(b);
	assert_int_equal(b->done, n);
}

static void bench_set(struct bench *b, const struct bench *from)
{
	static const struct esl_link_callbacks cb = {.up = on_up,
						     .down = on_down,
						     .advert = on_advert,
						     .lost = on_lost,
						     .save = on_save,
						     .reached = on_reached};

	if (!getenv("DBUS_SYSTEM_BUS_ADDRESS"))
		skip();
	*b = *from;
	assert_int_equal(loop_new(&b->loop), 0);
	bluez_fake_open(&b->bluez, b->loop, &model);
	assert_int_equal(hci_host_new_shared(b->loop, bluez_fake_port(&b->bluez), &b->host), 0);
	assert_int_equal(esl_link_bluez_over(b->loop, b->host, "bluez:hci0", &b->link), 0);
	if (b->kept[0])
		assert_int_equal(b->link->ops->restore(b->link, BOND, b->kept, sizeof(b->kept)), 0);
	assert_int_equal(b->link->ops->start(b->link, &cb, b), 0);
	hci_host_start(b->host);
}

static void bench_open(struct bench *b)
{
	bench_set(b, &(struct bench){.ups = 0});
}

static void bench_close(struct bench *b)
{
	b->link->ops->free(b->link);
	hci_host_unref(b->host);
	bluez_fake_close(&b->bluez);
	loop_free(b->loop);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void label_that_advertises_is_paired_read_and_configured(void **state)
{
	const struct esl_link_config config = {.esl_address = 0x0305, .abs_ms = 1000};
	struct bench b;

	(void) state;
	bench_open(&b);
	sim_label_set_battery(b.bluez.label, 3000);
	until(&b, &b.ups, 1);
	assert_true(b.bluez.agent_asked);
	assert_int_equal(b.link->ops->scan(b.link, true), 0);
	for (int i = 0; i < 20; i++)
		step(&b);
	bluez_fake_show_label(&b.bluez);
	until(&b, &b.adverts, 1);
	assert_false(b.bonded);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until_done(&b, 1);
	assert_int_equal(b.err, 0);
	assert_false(b.res.rebonded);
	assert_int_equal(b.reached, 1);
	assert_memory_equal(b.kept, "\x80\x01\x00", 3);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), 0);
	until_done(&b, 2);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.res.n_displays, 1);
	assert_int_equal(b.res.displays[0].width, 296);
	assert_int_equal(b.res.displays[0].height, 128);
	assert_int_equal(b.res.max_image_index, 3);
	assert_true(b.res.identity.has_type);
	assert_int_equal(b.res.n_sensors, 2);
	assert_int_equal(b.res.sensors[0].id.number, 0x0054);
	assert_int_equal(b.res.sensors[0].len, 2);
	assert_int_equal(b.res.temperature_cc,
			 b.res.sensors[0].data[0] | b.res.sensors[0].data[1] << 8);
	assert_int_equal(b.res.sensors[1].id.number, 0x0059);
	assert_int_equal(b.res.battery_mv, 3000);
	assert_int_equal(b.link->ops->configure(b.link, label, &config, on_done, &b), 0);
	until_done(&b, 3);
	assert_int_equal(b.err, 0);
	assert_string_equal(
		b.bluez.writes,
		"2ac6 2bfe 2bfe 2bf6 2bf8 2bf7 2bf9 "); /* address, its key, the train's, time */
	assert_int_equal(b.bluez.transfers, 1);
	bench_close(&b);
}

static void label_nobody_has_heard_of_cannot_be_connected_to(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	until(&b, &b.ups, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b),
			 -ENOENT);
	bench_close(&b);
}

static void refused_pairing_agent_is_named(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez.refuse_agent = true});
	until(&b, &b.downs, 1);
	assert_non_null(strstr(b.text, "takes no pairing agent from us"));
	assert_non_null(strstr(b.text, "AccessDenied"));
	assert_int_equal(b.ups, 0);
	bench_close(&b);
}

static void bluetoothd_that_goes_and_comes_back_is_followed(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	until(&b, &b.ups, 1);
	bluez_fake_show_label(&b.bluez);
	until(&b, &b.adverts, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until_done(&b, 1);
	bluez_fake_own_name(&b.bluez, false);
	until(&b, &b.downs, 1);
	assert_non_null(strstr(b.text, "bluetoothd is not running"));
	assert_int_equal(b.lost, 1);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), -ERR_STATE);
	b.bluez.agent_asked = false;
	bluez_fake_own_name(&b.bluez, true);
	until(&b, &b.ups, 2);
	assert_true(b.bluez.agent_asked); /* the new one knows nothing of the old one's */
	bench_close(&b);
}

/** Until the label has been heard and connected to. */
static void meet(struct bench *b)
{
	until(b, &b->ups, 1);
	bluez_fake_show_label(&b->bluez);
	until(b, &b->adverts, 1);
	assert_int_equal(b->link->ops->connect(b->link, label, ESL_ADVERTISING, 5, on_done, b), 0);
	until_done(b, 1);
	assert_int_equal(b->err, 0);
}

static void scanning_for_somebody_else_is_not_for_us(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	until(&b, &b.ups, 1);
	bluez_fake_changed(&b.bluez, BLUEZ_FAKE_ADAPTER, "org.bluez.Adapter1", "Discovering");
	for (int i = 0; i < 20; i++)
		step(&b);
	assert_int_equal(b.link->ops->scan(b.link, true), 0);
	until(&b, &b.bluez.discoveries, 1);
	bench_close(&b);
}

static void scanning_that_the_kernel_is_busy_with_is_asked_for_again(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez.busy = 1});
	until(&b, &b.ups, 1);
	assert_int_equal(b.link->ops->scan(b.link, true), 0);
	until(&b, &b.bluez.discoveries, 1);
	assert_int_equal(b.bluez.busy, 0);
	bench_close(&b);
}

static void label_without_object_transfer_takes_no_picture(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez.no_transfer = true});
	meet(&b);
	assert_int_equal(b.link->ops->write_image(b.link, label, 0, "x", 1, on_done, &b), -ENOTSUP);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), 0);
	until_done(&b, 2);
	assert_int_equal(b.err, 0);
	assert_false(b.res.identity.has_type);
	bench_close(&b);
}

static void label_bonded_before_that_must_be_paired_anew_was_reset(void **state)
{
	const struct esl_link_config config = {.esl_address = 0x0305, .abs_ms = 1000};
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {0x80, 1, 0}});
	meet(&b);
	assert_true(b.res.rebonded);
	assert_memory_equal(b.kept, "\x80\x01\x01", 3); /* and is, until it is configured */
	assert_int_equal(b.link->ops->configure(b.link, label, &config, on_done, &b), 0);
	until_done(&b, 2);
	assert_int_equal(b.err, 0);
	assert_memory_equal(b.kept, "\x80\x01\x00", 3);
	bench_close(&b);
}

static void label_that_was_reset_is_said_to_be_after_a_restart(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {0x80, 1, 1}});
	until(&b, &b.ups, 1);
	bluez_fake_show_label(&b.bluez);
	bluez_fake_changed(&b.bluez, BLUEZ_FAKE_DEVICE, "org.bluez.Device1",
			   "Paired"); /* in the life before */
	until(&b, &b.adverts, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until_done(&b, 1);
	assert_true(b.res.rebonded);
	bench_close(&b);
}

static void label_without_our_key_is_forgotten_by_bluetoothd(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {0x80, 1, 0}, .bluez.stalls = true});
	until(&b, &b.ups, 1);
	bluez_fake_show_label(&b.bluez);
	bluez_fake_changed(&b.bluez, BLUEZ_FAKE_DEVICE, "org.bluez.Device1", "Paired");
	until(&b, &b.adverts, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	until(&b, &b.reached, 1);
	bluez_fake_key_missing(&b.bluez);
	until_done(&b, 1);
	assert_int_equal(b.err, -ERR_CRYPTO);
	until(&b, &b.bluez.removed, 1);
	bench_close(&b);
}

static void bluetoothd_may_be_quicker_than_the_kernel(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez.late = true});
	meet(&b);
	assert_int_equal(b.reached, 1);
	bench_close(&b);
}

static void connection_left_over_from_an_earlier_life_is_ended(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.kept = {0x80, 1, 0}, .bluez.holds = true});
	until(&b, &b.ups, 1);
	for (int i = 0; i < ROUNDS && !b.bluez.hangs_up; i++)
		step(&b);
	assert_true(b.bluez.hangs_up);
	bench_close(&b);
}

static void connection_on_its_way_is_called_off_at_the_end(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez = {.silent = true, .stalls = true}});
	until(&b, &b.ups, 1);
	bluez_fake_show_label(&b.bluez);
	until(&b, &b.adverts, 1);
	assert_int_equal(b.link->ops->connect(b.link, label, ESL_ADVERTISING, 5, on_done, &b), 0);
	for (int i = 0; i < ROUNDS && !b.bluez.linked; i++)
		step(&b);
	assert_true(b.bluez.linked);
	b.link->ops->free(b.link);
	for (int i = 0; i < ROUNDS && !b.bluez.hangs_up; i++)
		step(&b);
	assert_true(b.bluez.hangs_up);
	hci_host_unref(b.host);
	bluez_fake_close(&b.bluez);
	loop_free(b.loop);
}

static void services_may_be_told_after_they_are_resolved(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez = {.owes = true, .hasty = true}});
	meet(&b);
	bench_close(&b);
}

static void connection_that_the_kernel_forgot_is_ended_by_its_handle(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez.forgets = true});
	meet(&b);
	assert_int_equal(b.link->ops->disconnect(b.link, label, on_done, &b), 0);
	until_done(&b, 2);
	assert_true(b.bluez.linked); /* the label still is */
	for (int i = 0; i < LOOKS && b.bluez.linked; i++)
		step(&b);
	assert_false(b.bluez.linked);
	bench_close(&b);
}

static void pairing_whose_answer_never_comes_is_known_by_its_effect(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	b.bluez.owes = true;
	meet(&b);
	assert_true(b.bluez.paired);
	bench_close(&b);
}

static void connection_that_bluetoothd_forgets_to_tell_is_used(void **state)
{
	struct bench b;

	(void) state;
	bench_set(&b, &(struct bench){.bluez.silent = true});
	meet(&b);
	assert_int_equal(b.link->ops->read_info(b.link, label, on_done, &b), 0);
	until_done(&b, 2);
	assert_int_equal(b.err, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_that_advertises_is_paired_read_and_configured),
		cmocka_unit_test(label_nobody_has_heard_of_cannot_be_connected_to),
		cmocka_unit_test(refused_pairing_agent_is_named),
		cmocka_unit_test(bluetoothd_that_goes_and_comes_back_is_followed),
		cmocka_unit_test(scanning_for_somebody_else_is_not_for_us),
		cmocka_unit_test(scanning_that_the_kernel_is_busy_with_is_asked_for_again),
		cmocka_unit_test(label_without_object_transfer_takes_no_picture),
		cmocka_unit_test(label_bonded_before_that_must_be_paired_anew_was_reset),
		cmocka_unit_test(label_that_was_reset_is_said_to_be_after_a_restart),
		cmocka_unit_test(label_without_our_key_is_forgotten_by_bluetoothd),
		cmocka_unit_test(connection_on_its_way_is_called_off_at_the_end),
		cmocka_unit_test(services_may_be_told_after_they_are_resolved),
		cmocka_unit_test(connection_that_the_kernel_forgot_is_ended_by_its_handle),
		cmocka_unit_test(pairing_whose_answer_never_comes_is_known_by_its_effect),
		cmocka_unit_test(connection_that_bluetoothd_forgets_to_tell_is_used),
		cmocka_unit_test(bluetoothd_may_be_quicker_than_the_kernel),
		cmocka_unit_test(connection_left_over_from_an_earlier_life_is_ended),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
