/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/difference_json.h"
#include <stdio.h>
#include <string.h>

#define DURATION_MAX 32

/* "40 s", "12 min", "5 h", "3 d": what a person says. */
static const char *duration(int64_t us, char buf[DURATION_MAX])
{
	int64_t s = MAX(us, 0) / US_PER_SEC;

	if (s < 120)
		snprintf(buf, DURATION_MAX, "%lld s", (long long) s);
	else if (s < 2 * 3600)
		snprintf(buf, DURATION_MAX, "%lld min", (long long) (s / 60));
	else if (s < 48 * 3600)
		snprintf(buf, DURATION_MAX, "%lld h", (long long) (s / 3600));
	else
		snprintf(buf, DURATION_MAX, "%lld d", (long long) (s / 86400));
	return buf;
}

static void missing(const struct view_row *row, int64_t now_us, char *buf)
{
	char longest[DURATION_MAX], more[64] = "";

	if (row->never_heard > 0)
		snprintf(more, sizeof more, " %lld more were never heard.",
			 (long long) row->never_heard);
	snprintf(buf, REASON_TEXT_MAX, "%lld not seen and not sold, %s%s.%s",
		 (long long) row->missing, row->missing > 1 ? "the longest for " : "for ",
		 duration(now_us - row->missing_since_us, longest), more);
}

static void untagged(const struct view_row *row, char *buf)
{
	if (row->ever == 0)
		snprintf(buf, REASON_TEXT_MAX, "%lld expected, and no tag of it was ever heard.",
			 (long long) row->f.expected);
	else
		snprintf(buf, REASON_TEXT_MAX,
			 "%lld of %lld were never heard: without a tag, or not there.",
			 (long long) row->never_heard, (long long) row->f.expected);
}

static void surplus(const struct view_row *row, char *buf)
{
	if (row->f.expected < 0)
		snprintf(buf, REASON_TEXT_MAX, "%lld seen, and by the books %lld less than none.",
			 (long long) row->f.seen, (long long) -row->f.expected);
	else
		snprintf(buf, REASON_TEXT_MAX, "%lld more than expected.",
			 (long long) row->f.difference);
}

const char *reason_text(const struct view_row *row, int64_t now_us, char buf[REASON_TEXT_MAX])
{
	char ago[DURATION_MAX];

	switch ((enum rec_reason) row->reason) {
	case REC_MISSING:
		missing(row, now_us, buf);
		break;
	case REC_LEFT_UNSOLD:
		snprintf(buf, REASON_TEXT_MAX, "%lld last seen at an exit and not sold, %s ago.",
			 (long long) row->missing, duration(now_us - row->missing_last_us, ago));
		break;
	case REC_NOT_YET_FED:
		snprintf(buf, REASON_TEXT_MAX, "%lld just went; the till may still tell.",
			 (long long) row->pending);
		break;
	case REC_UNTAGGED:
		untagged(row, buf);
		break;
	case REC_SOLD_STILL_SEEN:
		if (row->sold_seen > 0)
			snprintf(buf, REASON_TEXT_MAX, "%lld sold and still seen.",
				 (long long) row->sold_seen);
		else
			snprintf(buf, REASON_TEXT_MAX,
				 "%lld sold by GTIN, and no item has gone for them.",
				 (long long) row->unmatched);
		break;
	case REC_DELIVERY_OPEN:
		snprintf(buf, REASON_TEXT_MAX,
			 "%lld more than expected; a delivery of %lld is not received yet.",
			 (long long) row->f.difference, (long long) row->open);
		break;
	case REC_SURPLUS:
		surplus(row, buf);
		break;
	case REC_MISPLACED:
		snprintf(buf, REASON_TEXT_MAX, "The sum is right, the places are not.");
		break;
	case REC_NO_BOOK:
		snprintf(buf, REASON_TEXT_MAX, "%lld seen, and no book figure.",
			 (long long) row->f.seen);
		break;
	case REC_UNKNOWN_PRODUCT:
		snprintf(buf, REASON_TEXT_MAX, "%lld tags of a GTIN that no product has.",
			 (long long) row->f.seen);
		break;
	case REC_FOREIGN:
		snprintf(buf, REASON_TEXT_MAX, "%lld tags that name no GTIN: %s.",
			 (long long) row->f.seen, row->name ? row->name : "unknown");
		break;
	default:
		snprintf(buf, REASON_TEXT_MAX, "Seen and expected agree.");
		break;
	}
	return buf;
}
