/* SPDX-License-Identifier: Apache-2.0 */
/* The byte stream of the controller as a btsnoop file, for tools that know Bluetooth. */
#include "common/err.h"
#include "sim/hci_port.h"

#include <errno.h>
#include <string.h>

#define BTSNOOP_H4 1002u
#define EPOCH_US   INT64_C(62168256000000000) /* from the year 0, where the format counts from */

int hci_port_capture(struct hci_port *p, const char *path)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	p->capture = fopen(path, "we");
	if (!p->capture)
		return -errno;
	buf_put(&b, "btsnoop", 8);
	buf_put_u32be(&b, 1);
	buf_put_u32be(&b, BTSNOOP_H4);
	return buf_ok(&b) && fwrite(b.data, b.len, 1, p->capture) == 1 ? 0 : -EIO;
}

void hci_capture(struct hci_port *p, bool to_host, const uint8_t *packet, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool control = packet[0] != H4_ACL;

	if (!p->capture)
		return;
	buf_put_u32be(&b, (uint32_t) len);
	buf_put_u32be(&b, (uint32_t) len);
	buf_put_u32be(&b, (uint32_t) to_host | (uint32_t) control << 1);
	buf_put_u32be(&b, 0);
	buf_put_u64be(&b, (uint64_t) (clock_real_us(p->clock) + EPOCH_US));
	buf_put(&b, packet, len);
	if (buf_ok(&b))
		ignore_result(fwrite(b.data, b.len, 1, p->capture));
}
