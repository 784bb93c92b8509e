/* SPDX-License-Identifier: Apache-2.0 */
/* A host beside a kernel's Bluetooth stack: the test plays both the kernel's raw socket and, on it,
 * the kernel. In virtual time, without any Bluetooth. */
#include "esl-radio/bluez/hci_keep.h"
#include "esl-radio/bluez/raw_port.h"
#include "esl-radio/esl_radio.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PAWR   (UINT64_C(1) << HCI_LE_FEATURE_PAWR_ADVERTISER)
#define KERNEL UINT64_C(0x000a1e7f) /* a kernel's LE event mask, as heard from one */

struct fake_port {
	struct hci_port base;
	int refuse;
	int ends[2];
};

struct bench {
	struct loop *loop;
	struct fake_port *port;
	struct hci_host *host;
	struct hci_keep *keep;
	struct esl_radio *radio;
	int kernel; /* the socket's other end */
	unsigned int opened, ups, downs, cleared;
	uint8_t packet[HCI_COMMAND_MAX];
	char text[ESL_TEXT_MAX];
};

static struct bench *the_bench;

static int fake_open(struct hci_port *base, const char **ret_text)
{
	struct fake_port *p = (struct fake_port *) base;

	if (p->refuse) {
		*ret_text = "The Bluetooth adapter is off.";
		return -p->refuse;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, p->ends), 0);
	if (the_bench->kernel >= 0)
		close(the_bench->kernel);
	the_bench->kernel = p->ends[1];
	the_bench->opened++;
	return p->ends[0];
}

static void fake_free(struct hci_port *base)
{
	free(base);
}

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

static void on_request(void *user, uint8_t start, uint8_t count)
{
	(void) user;
	(void) start;
	(void) count;
}

static void on_response(void *user, uint8_t subevent, uint8_t slot, int8_t rssi,
			const uint8_t *data, size_t len)
{
	(void) user;
	(void) subevent;
	(void) slot;
	(void) rssi;
	(void) data;
	(void) len;
}

static void on_cleared(void *user)
{
	((struct bench *) user)->cleared++;
}

static void run(struct bench *b, int64_t us)
{
	loop_run_until(b->loop, clock_mono_us(loop_clock(b->loop)) + us);
}

/** The next command that came out of the socket, 0 if none. A message is one packet. */
static uint16_t command(struct bench *b, struct wire *params)
{
	struct h4_packet p;
	ssize_t n;

	run(b, US_PER_MS);
	n = read(b->kernel, b->packet, sizeof(b->packet));
	if (n <= 0)
		return 0;
	assert_int_equal(h4_next(b->packet, (size_t) n, &p), n);
	assert_int_equal(p.type, H4_COMMAND);
	if (params)
		wire_init(params, p.params, p.len);
	return p.opcode;
}

static void to_host(struct bench *b, const struct buf *packet)
{
	assert_int_equal(write(b->kernel, packet->data, packet->len), packet->len);
	run(b, US_PER_MS);
}

static void complete(struct bench *b, uint16_t opcode, uint8_t status, const void *more, size_t len)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_put_command_complete(&out, &(struct hci_command_complete){.credits = 1,
								      .opcode = opcode,
								      .status = status,
								      .more = more,
								      .more_len = len});
	to_host(b, &out);
}

/** The kernel sends a command of its own, which the socket lets us hear. */
static void kernel_says(struct bench *b, uint16_t opcode, const void *params, uint8_t len)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_put_command(&out, opcode, params, len);
	to_host(b, &out);
}

static const uint8_t features[8] = {0x21, 0x30, 0, 0x01, 0, PAWR >> 40, 0, 0};

static void supported(uint8_t commands[64])
{
	memset(commands, 0, 64);
	commands[27] = 0x24; /* connection update, remote features */
	commands[37] = 0xe0; /* extended scanning and connecting */
}

/** Answers everything up to a train that runs; yields the LE event mask that was set. */
static uint64_t bring_up(struct bench *b)
{
	uint64_t mask = 0;
	uint8_t commands[64], tx = 8, handle = HCI_TRAIN_HANDLE;
	struct wire w;
	uint16_t opcode;

	supported(commands);
	while ((opcode = command(b, &w))) {
		assert_int_not_equal(opcode, HCI_RESET);
		assert_int_not_equal(opcode, HCI_SET_EVENT_MASK);
		if (opcode == HCI_LE_SET_EVENT_MASK)
			mask = wire_get_u64le(&w);
		if (opcode == HCI_READ_LOCAL_COMMANDS)
			complete(b, opcode, HCI_OK, commands, sizeof(commands));
		else if (opcode == HCI_LE_READ_LOCAL_FEATURES)
			complete(b, opcode, HCI_OK, features, sizeof(features));
		else if (opcode == HCI_LE_SET_EXT_ADV_PARAMS)
			complete(b, opcode, HCI_OK, &tx, 1);
		else if (opcode == HCI_LE_SET_PA_PARAMS_V2)
			complete(b, opcode, HCI_OK, &handle, 1);
		else
			complete(b, opcode, HCI_OK, NULL, 0);
	}
	return mask;
}

static void bench_open(struct bench *b)
{
	static const struct hci_port_ops ops = {fake_open, fake_free};
	static const struct esl_radio_callbacks cb = {on_up, on_down, on_request, on_response};
	const struct esl_train train = {1248, 26, 48, 34, 6, 23};

	*b = (struct bench){.kernel = -1};
	the_bench = b;
	b->port = calloc(1, sizeof(*b->port));
	assert_non_null(b->port);
	b->port->base.ops = &ops;
	assert_int_equal(loop_new_virtual(US_PER_SEC, 0, &b->loop), 0);
	assert_int_equal(hci_host_new_shared(b->loop, &b->port->base, &b->host), 0);
	assert_int_equal(hci_keep_new(b->loop, b->host, HCI_TRAIN_HANDLE, on_cleared, b, &b->keep),
			 0);
	assert_int_equal(esl_radio_h4_over(b->loop, b->host, &b->radio), 0);
	assert_int_equal(b->radio->ops->start(b->radio, &train, &cb, b), 0);
	run(b, US_PER_MS);
}

static void bench_close(struct bench *b)
{
	b->radio->ops->free(b->radio);
	hci_keep_free(b->keep);
	hci_host_unref(b->host);
	loop_free(b->loop);
	if (b->kernel >= 0)
		close(b->kernel);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void train_starts_without_a_reset_and_leaves_the_kernel_its_events(void **state)
{
	struct bench b;
	uint64_t mask;

	(void) state;
	bench_open(&b);
	mask = bring_up(&b);
	assert_int_equal(b.ups, 1);
	/* Long term keys, data length, sets terminated, connections and advertisements: by what the
	 * controller can do, a kernel has asked for them. */
	for (unsigned int i = 0; i < 5; i++) {
		static const uint8_t events[] = {0x05, 0x07, 0x12, 0x0a, 0x0d};

		assert_true(mask & HCI_LE_MASK(events[i]));
	}
	assert_true(mask & HCI_LE_MASK(HCI_LE_PA_SUBEVENT_DATA_REQUEST));
	assert_true(mask & HCI_LE_MASK(HCI_LE_PA_RESPONSE_REPORT));
	assert_false(mask & HCI_LE_MASK(HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2));
	bench_close(&b);
}

static void mask_that_the_kernel_was_heard_to_set_is_kept(void **state)
{
	const uint8_t kernels[8] = {0x7f, 0x1e, 0x0a};
	struct bench b;
	uint64_t mask;

	(void) state;
	bench_open(&b);
	bring_up(&b);
	kernel_says(&b, HCI_LE_SET_EVENT_MASK, kernels, sizeof(kernels));
	assert_int_equal(b.downs, 1); /* the train's events are masked now */
	run(&b, US_PER_SEC);
	assert_int_equal(b.opened, 2);
	mask = bring_up(&b);
	assert_int_equal(b.ups, 2);
	assert_int_equal(mask, KERNEL | HCI_LE_MASK(HCI_LE_PA_SUBEVENT_DATA_REQUEST) |
				       HCI_LE_MASK(HCI_LE_PA_RESPONSE_REPORT));
	bench_close(&b);
}

static void answer_to_the_kernel_is_not_taken_for_ours(void **state)
{
	struct bench b;
	const uint8_t off[6] = {1, 1, 0};

	(void) state;
	bench_open(&b);
	/* Version first: its answer is held back while the kernel asks for the same. */
	assert_int_equal(command(&b, NULL), HCI_READ_LOCAL_VERSION);
	kernel_says(&b, HCI_READ_LOCAL_VERSION, off, 0);
	complete(&b, HCI_READ_LOCAL_VERSION, HCI_ERR_UNSPECIFIED, NULL, 0);
	assert_int_equal(command(&b, NULL), 0); /* not a step further */
	complete(&b, HCI_READ_LOCAL_VERSION, HCI_OK, NULL, 0);
	assert_int_equal(command(&b, NULL), HCI_READ_LOCAL_COMMANDS);
	bench_close(&b);
}

static void set_that_the_kernel_pauses_is_enabled_again(void **state)
{
	const uint8_t all_off[2] = {0, 0}, other_off[6] = {0, 1, 3, 0, 0, 0};
	struct bench b;
	struct wire w;

	(void) state;
	bench_open(&b);
	bring_up(&b);
	kernel_says(&b, HCI_LE_SET_EXT_ADV_ENABLE, other_off, sizeof(other_off));
	complete(&b, HCI_LE_SET_EXT_ADV_ENABLE, HCI_OK, NULL, 0);
	run(&b, US_PER_SEC);
	assert_int_equal(command(&b, NULL), 0); /* another set is the kernel's own affair */
	kernel_says(&b, HCI_LE_SET_EXT_ADV_ENABLE, all_off, sizeof(all_off));
	complete(&b, HCI_LE_SET_EXT_ADV_ENABLE, HCI_OK, NULL, 0);
	run(&b, US_PER_SEC);
	assert_int_equal(command(&b, &w), HCI_LE_SET_EXT_ADV_ENABLE);
	assert_int_equal(wire_get_u8(&w), 1);
	assert_int_equal(wire_get_u8(&w), 1);
	assert_int_equal(wire_get_u8(&w), HCI_TRAIN_HANDLE);
	assert_int_equal(b.downs, 0); /* the train itself went on */
	assert_int_equal(hci_keep_repairs(b.keep), 1);
	bench_close(&b);
}

static void kernel_that_clears_all_sets_has_its_way(void **state)
{
	static const uint16_t expected[] = {HCI_LE_SET_EXT_ADV_ENABLE, HCI_LE_SET_PA_ENABLE,
					    HCI_LE_REMOVE_ADV_SET};
	struct bench b;

	(void) state;
	bench_open(&b);
	bring_up(&b);
	kernel_says(&b, HCI_LE_CLEAR_ADV_SETS, NULL, 0);
	complete(&b, HCI_LE_CLEAR_ADV_SETS, HCI_ERR_COMMAND_DISALLOWED, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(command(&b, NULL), expected[i]);
		complete(&b, expected[i], HCI_OK, NULL, 0);
	}
	assert_int_equal(b.cleared, 1);
	assert_int_equal(b.opened, 1);
	run(&b, 7 * US_PER_SEC); /* it rests, then comes back by itself */
	assert_int_equal(b.opened, 2);
	bring_up(&b);
	assert_int_equal(b.ups, 2);
	bench_close(&b);
}

static void adapter_that_is_off_is_waited_for(void **state)
{
	struct bench b;

	(void) state;
	bench_open(&b);
	bring_up(&b);
	b.port->refuse = ENETDOWN;
	hci_host_fault(b.host, -ENETDOWN, "off");
	run(&b, 20 * US_PER_SEC);
	assert_int_equal(b.opened, 1);
	assert_string_equal(b.text, "The Bluetooth adapter is off.");
	b.port->refuse = 0;
	hci_host_hurry(b.host); /* the kernel has told that it is back */
	run(&b, US_PER_MS);
	assert_int_equal(b.opened, 2);
	bring_up(&b);
	assert_int_equal(b.ups, 2);
	bench_close(&b);
}

static void what_was_said_last_goes_out_at_the_end(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct h4_packet p;
	unsigned int n = 0;
	struct bench b;

	(void) state;
	bench_open(&b);
	(void) bring_up(&b);
	hci_put_command(&out, HCI_LE_READ_LOCAL_FEATURES, NULL, 0);
	for (int i = 0; i < 10; i++) /* none is answered, and there is room for some */
		assert_int_equal(hci_host_command(b.host, &out, NULL, NULL), 0);
	b.radio->ops->free(b.radio);
	hci_keep_free(b.keep);
	hci_host_unref(b.host);
	for (ssize_t len; (len = read(b.kernel, b.packet, sizeof(b.packet))) > 0; n++) {
		assert_int_equal(h4_next(b.packet, (size_t) len, &p), len);
		assert_int_equal(p.opcode, HCI_LE_READ_LOCAL_FEATURES);
	}
	assert_int_equal(n, 10);
	close(b.kernel);
	loop_free(b.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(train_starts_without_a_reset_and_leaves_the_kernel_its_events),
		cmocka_unit_test(mask_that_the_kernel_was_heard_to_set_is_kept),
		cmocka_unit_test(answer_to_the_kernel_is_not_taken_for_ours),
		cmocka_unit_test(set_that_the_kernel_pauses_is_enabled_again),
		cmocka_unit_test(kernel_that_clears_all_sets_has_its_way),
		cmocka_unit_test(adapter_that_is_off_is_waited_for),
		cmocka_unit_test(what_was_said_last_goes_out_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
