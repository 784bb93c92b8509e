/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_state.h"
#include <stdio.h>
#include <string.h>

static const char *const texts[LABEL_STATE_COUNT] = {
	"unlinked", "pending", "sending", "shown", "error", "lost",
};

const char *label_state_text(enum label_state state)
{
	return (unsigned int) state < LABEL_STATE_COUNT ? texts[state] : "";
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return a && b && memcmp(a, b, IMAGE_HASH_BYTES) == 0;
}

static enum label_state unlinked(const struct label_facts *f, char *reason)
{
	if (f->retired)
		snprintf(reason, LABEL_REASON_MAX,
			 "Another label has taken its place; linking it puts it to use again.");
	else if (f->lost)
		snprintf(reason, LABEL_REASON_MAX, "Not linked to a product, and not heard: %s",
			 f->text);
	else if (!f->adopted)
		snprintf(reason, LABEL_REASON_MAX,
			 "Not linked to a product; linking it also adopts it.");
	else
		snprintf(reason, LABEL_REASON_MAX, "Not linked to a product.");
	return LABEL_UNLINKED;
}

static enum label_state on_its_way(const struct label_facts *f, char *reason)
{
	if (same(f->wanted, f->sent))
		snprintf(reason, LABEL_REASON_MAX,
			 "The command to show it is out; the label has not answered yet.");
	else if (same(f->wanted, f->staged))
		snprintf(reason, LABEL_REASON_MAX, "The picture is on the label, not visible yet.");
	else if (!f->agent_online)
		snprintf(reason, LABEL_REASON_MAX,
			 "Access point %s has the picture but cannot be reached now.", f->agent);
	else
		snprintf(reason, LABEL_REASON_MAX, "Access point %s is sending the picture.",
			 f->agent);
	return LABEL_STATE_SENDING;
}

static enum label_state waiting(const struct label_facts *f, char *reason)
{
	if (!f->has_size)
		snprintf(reason, LABEL_REASON_MAX,
			 "The size of its display is not known until the label answers.");
	else if (f->drawing || !f->wanted)
		snprintf(reason, LABEL_REASON_MAX, "Its picture is being made.");
	else if (!f->adopted)
		snprintf(reason, LABEL_REASON_MAX, "No access point takes care of this label yet.");
	else if (!f->agent_online)
		snprintf(reason, LABEL_REASON_MAX, "Access point %s is offline.", f->agent);
	else
		snprintf(reason, LABEL_REASON_MAX,
			 "Waiting for access point %s to take the picture.", f->agent);
	return LABEL_STATE_PENDING;
}

enum label_state label_state_of(const struct label_facts *f, char reason[LABEL_REASON_MAX])
{
	reason[0] = 0;
	if (!f->linked)
		return unlinked(f, reason);
	if (f->lost) {
		snprintf(reason, LABEL_REASON_MAX, "%s",
			 f->text && f->text[0] ? f->text : "The label has not answered for long.");
		return LABEL_STATE_LOST;
	}
	if (!f->drawing && f->grade > 0 && same(f->wanted, f->shown))
		return LABEL_STATE_SHOWN;
	if (f->error) {
		snprintf(reason, LABEL_REASON_MAX, "%s",
			 f->text && f->text[0] ? f->text : "The label could not take the picture.");
		return LABEL_STATE_ERROR;
	}
	if (!f->drawing && f->wanted && f->adopted &&
	    (f->agent_has_wish || same(f->wanted, f->sent) || same(f->wanted, f->staged)))
		return on_its_way(f, reason);
	return waiting(f, reason);
}
