/* SPDX-License-Identifier: Apache-2.0 */
/* What one decoder of an LE link understands comes out of its encoder as the same bytes. The first
 * byte chooses the protocol. */
#include "common/err.h"
#include "esl-radio/le/att_wire.h"
#include "esl-radio/le/l2cap_wire.h"
#include "esl-radio/le/ots_wire.h"
#include "esl-radio/le/smp_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void try_att(const uint8_t *data, size_t len)
{
	uint8_t out[1024];
	struct att_pdu p;
	int n;

	if (len > sizeof(out) || att_decode(data, len, &p) < 0)
		return;
	n = att_encode(&p, len, out, sizeof(out));
	must(n >= 0 && (size_t) n == len && memcmp(out, data, len) == 0);
}

static void try_smp(const uint8_t *data, size_t len)
{
	uint8_t out[SMP_MAX];
	struct smp_pdu p;
	int n;

	if (smp_decode(data, len, &p) < 0)
		return;
	n = smp_encode(&p, out);
	must(n >= 0 && (size_t) n == len && memcmp(out, data, len) == 0);
}

static void try_l2cap(const uint8_t *data, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct l2cap_signal s;

	if (l2cap_get_signal(data, len, &s) < 0)
		return;
	must(l2cap_put_signal(&b, &s) == 0);
	/* what a rejected command had to say is not kept */
	if (s.code != L2CAP_REJECT)
		must(b.len == len + L2CAP_HEADER && memcmp(b.data + L2CAP_HEADER, data, len) == 0);
}

static void try_ots(const uint8_t *data, size_t len)
{
	uint8_t out[OTS_CONTROL_MAX];
	struct ots_control c;
	int n;

	if (ots_decode(data, len, &c) < 0)
		return;
	n = ots_encode(&c, out);
	must(n >= 0 && (size_t) n <= len && memcmp(out, data, (size_t) n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const uint8_t *, size_t) = {try_att, try_smp, try_l2cap,
								 try_ots};

	if (size > 0)
		tries[data[0] % ARRAY_SIZE(tries)](data + 1, size - 1);
	return 0;
}
