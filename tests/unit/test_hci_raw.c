/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/hci_raw.h"
#include "common/kernel_bt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void adapters_have_the_names_of_the_system(void **state)
{
	(void) state;
	assert_int_equal(hci_raw_adapter("hci0"), 0);
	assert_int_equal(hci_raw_adapter("hci12"), 12);
	assert_int_equal(hci_raw_adapter("hci999"), 999);
	assert_int_equal(hci_raw_adapter("hci1000"), -ERR_SYNTAX);
	assert_int_equal(hci_raw_adapter("hci"), -ERR_SYNTAX);
	assert_int_equal(hci_raw_adapter("hci1x"), -ERR_SYNTAX);
	assert_int_equal(hci_raw_adapter("hci-1"), -ERR_SYNTAX);
	assert_int_equal(hci_raw_adapter("usb0"), -ERR_SYNTAX);
}

/** What is understood of a message as the kernel would send it. */
static uint16_t news(const uint8_t *message, size_t n)
{
	int ends[2];
	uint16_t what;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(write(ends[1], message, n), n);
	what = hci_raw_news(ends[0], 0x0102);
	close(ends[0]);
	close(ends[1]);
	return what;
}

static void news_of_an_adapter_are_told_from_anothers(void **state)
{
	/* Event, "stack internal", its length, device, what, which. */
	const uint8_t down[] = {0x04, 0xfd, 6, 1, 0, 4, 0, 0x02, 0x01};
	const uint8_t others[] = {0x04, 0xfd, 6, 1, 0, 4, 0, 0x03, 0x01};
	const uint8_t no_device[] = {0x04, 0xfd, 6, 2, 0, 4, 0, 0x02, 0x01};
	const uint8_t an_event[] = {0x04, 0x0e, 6, 1, 0, 4, 0, 0x02, 0x01};

	(void) state;
	assert_int_equal(news(down, sizeof(down)), KBT_STACK_DOWN);
	assert_int_equal(news(others, sizeof(others)), 0);
	assert_int_equal(news(no_device, sizeof(no_device)), 0);
	assert_int_equal(news(an_event, sizeof(an_event)), 0);
	for (size_t n = 1; n < sizeof(down); n++)
		assert_int_equal(news(down, n), 0);
	assert_int_equal(hci_raw_news(-1, 0x0102), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adapters_have_the_names_of_the_system),
		cmocka_unit_test(news_of_an_adapter_are_told_from_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
