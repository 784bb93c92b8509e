/* SPDX-License-Identifier: Apache-2.0 */
/* One script over both connected drivers, our own central and the one beside bluetoothd, with a
 * label of the same model: the engine must not be able to tell them apart. */
#include "common/err.h"
#include "esl-radio/bluez/bluez.h"
#include "esl-radio/esl_radio.h"
#include "sim/radio.h"
#include "tests/unit/bluez_fake.h"
#include "tests/unit/bus_daemon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS  6000
#define ESL_ID  5
#define RETRIES 3 /* of a connection that had to find out that the bond is worth nothing */

static const struct sim_label_model model = {
	.width = 296,
	.height = 128,
	.type = 1,
	.slots = 4,
	.leds = 1,
	.personality = SIM_PERSONALITY_NRF, /* it has a model number */
};
static const struct esl_train train = {.interval = 160,
				       .subevents = 2,
				       .subevent_interval = 48,
				       .response_delay = 34,
				       .response_spacing = 6,
				       .response_slots = 23};

/** A driver, and what it is tried on. */
struct side {
	struct loop *loop;
	struct hci_host *host;
	struct esl_link *link;
	struct sim_label *label;
	void (*forget)(struct side *s); /**< the label loses its bond and all else */
	/* one of these */
	struct bluez_fake bluez;
	bool with_bluez;
	struct sim_radio *air;
	struct esl_radio *radio;
	char path[64];
	/* what was told */
	unsigned int ups, adverts, reached, saves;
	int done, err;
	struct esl_link_result res;
};

/** What came of the script. */
struct outcome {
	int connected, informed, configured, asked, timed, closed, again;
	bool rebonded_first, rebonded_again;
	unsigned int reached;
	struct esl_link_result info, answer;
};

/* --- the engine's place ----------------------------------------------------------------------- */

static void on_up(void *user)
{
	((struct side *) user)->ups++;
}

static void on_down(void *user, int err, const char *text)
{
	(void) user;
	(void) err;
	(void) text;
}

static void on_advert(void *user, const uint8_t addr[ESL_ADDR_BYTES], int8_t rssi, bool bonded,
		      uint16_t battery_mv)
{
	(void) rssi;
	(void) bonded;
	(void) battery_mv;
	assert_memory_equal(addr, bluez_fake_label, ESL_ADDR_BYTES);
	((struct side *) user)->adverts++;
}

static void on_lost(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) user;
	(void) addr;
}

static int on_save(void *user, const char *key, const void *data, size_t len)
{
	(void) data;
	(void) len;
	assert_true(strncmp(key, ESL_LINK_KEEPS, strlen(ESL_LINK_KEEPS)) == 0);
	((struct side *) user)->saves++;
	return 0;
}

static int on_random(void *user, void *to, size_t n)
{
	(void) user;
	memset(to, 0x5a, n);
	return 0;
}

static void on_reached(void *user, const uint8_t addr[ESL_ADDR_BYTES])
{
	(void) addr;
	((struct side *) user)->reached++;
}

static void on_done(void *user, int err, const struct esl_link_result *res)
{
	struct side *s = user;

	s->done++;
	s->err = err;
	s->res = res ? *res : (struct esl_link_result){.n_displays = 0};
}

static const struct esl_link_callbacks engine = {.up = on_up,
						 .down = on_down,
						 .advert = on_advert,
						 .lost = on_lost,
						 .save = on_save,
						 .random = on_random,
						 .reached = on_reached};

/* --- the sides -------------------------------------------------------------------------------- */

static void train_up(void *user)
{
	(void) user;
}

static void train_asks(void *user, uint8_t start, uint8_t count)
{
	(void) user;
	(void) start;
	(void) count;
}

static void train_answers(void *user, uint8_t subevent, uint8_t slot, int8_t rssi,
			  const uint8_t *data, size_t len)
{
	(void) user;
	(void) subevent;
	(void) slot;
	(void) rssi;
	(void) data;
	(void) len;
}

static void forget_in_the_air(struct side *s)
{
	sim_label_factory_reset(s->label, clock_mono_us(loop_clock(s->loop)));
	sim_radio_touched(s->air, 0);
}

static void forget_at_bluetoothd(struct side *s)
{
	sim_label_factory_reset(s->label, clock_mono_us(loop_clock(s->loop)));
	s->bluez.bond.has_key = false;
	bluez_fake_show_label(&s->bluez);
}

static void open_own(struct side *s)
{
	static const struct esl_radio_callbacks cb = {train_up, on_down, train_asks, train_answers};
	const struct sim_radio_config cfg = {.name = "air", .seed = 1};

	s->forget = forget_in_the_air;
	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &s->loop), 0);
	assert_int_equal(sim_radio_new(s->loop, &cfg, &s->air), 0);
	assert_int_equal(sim_radio_add_labels(s->air, &model, 1), 0);
	s->label = sim_radio_label(s->air, 0);
	snprintf(s->path, sizeof(s->path), "unix:/tmp/both-links-%d", (int) getpid());
	assert_int_equal(sim_radio_listen(s->air, s->path + strlen("unix:")), 0);
	assert_int_equal(hci_host_new(s->loop, s->path, &s->host), 0);
	assert_int_equal(esl_radio_h4_over(s->loop, s->host, &s->radio), 0);
	assert_int_equal(esl_link_le_over(s->loop, s->host, &s->link), 0);
	assert_int_equal(s->radio->ops->start(s->radio, &train, &cb, s), 0);
}

static void open_bluez(struct side *s)
{
	s->forget = forget_at_bluetoothd;
	s->with_bluez = true;
	assert_int_equal(loop_new(&s->loop), 0);
	bluez_fake_open(&s->bluez, s->loop, &model);
	s->label = s->bluez.label;
	assert_int_equal(hci_host_new_shared(s->loop, bluez_fake_port(&s->bluez), &s->host), 0);
	assert_int_equal(esl_link_bluez_over(s->loop, s->host, "bluez:hci0", &s->link), 0);
	hci_host_start(s->host);
}

static void close_side(struct side *s)
{
	s->link->ops->free(s->link);
	if (s->radio)
		s->radio->ops->free(s->radio);
	hci_host_unref(s->host);
	if (s->with_bluez)
		bluez_fake_close(&s->bluez);
	sim_radio_free(s->air);
	loop_free(s->loop);
}

static void step(struct side *s)
{
	loop_run_once(s->loop, 5);
	if (s->with_bluez)
		bluez_fake_step(&s->bluez);
}

static void until(struct side *s, const unsigned int *what, unsigned int n)
{
	for (int i = 0; i < ROUNDS && *what < n; i++)
		step(s);
	assert_true(*what >= n);
}

/** Waits for what was asked for; a refusal counts as its answer. */
static int answer_to(struct side *s, int asked)
{
	int n = s->done + 1;

	if (asked < 0)
		return asked;
	for (int i = 0; i < ROUNDS && s->done < n; i++)
		step(s);
	assert_int_equal(s->done, n);
	return s->err;
}

/* --- the script ------------------------------------------------------------------------------- */

static int connect_to(struct side *s)
{
	int r = -ENOENT;

	for (int i = 0; i < RETRIES && r < 0; i++) {
		unsigned int heard = s->adverts;

		if (s->with_bluez)
			bluez_fake_show_label(&s->bluez);
		until(s, &s->adverts, heard + 1);
		r = answer_to(s, s->link->ops->connect(s->link, bluez_fake_label, ESL_ADVERTISING,
						       ESL_ID, on_done, s));
	}
	return r;
}

static void run(struct side *s, struct outcome *ret)
{
	const struct esl_link_config config = {.esl_address = 0x0100 | ESL_ID, .abs_ms = 1000};
	const struct esl_link_ops *ops = s->link->ops;
	const uint8_t ping[] = {0x00, ESL_ID}, *const to = bluez_fake_label;

	sim_label_set_battery(s->label, 3000);
	assert_int_equal(ops->start(s->link, &engine, s), 0);
	until(s, &s->ups, 1);
	assert_int_equal(ops->scan(s->link, true), 0);
	ret->connected = connect_to(s);
	ret->rebonded_first = s->res.rebonded;
	ret->reached = s->reached;
	ret->informed = answer_to(s, ops->read_info(s->link, to, on_done, s));
	ret->info = s->res;
	ret->configured = answer_to(s, ops->configure(s->link, to, &config, on_done, s));
	ret->asked = answer_to(s, ops->ecp(s->link, to, ping, sizeof(ping), on_done, s));
	ret->answer = s->res;
	assert_int_equal(ops->ecp(s->link, to, ping, 0, on_done, s), -ERR_RANGE);
	ret->timed = answer_to(s, ops->set_time(s->link, to, 2000, on_done, s));
	ret->closed = answer_to(s, ops->disconnect(s->link, to, on_done, s));
	assert_int_equal(ops->read_info(s->link, to, on_done, s), -ERR_STATE);
	s->forget(s);
	ret->again = connect_to(s);
	ret->rebonded_again = s->res.rebonded;
}

static void same_info(const struct esl_link_result *a, const struct esl_link_result *b)
{
	assert_int_equal(a->n_displays, b->n_displays);
	assert_memory_equal(a->displays, b->displays, sizeof(a->displays));
	assert_int_equal(a->max_image_index, b->max_image_index);
	assert_int_equal(a->n_leds, b->n_leds);
	assert_memory_equal(a->leds, b->leds, sizeof(a->leds));
	assert_int_equal(a->battery_mv, b->battery_mv);
	assert_true(a->temperature_cc != INT16_MIN && b->temperature_cc != INT16_MIN);
	assert_int_equal(a->n_sensors, b->n_sensors);
	for (unsigned int i = 0; i < a->n_sensors; i++) {
		assert_int_equal(a->sensors[i].id.vendor, b->sensors[i].id.vendor);
		assert_int_equal(a->sensors[i].id.number, b->sensors[i].id.number);
		assert_int_equal(a->sensors[i].len, b->sensors[i].len);
	}
	assert_string_equal(a->identity.model, b->identity.model);
	assert_int_equal(a->identity.has_pnp, b->identity.has_pnp);
	assert_int_equal(a->identity.vendor_source, b->identity.vendor_source);
	assert_int_equal(a->identity.vendor, b->identity.vendor);
	assert_int_equal(a->identity.product, b->identity.product);
	assert_int_equal(a->identity.has_type, b->identity.has_type);
	assert_memory_equal(a->identity.type, b->identity.type, sizeof(a->identity.type));
}

static void both_drivers_tell_the_same_of_a_label(void **state)
{
	struct outcome own = {.connected = -1}, bluez = {.connected = -1};
	struct side s;

	(void) state;
	if (!getenv("DBUS_SYSTEM_BUS_ADDRESS"))
		skip();
	s = (struct side){.ups = 0};
	open_own(&s);
	run(&s, &own);
	close_side(&s);
	s = (struct side){.ups = 0};
	open_bluez(&s);
	run(&s, &bluez);
	close_side(&s);

	assert_int_equal(own.connected, 0);
	assert_int_equal(bluez.connected, 0);
	assert_int_equal(own.reached, bluez.reached);
	assert_false(own.rebonded_first || bluez.rebonded_first);
	assert_int_equal(own.informed, 0);
	assert_int_equal(bluez.informed, 0);
	assert_true(own.info.identity.model[0] && own.info.n_sensors > 0);
	same_info(&own.info, &bluez.info);
	assert_int_equal(own.configured, 0);
	assert_int_equal(bluez.configured, 0);
	assert_int_equal(own.asked, 0);
	assert_int_equal(bluez.asked, 0);
	assert_true(own.answer.tlv_len > 0);
	assert_int_equal(own.answer.tlv_len, bluez.answer.tlv_len);
	assert_memory_equal(own.answer.tlv, bluez.answer.tlv, own.answer.tlv_len);
	assert_int_equal(own.timed, bluez.timed);
	assert_int_equal(own.closed, bluez.closed);
	assert_int_equal(own.again, 0);
	assert_int_equal(bluez.again, 0);
	assert_true(own.rebonded_again);
	assert_true(bluez.rebonded_again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_drivers_tell_the_same_of_a_label),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
