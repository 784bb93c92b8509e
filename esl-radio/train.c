/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/bluez.h"
#include "esl-radio/engine.h"
#include "esl-radio/hci_host.h"

#include "common/err.h"
#include <stdio.h>

void esl_train_defaults(struct esl_train *t)
{
	if (t->interval == 0)
		t->interval = 1248;
	if (t->subevents == 0)
		t->subevents = 26;
	if (t->subevent_interval == 0)
		t->subevent_interval = 48;
	if (t->response_delay == 0)
		t->response_delay = 34;
	if (t->response_spacing == 0)
		t->response_spacing = 6;
	if (t->response_slots == 0)
		t->response_slots = 23;
}

int esl_train_check(const struct esl_train *t, char why[ESL_TEXT_MAX])
{
	struct esl_train full = *t;
	unsigned int window, slots;

	esl_train_defaults(&full);
	why[0] = '\0';
	/* In eighths of a millisecond: 1.25 ms is 10 of them, 0.125 ms one. */
	window = 10u * full.subevent_interval - 10u * full.response_delay;
	slots = (unsigned int) full.response_slots * full.response_spacing;
	if (full.interval < 6)
		(void) snprintf(why, ESL_TEXT_MAX, "The train's interval must be 7.5 ms or more.");
	else if (full.subevents > ESL_GROUPS_MAX)
		(void) snprintf(why, ESL_TEXT_MAX, "A train has at most 128 subevents.");
	else if (full.subevent_interval < 6)
		(void) snprintf(why, ESL_TEXT_MAX, "A subevent must be 7.5 ms or longer.");
	else if (full.subevents * full.subevent_interval > full.interval)
		(void) snprintf(why, ESL_TEXT_MAX,
				"The subevents are longer together than the train's interval.");
	else if (full.response_delay >= full.subevent_interval)
		(void) snprintf(why, ESL_TEXT_MAX, "The answers' delay passes the subevent's end.");
	else if (full.response_delay > 254)
		(void) snprintf(why, ESL_TEXT_MAX, "The answers' delay must be below 318 ms.");
	else if (full.response_spacing < 2)
		(void) snprintf(why, ESL_TEXT_MAX, "Answer slots must be 0.25 ms apart or more.");
	else if (slots > window)
		(void) snprintf(
			why, ESL_TEXT_MAX,
			"The answer slots do not fit between their delay and the subevent's end.");
	return why[0] ? -ERR_RANGE : 0;
}

int esl_hci_check(const char *address)
{
	return esl_bluez_is_address(address) ? esl_bluez_check(address) : hci_port_check(address);
}
