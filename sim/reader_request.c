/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define ROSPEC_STATE_OFFSET 9 /**< of CurrentState in a ROSpec parameter */
#define MAX_CAPABILITY      4
#define MAX_CONFIG_PART     11

struct refusal refuse_field(uint16_t parameter, int field, uint16_t error, const char *text)
{
	return (struct refusal){parameter ? LLRP_M_PARAMETER_ERROR : LLRP_M_FIELD_ERROR, parameter,
				field, error, text};
}

/* --- answers ---------------------------------------------------------------------------------- */

/** The response type of a request, or ERROR_MESSAGE for what has none. */
static uint16_t response_type(uint16_t request)
{
	switch (request) {
	case LLRP_CLOSE_CONNECTION:
		return LLRP_CLOSE_CONNECTION_RESPONSE;
	case LLRP_GET_READER_CAPABILITIES:
	case LLRP_GET_READER_CONFIG:
	case LLRP_SET_READER_CONFIG:
	case LLRP_ADD_ROSPEC:
	case LLRP_DELETE_ROSPEC:
	case LLRP_START_ROSPEC:
	case LLRP_STOP_ROSPEC:
	case LLRP_ENABLE_ROSPEC:
	case LLRP_DISABLE_ROSPEC:
	case LLRP_GET_ROSPECS:
	case LLRP_ADD_ACCESSSPEC:
	case LLRP_DELETE_ACCESSSPEC:
	case LLRP_ENABLE_ACCESSSPEC:
	case LLRP_DISABLE_ACCESSSPEC:
	case LLRP_GET_ACCESSSPECS:
	case LLRP_GET_SUPPORTED_VERSION:
	case LLRP_SET_PROTOCOL_VERSION:
		return (uint16_t) (request + 10);
	default:
		return LLRP_ERROR_MESSAGE;
	}
}

static void put_field_error(struct llrp_elem *e, const struct refusal *no)
{
	struct llrp_elem *f = llrp_add(e, LLRP_P_FIELD_ERROR);

	llrp_set(f, "FieldNum", (uint64_t) no->field);
	llrp_set(f, "ErrorCode", no->error);
}

static void put_status(struct llrp_elem *root, const struct refusal *no)
{
	struct llrp_elem *s = llrp_add_status(root, no->code, no->text ? no->text : "");
	struct llrp_elem *p;

	if (no->code == LLRP_M_FIELD_ERROR && no->field >= 0) {
		put_field_error(s, no);
	} else if (no->code == LLRP_M_PARAMETER_ERROR && no->parameter) {
		p = llrp_add(s, LLRP_P_PARAMETER_ERROR);
		llrp_set(p, "ParameterType", no->parameter);
		if (no->field >= 0) {
			llrp_set(p, "ErrorCode", LLRP_P_STATUS_FIELD_ERROR);
			put_field_error(p, no);
		} else {
			llrp_set(p, "ErrorCode", no->error);
		}
	}
}

/** The response to a request, with its status; NULL without memory. */
static struct llrp_msg *response_new(struct sim_reader *r, uint16_t request, uint32_t id,
				     const struct refusal *no)
{
	uint16_t type = response_type(request);
	struct llrp_msg *m;

	if (llrp_msg_new(type, id, &m) < 0)
		return NULL;
	if (no->code)
		r->stats.errors_sent++;
	put_status(llrp_root(m), no);
	return m;
}

static void respond(struct sim_reader *r, uint16_t request, uint32_t id, const struct refusal *no)
{
	reader_send(r, response_new(r, request, id, no));
}

/** A response whose specs follow as the bytes they came in. */
static void respond_with_raw(struct sim_reader *r, uint16_t request, uint32_t id,
			     const struct buf *raw)
{
	static const struct refusal fine = {0};
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = response_new(r, request, id, &fine);
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (!m || llrp_msg_encode(m, &out) < 0)
		return;
	buf_put(&out, raw->data, raw->len);
	if (!buf_ok(&out) || !buf_ok(raw))
		return;
	buf_patch_u32be(&out, 2, (uint32_t) out.len);
	reader_send_bytes(r, out.data, out.len);
}

/* --- what is there ---------------------------------------------------------------------------- */

static void get_specs(struct sim_reader *r, uint16_t type, uint32_t id)
{
	_cleanup_buf_ struct buf raw = BUF_INIT;

	if (type == LLRP_GET_ROSPECS) {
		for (unsigned int i = 0; i < r->n_rospecs; i++) {
			const struct rospec *s = &r->rospecs[i];
			size_t at = raw.len + ROSPEC_STATE_OFFSET;

			buf_put(&raw, s->raw, s->raw_len);
			if (buf_ok(&raw) && s->raw_len > ROSPEC_STATE_OFFSET)
				raw.data[at] = (uint8_t) s->state;
		}
	} else {
		for (unsigned int i = 0; i < r->n_accessspecs; i++)
			buf_put(&raw, r->accessspecs[i].raw, r->accessspecs[i].raw_len);
	}
	respond_with_raw(r, type, id, &raw);
}

/* --- requests --------------------------------------------------------------------------------- */

static struct refusal set_config(struct sim_reader *r, struct llrp_elem *root)
{
	struct refusal no = reader_check_config(r, root);

	if (no.code)
		return no;
	if (llrp_get(root, "ResetToFactoryDefault")) {
		rospec_delete_all(r);
		(void) accessspec_change(r, LLRP_DELETE_ACCESSSPEC, 0);
		reader_settings_default(r);
		report_reset(r);
	}
	reader_take_config(r, root);
	return no;
}

static void get_capabilities(struct sim_reader *r, struct llrp_msg *request)
{
	uint64_t what = llrp_get(llrp_root(request), "RequestedData");
	struct refusal no = {0};
	struct llrp_msg *m;

	if (what > MAX_CAPABILITY)
		no = refuse_field(0, 0, LLRP_A_INVALID, "unknown kind of capabilities");
	m = response_new(r, LLRP_GET_READER_CAPABILITIES, llrp_msg_id(request), &no);
	if (m && !no.code)
		reader_put_capabilities(r, m, (uint8_t) what);
	reader_send(r, m);
}

static void get_config(struct sim_reader *r, struct llrp_msg *request)
{
	const struct llrp_elem *root = llrp_root(request);
	uint64_t what = llrp_get(root, "RequestedData"), antenna = llrp_get(root, "AntennaID");
	struct refusal no = {0};
	struct llrp_msg *m;

	if (what > MAX_CONFIG_PART)
		no = refuse_field(0, 1, LLRP_A_INVALID, "unknown kind of configuration");
	else if (antenna > r->cfg.n_antennas)
		no = refuse_field(0, 0, LLRP_A_OUT_OF_RANGE, "no such antenna");
	m = response_new(r, LLRP_GET_READER_CONFIG, llrp_msg_id(request), &no);
	if (m && !no.code)
		reader_put_config(r, m, (uint8_t) what, (uint16_t) antenna);
	reader_send(r, m);
}

/** The manufacturer's "enable extensions"; any other custom message is not supported. */
static void custom_message(struct sim_reader *r, struct llrp_msg *request)
{
	static const uint8_t success[] = {
		LLRP_P_LLRP_STATUS >> 8, LLRP_P_LLRP_STATUS & 0xff, 0, 8, 0, 0, 0, 0};
	static const struct refusal unsupported = {LLRP_M_UNSUPPORTED_MESSAGE, 0, -1, 0,
						   "a custom message of another maker"};
	const struct llrp_elem *root = llrp_root(request);
	struct llrp_msg *m;

	if (!r->cfg.impinj || llrp_get(root, "VendorIdentifier") != LLRP_VENDOR_IMPINJ ||
	    llrp_get(root, "MessageSubtype") != LLRP_IMPINJ_MSG_ENABLE_EXTENSIONS) {
		respond(r, LLRP_CUSTOM_MESSAGE, llrp_msg_id(request), &unsupported);
		return;
	}
	r->extensions = true;
	if (llrp_msg_new(LLRP_CUSTOM_MESSAGE, llrp_msg_id(request), &m) < 0)
		return;
	llrp_set(llrp_root(m), "VendorIdentifier", LLRP_VENDOR_IMPINJ);
	llrp_set(llrp_root(m), "MessageSubtype", LLRP_IMPINJ_MSG_ENABLE_EXTENSIONS_RESPONSE);
	llrp_set_bytes(llrp_root(m), "Data", success, sizeof success);
	reader_send(r, m);
}

/* --- versions (LLRP 1.1, 9) ------------------------------------------------------------------- */

static void get_supported_version(struct sim_reader *r, uint32_t id)
{
	static const struct refusal fine = {0};
	struct llrp_msg *m = response_new(r, LLRP_GET_SUPPORTED_VERSION, id, &fine);

	if (!m)
		return;
	llrp_msg_set_version(m, LLRP_VERSION_1_1);
	llrp_set(llrp_root(m), "CurrentVersion", r->version);
	llrp_set(llrp_root(m), "SupportedVersion", r->cfg.version);
	reader_send(r, m);
}

static void set_protocol_version(struct sim_reader *r, struct llrp_msg *request)
{
	uint64_t version = llrp_get(llrp_root(request), "ProtocolVersion");
	struct refusal no = {0};
	struct llrp_msg *m;

	if (r->version_set)
		no = (struct refusal){LLRP_M_UNEXPECTED_MESSAGE, 0, -1, 0,
				      "the version was set already"};
	else if (version < LLRP_VERSION_1 || version > r->cfg.version)
		no = (struct refusal){LLRP_M_UNSUPPORTED_VERSION, 0, -1, 0,
				      "this reader does not speak that version"};
	m = response_new(r, LLRP_SET_PROTOCOL_VERSION, llrp_msg_id(request), &no);
	if (m)
		llrp_msg_set_version(m, LLRP_VERSION_1_1);
	if (!no.code) {
		r->version = (uint8_t) version;
		r->version_set = true;
	}
	reader_send(r, m);
}

static void close_connection(struct sim_reader *r, uint32_t id)
{
	static const struct refusal fine = {0};

	respond(r, LLRP_CLOSE_CONNECTION, id, &fine);
	reader_client_gone(r);
}

/** Requests that change specs or configuration; false if `m` is none of them. */
static bool spec_request(struct sim_reader *r, struct llrp_msg *m, const uint8_t *frame, size_t len,
			 struct refusal *ret_no, bool *ret_taken)
{
	uint16_t type = llrp_msg_type(m);
	uint32_t spec = (uint32_t) (type >= LLRP_DELETE_ROSPEC && type <= LLRP_DISABLE_ROSPEC
					    ? llrp_get(llrp_root(m), "ROSpecID")
					    : 0);

	switch (type) {
	case LLRP_ADD_ROSPEC:
		*ret_no = rospec_add(r, m, frame, len, ret_taken);
		return true;
	case LLRP_DELETE_ROSPEC:
		*ret_no = rospec_delete(r, spec);
		return true;
	case LLRP_START_ROSPEC:
		*ret_no = rospec_start(r, spec);
		return true;
	case LLRP_STOP_ROSPEC:
		*ret_no = rospec_stop(r, spec);
		return true;
	case LLRP_ENABLE_ROSPEC:
		*ret_no = rospec_enable(r, spec);
		return true;
	case LLRP_DISABLE_ROSPEC:
		*ret_no = rospec_disable(r, spec);
		return true;
	case LLRP_ADD_ACCESSSPEC:
		*ret_no = accessspec_add(r, m, frame, len, ret_taken);
		return true;
	case LLRP_DELETE_ACCESSSPEC:
	case LLRP_ENABLE_ACCESSSPEC:
	case LLRP_DISABLE_ACCESSSPEC:
		*ret_no = accessspec_change(r, type,
					    (uint32_t) llrp_get(llrp_root(m), "AccessSpecID"));
		return true;
	case LLRP_SET_READER_CONFIG:
		*ret_no = set_config(r, llrp_root(m));
		return true;
	default:
		return false;
	}
}

static void dispatch(struct sim_reader *r, struct llrp_msg *m)
{
	static const struct refusal unsupported = {LLRP_M_UNSUPPORTED_MESSAGE, 0, -1, 0,
						   "not a message for a reader"};
	uint16_t type = llrp_msg_type(m);
	uint32_t id = llrp_msg_id(m);

	switch (type) {
	case LLRP_GET_READER_CAPABILITIES:
		get_capabilities(r, m);
		break;
	case LLRP_GET_READER_CONFIG:
		get_config(r, m);
		break;
	case LLRP_GET_ROSPECS:
	case LLRP_GET_ACCESSSPECS:
		get_specs(r, type, id);
		break;
	case LLRP_GET_REPORT:
		report_release(r);
		report_flush(r, true);
		break;
	case LLRP_ENABLE_EVENTS_AND_REPORTS:
		report_release(r);
		break;
	case LLRP_KEEPALIVE_ACK:
		r->keepalives_missed = 0;
		break;
	case LLRP_CLOSE_CONNECTION:
		close_connection(r, id);
		break;
	case LLRP_CUSTOM_MESSAGE:
		custom_message(r, m);
		break;
	case LLRP_GET_SUPPORTED_VERSION:
		get_supported_version(r, id);
		break;
	case LLRP_SET_PROTOCOL_VERSION:
		set_protocol_version(r, m);
		break;
	case LLRP_ERROR_MESSAGE: /* never answered */
		break;
	default:
		respond(r, LLRP_ERROR_MESSAGE, id, &unsupported);
	}
}

/** A message this reader does not speak the version of, or does not know. */
static bool refused_by_header(struct sim_reader *r, const struct llrp_header *h)
{
	static const struct refusal version = {LLRP_M_UNSUPPORTED_VERSION, 0, -1, 0,
					       "not the version of this connection"};
	bool negotiates =
		h->type == LLRP_GET_SUPPORTED_VERSION || h->type == LLRP_SET_PROTOCOL_VERSION;
	struct llrp_msg *m;

	/* These two are of 1.1 whatever the connection is. */
	if (negotiates && r->cfg.version >= LLRP_VERSION_1_1 ? h->version == LLRP_VERSION_1_1
							     : h->version == r->version)
		return false;
	if (h->type == LLRP_ERROR_MESSAGE)
		return true;
	m = response_new(r, LLRP_ERROR_MESSAGE, h->id, &version);
	if (m)
		llrp_msg_set_version(m, h->version);
	reader_send(r, m);
	return true;
}

void reader_request(struct sim_reader *r, const uint8_t *frame, size_t len)
{
	struct llrp_msg *m = NULL;
	struct llrp_header h;
	struct llrp_diag diag = {0};
	struct refusal no = {0};
	bool taken = false;
	int e;

	if (llrp_header_decode(frame, len, &h) < 0 || refused_by_header(r, &h))
		return;
	e = llrp_msg_decode(frame, len, &m, &diag);
	if (e == 0)
		e = llrp_msg_validate(m, &diag);
	if (e < 0) {
		llrp_msg_free(m);
		if (h.type == LLRP_ERROR_MESSAGE)
			return;
		no = (struct refusal){diag.status ? diag.status : LLRP_R_DEVICE_ERROR,
				      diag.parameter, -1, 0, llrp_status_str(diag.status)};
		respond(r, e == -ERR_VERSION ? LLRP_ERROR_MESSAGE : h.type, h.id, &no);
		return;
	}
	/* What a start sets off (an event, a first report) leaves after its answer. */
	r->corked = h.type == LLRP_ENABLE_ROSPEC || h.type == LLRP_START_ROSPEC;
	if (spec_request(r, m, frame, len, &no, &taken)) {
		r->corked = false;
		respond(r, h.type, h.id, &no);
		reader_uncork(r);
	} else {
		dispatch(r, m);
	}
	if (!taken)
		llrp_msg_free(m);
}
