/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/led_budget.h"

#include "common/err.h"
#include <string.h>

#define HOUR_S 3600
#define DAY_S  (24 * HOUR_S)

/** True if `n` have begun within the last `span_s`. What is to come was a wrong clock's. */
static bool within(const struct led_budget *b, unsigned int n, int64_t utc_us, int64_t span_s)
{
	int64_t ago_s = b->n < n ? -1 : utc_us / US_PER_SEC - b->at_s[b->n - n];

	return ago_s >= 0 && ago_s < span_s;
}

bool led_budget_spent(const struct led_budget *b, int64_t utc_us)
{
	return within(b, LED_FLASHES_PER_HOUR, utc_us, HOUR_S) ||
	       within(b, LED_FLASHES_PER_DAY, utc_us, DAY_S);
}

void led_budget_pay(struct led_budget *b, int64_t utc_us)
{
	if (b->n == LED_FLASHES_PER_DAY)
		memmove(b->at_s, b->at_s + 1, --b->n * sizeof(b->at_s[0]));
	b->at_s[b->n++] = (uint32_t) (utc_us / US_PER_SEC);
}

void led_budget_put(const struct led_budget *b, int64_t utc_us, struct buf *out)
{
	unsigned int from = 0, n = b ? b->n : 0;

	while (utc_us && from < n && utc_us / US_PER_SEC - b->at_s[from] >= DAY_S)
		from++;
	buf_put_u8(out, (uint8_t) (n - from));
	for (unsigned int i = from; i < n; i++)
		buf_put_u32be(out, b->at_s[i]);
}

void led_budget_get(struct led_budget *b, struct wire *w)
{
	uint8_t n = wire_get_u8(w);

	b->n = 0;
	if (n > LED_FLASHES_PER_DAY)
		wire_fail(w, -ERR_CORRUPT);
	while (n-- > 0 && wire_ok(w))
		b->at_s[b->n++] = wire_get_u32be(w);
}
