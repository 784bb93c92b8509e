/* SPDX-License-Identifier: Apache-2.0 */
/* An H4 byte stream, as a host and as a controller read it. */
#include "esl-radio/le/hci_sync_wire.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What a host would pass on is what it read. */
static void fuzz_report(struct wire *w)
{
	struct hci_response_report report;
	struct hci_response list[HCI_PARAMS_MAX];
	_cleanup_buf_ struct buf out = BUF_INIT;

	hci_get_response_report(w, &report);
	for (unsigned int i = 0; i < report.n; i++) {
		hci_get_response(w, &list[i]);
		if (!wire_ok(w))
			return;
	}
	if (wire_finish(w) == 0) {
		assert(hci_put_response_report(&out, report.handle, report.subevent,
					       report.tx_status, list, report.n) == 0);
		assert(out.len == w->len + 3);
		assert(memcmp(out.data + 3, w->base, w->len) == 0);
	}
}

/** What a controller would tell is what it heard. */
static void fuzz_heard(struct wire *w)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct hci_pa_report report;

	hci_get_pa_report(w, &report);
	if (wire_finish(w) == 0) {
		assert(hci_put_pa_report(&out, &report) == 0);
		assert(out.len == w->len + 3);
		assert(memcmp(out.data + 3, w->base, w->len) == 0);
	}
}

static void fuzz_train(struct wire *w, bool handed_over)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct hci_sync sync;

	if (handed_over)
		hci_get_past_received(w, &sync);
	else
		hci_get_sync_established(w, &sync);
	if (wire_finish(w) < 0)
		return;
	if (handed_over)
		hci_put_past_received(&out, &sync);
	else
		hci_put_sync_established(&out, &sync);
	assert(out.len == w->len + 3);
	assert(memcmp(out.data + 3, w->base, w->len) == 0);
}

static void fuzz_event(const struct h4_packet *p)
{
	struct hci_command_complete complete;
	struct hci_command_status status;
	struct hci_data_request request;
	struct wire w;

	wire_init(&w, p->params, p->len);
	switch (p->event) {
	case HCI_EVT_COMMAND_COMPLETE:
		hci_get_command_complete(&w, &complete);
		break;
	case HCI_EVT_COMMAND_STATUS:
		hci_get_command_status(&w, &status);
		break;
	case HCI_EVT_LE_META:
		switch (hci_get_le_event(&w)) {
		case HCI_LE_PA_SUBEVENT_DATA_REQUEST:
			hci_get_data_request(&w, &request);
			break;
		case HCI_LE_PA_RESPONSE_REPORT:
			fuzz_report(&w);
			break;
		case HCI_LE_PA_REPORT_V2:
			fuzz_heard(&w);
			break;
		case HCI_LE_PA_SYNC_ESTABLISHED_V2:
			fuzz_train(&w, false);
			break;
		case HCI_LE_PAST_RECEIVED_V2:
			fuzz_train(&w, true);
			break;
		case HCI_LE_PA_SYNC_LOST:
			(void) hci_get_sync_lost(&w);
			break;
		}
		break;
	}
}

static void fuzz_subevent_data(struct wire *w)
{
	struct hci_subevent_data sets[HCI_SUBEVENTS_PER_CMD];
	_cleanup_buf_ struct buf out = BUF_INIT;
	uint8_t handle;
	size_t n = hci_get_subevent_data(w, &handle);

	for (size_t i = 0; i < n; i++)
		hci_get_subevent_set(w, &sets[i]);
	if (wire_finish(w) == 0) {
		assert(hci_put_subevent_data(&out, handle, sets, n) == 0);
		assert(memcmp(out.data + 4, w->base, w->len) == 0);
	}
}

static void fuzz_listener(uint16_t opcode, struct wire *w)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct hci_past_params past;
	struct hci_sync_subevent listen;
	struct hci_response_data answer;

	switch (opcode) {
	case HCI_LE_SET_PAST_PARAMS:
		hci_get_past_params(w, &past);
		hci_put_past_params(&out, &past);
		break;
	case HCI_LE_SET_DEFAULT_PAST_PARAMS:
		hci_get_default_past_params(w, &past);
		hci_put_default_past_params(&out, &past);
		break;
	case HCI_LE_PA_TERMINATE_SYNC:
		hci_put_terminate_sync(&out, hci_get_terminate_sync(w));
		break;
	case HCI_LE_SET_PA_SYNC_SUBEVENT:
		hci_get_sync_subevent(w, &listen);
		hci_put_sync_subevent(&out, &listen);
		break;
	case HCI_LE_SET_PA_RESPONSE_DATA:
		hci_get_response_data(w, &answer);
		if (hci_put_response_data(&out, &answer) < 0)
			return;
		break;
	default:
		return;
	}
	if (wire_finish(w) == 0)
		assert(out.len == w->len + 4 && memcmp(out.data + 4, w->base, w->len) == 0);
}

static void fuzz_accept(uint16_t opcode, struct wire *w)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct hci_accept who;

	hci_get_accept(w, &who);
	hci_put_accept(&out, opcode == HCI_LE_ADD_TO_ACCEPT_LIST, &who);
	if (wire_finish(w) == 0)
		assert(out.len == w->len + 4 && memcmp(out.data + 4, w->base, w->len) == 0);
}

static void fuzz_command(const struct h4_packet *p)
{
	struct hci_ext_adv_params adv;
	struct hci_adv_data data;
	struct hci_adv_enable enable;
	struct hci_random_address address;
	struct hci_create_connection call;
	struct hci_pa_params pa;
	struct wire w;

	(void) hci_opcode_name(p->opcode);
	wire_init(&w, p->params, p->len);
	fuzz_listener(p->opcode, &w);
	wire_init(&w, p->params, p->len);
	switch (p->opcode) {
	case HCI_LE_SET_EXT_ADV_PARAMS:
		hci_get_ext_adv_params(&w, &adv);
		break;
	case HCI_LE_SET_EXT_ADV_DATA:
		hci_get_ext_adv_data(&w, &data);
		break;
	case HCI_LE_SET_EXT_ADV_ENABLE:
		hci_get_ext_adv_enable(&w, &enable);
		break;
	case HCI_LE_SET_PA_ENABLE:
		hci_get_pa_enable(&w, &enable);
		break;
	case HCI_LE_SET_ADV_RANDOM_ADDRESS:
		hci_get_adv_random_address(&w, &address);
		break;
	case HCI_LE_SET_PA_PARAMS_V2:
		hci_get_pa_params(&w, &pa);
		break;
	case HCI_LE_SET_PA_SUBEVENT_DATA:
		fuzz_subevent_data(&w);
		break;
	case HCI_LE_ADD_TO_ACCEPT_LIST:
	case HCI_LE_REMOVE_FROM_ACCEPT_LIST:
		fuzz_accept(p->opcode, &w);
		break;
	case HCI_LE_EXT_CREATE_CONNECTION_V2:
		hci_get_create_connection(&w, &call);
		break;
	case HCI_LE_EXT_CREATE_CONNECTION:
		hci_get_create_connection_v1(&w, &call);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	while (size > 0) {
		struct h4_packet p;
		int n = h4_next(data, size, &p);

		if (n <= 0)
			break;
		assert((size_t) n <= size);
		if (p.type == H4_EVENT)
			fuzz_event(&p);
		else if (p.type == H4_COMMAND)
			fuzz_command(&p);
		data += n;
		size -= (size_t) n;
	}
	return 0;
}
