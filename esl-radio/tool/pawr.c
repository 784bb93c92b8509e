/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The train in a capture: what the host handed to the controller for each subevent, and what labels
 * answered in which slot. A response is opened with the key of the label whose command had that
 * slot's number in the packet before.
 */
#include "esl-radio/tool/tool.h"

#include "common/err.h"
#include "esl-radio/hci_wire.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define INDENT  "    "
#define INDENT2 "      "

static void head(struct tool_train *t, const struct tool_record *r, const char *what)
{
	/* A hostile capture may span more than an int64_t holds. */
	uint64_t us = r->time_us > t->start_us ? (uint64_t) r->time_us - (uint64_t) t->start_us : 0;

	(void) fprintf(t->out, "%zu  %" PRIu64 ".%06" PRIu64 "  %s  %s", r->number, us / 1000000,
		       us % 1000000, r->to_host ? "controller" : "host", what);
}

static void say_closed(struct tool_train *t, const char *indent, int err, size_t len)
{
	if (err == -EACCES)
		(void) fprintf(t->out, "%s%zu bytes, encrypted: no key for it\n", indent, len);
	else if (err == -ERR_CRYPTO)
		(void) fprintf(t->out, "%s%zu bytes, encrypted: not with the key given\n", indent,
			       len);
	else
		(void) fprintf(t->out, "%s%zu bytes, no ESL payload\n", indent, len);
	t->totals.closed++;
}

static void show_packet(struct tool_train *t, const struct hci_subevent_data *s)
{
	struct tool_payload p;
	uint8_t ids[ESL_COMMANDS_MAX];
	size_t n = 0;
	int r = tool_payload_open(t->keys->has_train ? &t->keys->train : NULL, s->data, s->len, &p);

	t->totals.packets++;
	if (s->subevent < ARRAY_SIZE(t->asked))
		t->asked[s->subevent].n = 0;
	if (r < 0) {
		say_closed(t, INDENT2, r, s->len);
		return;
	}
	t->totals.opened++;
	if (tool_print_packet(t->out, INDENT2, &p, ids, &n) < 0)
		t->totals.malformed++;
	if (s->subevent < ARRAY_SIZE(t->asked)) {
		memcpy(t->asked[s->subevent].ids, ids, n);
		t->asked[s->subevent].n = n;
	}
}

static void show_subevents(struct tool_train *t, struct wire *w)
{
	uint8_t handle;
	size_t n = hci_get_subevent_data(w, &handle);

	(void) fprintf(t->out, ", set %u\n", handle);
	for (size_t i = 0; i < n && wire_ok(w); i++) {
		struct hci_subevent_data s;

		hci_get_subevent_set(w, &s);
		if (!wire_ok(w))
			break;
		(void) fprintf(t->out, INDENT "subevent %u, response slots %u to %u\n", s.subevent,
			       s.slot_start, s.slot_start + s.slot_count - 1);
		show_packet(t, &s);
	}
}

static void show_params(struct tool_train *t, struct wire *w)
{
	struct hci_pa_params p;

	hci_get_pa_params(w, &p);
	if (!wire_ok(w))
		return;
	(void) fprintf(t->out,
		       ", set %u\n" INDENT
		       "interval %u.%02u to %u.%02u ms, %u subevents of %u.%02u "
		       "ms\n" INDENT "responses after %u.%02u ms, %u slots of %u.%03u ms\n",
		       p.handle, p.interval_min * 5 / 4, p.interval_min * 125 % 100,
		       p.interval_max * 5 / 4, p.interval_max * 125 % 100, p.subevents,
		       p.subevent_interval * 5 / 4, p.subevent_interval * 125 % 100,
		       p.response_delay * 5 / 4, p.response_delay * 125 % 100, p.response_slots,
		       p.response_spacing / 8, p.response_spacing * 125 % 1000);
}

static const struct ead_key *key_for(const struct tool_train *t, uint8_t subevent, uint8_t slot,
				     int *ret_id)
{
	*ret_id = -1;
	if (subevent >= ARRAY_SIZE(t->asked) || slot >= t->asked[subevent].n)
		return NULL;
	*ret_id = t->asked[subevent].ids[slot];
	return tool_keys_of(t->keys, subevent, (uint8_t) *ret_id);
}

static void show_response(struct tool_train *t, uint8_t subevent, const struct hci_response *r)
{
	struct tool_payload p;
	const struct ead_key *key;
	int id, err;

	(void) fprintf(t->out, INDENT "slot %u", r->slot);
	if (r->status == HCI_RESPONSE_FAILED) {
		(void) fprintf(t->out, ": nothing intact received\n");
		return;
	}
	t->totals.responses++;
	key = key_for(t, subevent, r->slot, &id);
	if (r->rssi != 127)
		(void) fprintf(t->out, ", %d dBm", r->rssi);
	if (id >= 0)
		(void) fprintf(t->out, ", label %d", id);
	if (r->status == HCI_RESPONSE_PARTIAL)
		(void) fprintf(t->out, ", first part");
	(void) fputc('\n', t->out);
	err = tool_payload_open(key, r->data, r->len, &p);
	if (err < 0) {
		say_closed(t, INDENT2, err, r->len);
		return;
	}
	t->totals.opened++;
	if (tool_print_responses(t->out, INDENT2, &p) < 0)
		t->totals.malformed++;
}

static void show_report(struct tool_train *t, struct wire *w)
{
	struct hci_response_report rep;

	hci_get_response_report(w, &rep);
	if (!wire_ok(w))
		return;
	(void) fprintf(t->out, ", set %u, subevent %u%s\n", rep.handle, rep.subevent,
		       rep.tx_status ? ", its data was not sent" : "");
	for (size_t i = 0; i < rep.n && wire_ok(w); i++) {
		struct hci_response r;

		hci_get_response(w, &r);
		if (wire_ok(w))
			show_response(t, rep.subevent, &r);
	}
}

static void show_request(struct tool_train *t, struct wire *w)
{
	struct hci_data_request q;

	hci_get_data_request(w, &q);
	if (wire_ok(w))
		(void) fprintf(t->out, ", set %u: %u subevents from %u\n", q.handle, q.count,
			       q.start);
}

static void show_command(struct tool_train *t, const struct tool_record *r, struct wire *w)
{
	uint16_t opcode = wire_get_u16le(w);

	wire_skip(w, 1); /* length: the record has its own */
	switch (wire_ok(w) ? opcode : 0) {
	case HCI_LE_SET_PA_SUBEVENT_DATA:
		head(t, r, "LE Set Periodic Advertising Subevent Data");
		show_subevents(t, w);
		break;
	case HCI_LE_SET_PA_PARAMS_V2:
		head(t, r, "LE Set Periodic Advertising Parameters v2");
		show_params(t, w);
		break;
	case HCI_LE_EXT_CREATE_CONNECTION_V2:
	case HCI_LE_PA_SET_INFO_TRANSFER:
	case HCI_LE_SET_PA_ENABLE:
	case HCI_RESET:
		head(t, r, hci_opcode_name(opcode));
		(void) fputc('\n', t->out);
		wire_skip(w, wire_left(w));
		break;
	default:
		if (wire_ok(w))
			wire_skip(w, wire_left(w));
	}
}

static void show_event(struct tool_train *t, const struct tool_record *r, struct wire *w)
{
	uint8_t code = wire_get_u8(w), subevent;

	wire_skip(w, 1);
	if (!wire_ok(w))
		return;
	if (code != HCI_EVT_LE_META) {
		wire_skip(w, wire_left(w));
		return;
	}
	subevent = hci_get_le_event(w);
	switch (subevent) {
	case HCI_LE_PA_SUBEVENT_DATA_REQUEST:
		head(t, r, "LE Periodic Advertising Subevent Data Request");
		show_request(t, w);
		break;
	case HCI_LE_PA_RESPONSE_REPORT:
		head(t, r, "LE Periodic Advertising Response Report");
		show_report(t, w);
		break;
	default:
		wire_skip(w, wire_left(w));
	}
}

int tool_decode_record(void *user, const struct tool_record *r)
{
	struct tool_train *t = user;
	struct wire w;

	if (t->totals.records++ == 0)
		t->start_us = r->time_us;
	wire_init(&w, r->data, r->len);
	if (r->type == H4_COMMAND)
		show_command(t, r, &w);
	else if (r->type == H4_EVENT)
		show_event(t, r, &w);
	else
		return 0;
	if (wire_finish(&w) < 0) {
		(void) fprintf(t->out, INDENT "record %zu is malformed at byte %zu of %zu\n",
			       r->number, wire_ok(&w) ? w.pos : w.at, r->len);
		t->totals.malformed++;
	}
	return ferror(t->out) ? -ERR_CLOSED : 0;
}
