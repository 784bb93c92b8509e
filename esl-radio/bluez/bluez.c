/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/bluez.h"

#include "common/err.h"
#include "common/hci_raw.h"
#include "esl-radio/bluez/raw_port.h"
#include <errno.h>
#include <string.h>

bool esl_bluez_is_address(const char *address)
{
	return strncmp(address, ESL_BLUEZ_PREFIX, strlen(ESL_BLUEZ_PREFIX)) == 0;
}

int esl_bluez_check(const char *address)
{
	int r = esl_bluez_is_address(address) ? hci_raw_adapter(address + strlen(ESL_BLUEZ_PREFIX))
					      : -ERR_SYNTAX;

#ifndef HAVE_DBUS
	if (r >= 0)
		r = -ENOTSUP;
#endif
	return MIN(r, 0);
}

int esl_bluez_host_new(struct loop *loop, const char *address, struct hci_host **ret)
{
	int adapter = esl_bluez_is_address(address)
			      ? hci_raw_adapter(address + strlen(ESL_BLUEZ_PREFIX))
			      : -ERR_SYNTAX;
	struct hci_port *port;
	int r;

	if (adapter < 0)
		return adapter;
	r = raw_port_new(loop, (uint16_t) adapter, &port);
	return r < 0 ? r : hci_host_new_shared(loop, port, ret);
}

#ifndef HAVE_DBUS
int esl_link_bluez_over(struct loop *loop, struct hci_host *host, const char *address,
			struct esl_link **ret)
{
	(void) loop;
	(void) host;
	(void) address;
	(void) ret;
	return -ENOTSUP;
}
#endif
