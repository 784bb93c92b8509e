/* SPDX-License-Identifier: Apache-2.0 */
/* The radio as a person looks at it: gathered when somebody asks, from what the engine knows. */
#include "esl-radio/engine.h"
#include "esl-radio/hci_channels.h"
#include "esl-radio/packer.h"
#include "esl-radio/plan.h"

#include <stdio.h>

_Static_assert(ESL_GROUPS_AT_MOST == ESL_GROUPS_MAX && ESL_DATA_CHANNELS == HCI_DATA_CHANNELS,
	       "sizes differ");

#define SIGNAL_FIRST_DBM (-95)
#define SIGNAL_STEP_DB   5

/** Makers of controllers that send trains, by their assigned number. */
static const char *company_name(uint16_t company)
{
	static const struct {
		uint16_t company;
		const char *name;
	} names[] = {
		{0x0002, "Intel"},
		{0x000d, "Texas Instruments"},
		{0x000f, "Broadcom"},
		{0x001d, "Qualcomm"},
		{0x0030, "STMicroelectronics"},
		{0x0046, "MediaTek"},
		{0x0059, "Nordic Semiconductor"},
		{0x005d, "Realtek"},
		{0x0131, "Cypress"},
		{0x0211, "Telink"},
		{0x02e5, "Espressif"},
		{0x02ff, "Silicon Laboratories"},
		{0x05f1, "Zephyr"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].company == company)
			return names[i].name;
	return NULL;
}

static const char *core_name(uint8_t version)
{
	static const char *const names[] = {
		[6] = "4.0",  [7] = "4.1",  [8] = "4.2",  [9] = "5.0",  [10] = "5.1",
		[11] = "5.2", [12] = "5.3", [13] = "5.4", [14] = "6.0", [15] = "6.1"};

	return version < ARRAY_SIZE(names) && names[version] ? names[version] : "?";
}

static void name_controller(const struct hci_version *v, char *to, size_t cap)
{
	const char *company = company_name(v->company);

	if (company)
		(void) snprintf(to, cap, "%s, Bluetooth %s, firmware %04x", company,
				core_name(v->hci), v->lmp_subversion);
	else
		(void) snprintf(to, cap, "maker %04x, Bluetooth %s, firmware %04x", v->company,
				core_name(v->hci), v->lmp_subversion);
}

/** 127 and 0 are no measurements. */
static void count_signal(const struct esl_label *l, struct esl_radio_view *ret)
{
	int step = (l->rssi_dbm - SIGNAL_FIRST_DBM + SIGNAL_STEP_DB) / SIGNAL_STEP_DB;

	if (l->rssi_dbm == 127 || l->rssi_dbm == 0)
		return;
	if (l->rssi_dbm < SIGNAL_FIRST_DBM)
		step = 0;
	ret->signal[MIN(step, ESL_SIGNAL_STEPS - 1)]++;
}

static bool waits(const struct esl_engine *e, const struct esl_label *l)
{
	int next, now = esl_wish_now(e, l, &next);

	return now >= 0 && !esl_is_shown(l, l->wishes[now].image);
}

void esl_view_get(const struct esl_engine *e, struct esl_radio_view *ret)
{
	struct hci_channels_state channels = {0};
	struct esl_label *l;

	ret->train = e->train;
	ret->capacity = e->train.subevents * ESL_IDS_PER_GROUP;
	ret->armed = e->armed;
	ret->armed_us = e->armed_us;
	if (e->channels) {
		hci_channels_get(e->channels, &channels);
		ret->channels_known = channels.known;
		ret->channels = channels.map;
		ret->channels_refused = channels.refused;
	}
	(void) snprintf(ret->driver, sizeof(ret->driver), "%s", e->driver ? e->driver : "");
	if (e->host && hci_host_version(e->host))
		name_controller(hci_host_version(e->host), ret->controller,
				sizeof(ret->controller));
	ret->groups = e->train.subevents;
	for (unsigned int g = 0; g < e->train.subevents; g++)
		ret->group[g] = (uint8_t) MIN(e->groups[g].n, 255u);
	ESL_LABELS_FOREACH(e, i, l)
	{
		ret->waiting += waits(e, l);
		ret->lost += l->phase == ESL_PHASE_LOST;
		if (l->phase == ESL_PHASE_SYNCED)
			count_signal(l, ret);
	}
}
