/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bluez_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS   5000
#define BOND     "bond:c0ffee000001"
#define SLICE_US (INT64_C(50) * US_PER_MS)

struct bluez_bench bench;

/* --- the engine ------------------------------------------------------------------------------- */

static void on_up(void *user)
{
	(void) user;
	bench.ups++;
}

static void on_down(void *user, int err, const char *text)
{
	(void) user;
	(void) err;
	bench.downs++;
	snprintf(bench.text, sizeof(bench.text), "%s", text);
}

static void on_advert(void *user, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi, bool bonded,
		      uint16_t battery_mv)
{
	(void) user;
	(void) battery_mv;
	assert_memory_equal(addr, bluez_fake_label, ESL_ADDR_BYTES);
	assert_int_equal(rssi, -60);
	bench.adverts++;
	bench.bonded = bonded;
}

static void on_lost(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) user;
	(void) addr;
	bench.lost++;
}

static void on_reached(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) user;
	(void) addr;
	bench.reached++;
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	int err = bench.save_err;

	(void) user;
	assert_string_equal(key, BOND);
	assert_int_equal(len, sizeof(bench.kept));
	bench.saves++;
	bench.save_err = 0;
	if (err == 0)
		memcpy(bench.kept, data, len);
	return err;
}

void bench_done(void *user, int err, const struct esl_link_result *res)
{
	(void) user;
	bench.done++;
	bench.err = err;
	if (res)
		bench.res = *res;
}

/* --- the bench -------------------------------------------------------------------------------- */

void bench_open(const struct bluez_bench *from)
{
	static const struct sim_label_model model = {.width = 296,
						     .height = 128,
						     .type = 1,
						     .slots = 4,
						     .leds = 1,
						     .personality = SIM_PERSONALITY_NRF};
	static const struct esl_link_callbacks cb = {.up = on_up,
						     .down = on_down,
						     .advert = on_advert,
						     .lost = on_lost,
						     .save = on_save,
						     .reached = on_reached};

	if (!getenv("DBUS_SYSTEM_BUS_ADDRESS"))
		skip();
	bench = *from;
	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &bench.loop), 0);
	bluez_fake_open(&bench.bluez, bench.loop, &model);
	assert_int_equal(
		hci_host_new_shared(bench.loop, bluez_fake_port(&bench.bluez), &bench.host), 0);
	assert_int_equal(esl_link_bluez_over(bench.loop, bench.host, "bluez:hci0", &bench.link), 0);
	if (bench.kept[0])
		assert_int_equal(
			bench.link->ops->restore(bench.link, BOND, bench.kept, sizeof(bench.kept)),
			0);
	assert_int_equal(bench.link->ops->start(bench.link, &cb, NULL), 0);
	hci_host_start(bench.host);
}

int bench_close(void **state)
{
	(void) state;
	if (!bench.loop)
		return 0;
	if (bench.link)
		bench.link->ops->free(bench.link);
	hci_host_unref(bench.host);
	bluez_fake_close(&bench.bluez);
	loop_free(bench.loop);
	bench = (struct bluez_bench){.ups = 0};
	return 0;
}

void bench_step(void)
{
	loop_run_once(bench.loop, 1);
	/* Real time: the bus is another process. */
	dbus_connection_read_write(bench.bluez.bluez, 1);
	bluez_fake_step(&bench.bluez);
}

void bench_until(const unsigned int *what, unsigned int n)
{
	for (int i = 0; i < ROUNDS && *what < n; i++)
		bench_step();
	assert_int_equal(*what, n);
}

void bench_until_true(const bool *what)
{
	for (int i = 0; i < ROUNDS && !*what; i++)
		bench_step();
	assert_true(*what);
}

void bench_pass(int64_t us)
{
	for (; us > 0; us -= SLICE_US) {
		loop_run_until(bench.loop,
			       clock_mono_us(loop_clock(bench.loop)) + MIN(us, SLICE_US));
		bluez_fake_step(&bench.bluez);
	}
}

void bench_hear(void)
{
	bench_until(&bench.ups, 1);
	bluez_fake_show_label(&bench.bluez);
	bench_until(&bench.adverts, 1);
}

void bench_connect(uint8_t subevent, const uint8_t *addr)
{
	assert_int_equal(bench.link->ops->connect(bench.link, addr, subevent, 5, bench_done, NULL),
			 0);
}

void bench_meet(void)
{
	bench_hear();
	bench_connect(ESL_ADVERTISING, bluez_fake_label);
	bench_until(&bench.done, 1);
	assert_int_equal(bench.err, 0);
}
