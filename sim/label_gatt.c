/* SPDX-License-Identifier: Apache-2.0 */
/* A label's attributes, and the server that answers for them (Vol 3 Part F 3.4, Part G 3 and 4). */
#include "common/err.h"
#include "sim/label_database.h"
#include "sim/label_host_impl.h"

#include <string.h>

#define UUID_PRIMARY        0x2800
#define UUID_CHARACTERISTIC 0x2803
#define UUID_SWITCH         0x2902
#define UUID_NAME           0x2a00

enum attr_kind {
	ATTR_SERVICE,
	ATTR_DECLARATION,
	ATTR_VALUE,
	ATTR_SWITCH,
};

/** One attribute; its handle is its place in the table, counted from 1, and those of the label's
 * own services lie farther back by what its firmware chose (sim_label_model.handle_shift). */
static const struct attr {
	enum attr_kind kind;
	uint16_t uuid; /**< of the service or the value */
	uint8_t properties;
	enum label_value value;
} attrs[] = {
#define CHARACTERISTIC(uuid, properties, value)                                                    \
	{ATTR_DECLARATION, uuid, properties, value},                                               \
	{                                                                                          \
		ATTR_VALUE, uuid, properties, value                                                \
	}
#define SWITCHED(uuid, properties, value)                                                          \
	CHARACTERISTIC(uuid, properties, value),                                                   \
	{                                                                                          \
		ATTR_SWITCH, UUID_SWITCH, PROP_READ | PROP_WRITE, value                            \
	}
#define SERVICE(uuid)                                                                              \
	{                                                                                          \
		ATTR_SERVICE, uuid, 0, VALUE_NONE                                                  \
	}
	SERVICE(0x1800),
	CHARACTERISTIC(UUID_NAME, PROP_READ, VALUE_NAME),
	SERVICE(0x1801),
	SWITCHED(0x2a05, PROP_INDICATE, VALUE_SERVICE_CHANGED),
	CHARACTERISTIC(0x2b2a, PROP_READ, VALUE_DATABASE_HASH),
	LABEL_SERVICES(SERVICE, CHARACTERISTIC, SWITCHED),
};

#define LAST  ((uint16_t) ARRAY_SIZE(attrs))
#define FIXED 9 /* attributes of 0x1800 and 0x1801, which stay where they are */

static uint16_t shift_of(const struct label_host *h)
{
	struct sim_label_view v;

	sim_label_get(h->service.label, &v);
	return v.model.handle_shift;
}

static uint16_t handle_at(const struct label_host *h, uint16_t i)
{
	return (uint16_t) (i + 1 + (i >= FIXED ? shift_of(h) : 0));
}

static uint16_t last_handle(const struct label_host *h)
{
	return handle_at(h, LAST - 1);
}

static const struct attr *attr_at(const struct label_host *h, uint16_t handle)
{
	uint16_t shift = shift_of(h);

	if (handle > FIXED)
		handle = handle > FIXED + shift ? (uint16_t) (handle - shift) : 0;
	return handle >= 1 && handle <= LAST ? &attrs[handle - 1] : NULL;
}

static uint16_t service_end(const struct label_host *h, uint16_t handle)
{
	uint16_t i = (uint16_t) (attr_at(h, handle) - attrs);

	while (i + 1 < LAST && attrs[i + 1].kind != ATTR_SERVICE)
		i++;
	return handle_at(h, i);
}

/** What an attribute's type is on the wire. */
static uint16_t type_of(const struct attr *a)
{
	static const uint16_t types[] = {[ATTR_SERVICE] = UUID_PRIMARY,
					 [ATTR_DECLARATION] = UUID_CHARACTERISTIC,
					 [ATTR_SWITCH] = UUID_SWITCH};

	return a->kind == ATTR_VALUE ? a->uuid : types[a->kind];
}

/* --- sending ---------------------------------------------------------------------------------- */

static void say(struct label_host *h, const struct att_pdu *p)
{
	uint8_t out[ATT_MTU_MAX];
	struct att_pdu cut = *p;
	int n;

	if (p->op == ATT_READ_RSP || p->op == ATT_READ_BLOB_RSP)
		cut.len = MIN(p->len, (size_t) h->mtu - 1);
	n = att_encode(&cut, h->mtu, out, sizeof(out));
	if (n > 0)
		host_send(h, ATT_CID, out, (size_t) n);
}

static void refuse(struct label_host *h, const struct att_pdu *rq, uint16_t handle, uint8_t error)
{
	say(h, &(struct att_pdu){
		       .op = ATT_ERROR_RSP, .request = rq->op, .handle = handle, .error = error});
}

void host_tell(struct label_host *h, enum label_value value, const uint8_t *data, size_t len)
{
	for (uint16_t i = 0; i < LAST; i++)
		if (attrs[i].kind == ATTR_VALUE && attrs[i].value == value &&
		    (h->service.bond->switched & 1u << value))
			say(h, &(struct att_pdu){.op = attrs[i].properties & PROP_NOTIFY
							       ? ATT_NOTIFY
							       : ATT_INDICATE,
						 .handle = handle_at(h, i),
						 .value = data,
						 .len = len});
}

/* --- values ----------------------------------------------------------------------------------- */

static bool absent(const struct label_host *h, const struct attr *a)
{
	return label_service_absent(&h->service, a->value);
}

static void put_hash(struct label_host *h, struct buf *b);

static void put_attr(struct label_host *h, uint16_t handle, struct buf *b)
{
	const struct attr *a = attr_at(h, handle);

	switch (a->kind) {
	case ATTR_SERVICE:
		buf_put_u16le(b, a->uuid);
		break;
	case ATTR_DECLARATION:
		buf_put_u8(b, a->properties);
		buf_put_u16le(b, (uint16_t) (handle + 1));
		buf_put_u16le(b, a->uuid);
		break;
	case ATTR_VALUE:
		if (a->value == VALUE_DATABASE_HASH)
			put_hash(h, b);
		else
			label_service_read(&h->service, a->value, b);
		break;
	case ATTR_SWITCH:
		buf_put_u16le(b, (h->service.bond->switched & 1u << a->value) != 0);
		break;
	}
}

/* Over what a client would discover. */
static void put_hash(struct label_host *h, struct buf *b)
{
	_cleanup_buf_ struct buf message = BUF_INIT;
	uint8_t hash[DATABASE_HASH_BYTES];
	bool lie = sim_label_trouble(h->service.label, SIM_TROUBLE_HASH);

	for (uint16_t i = 0; i < LAST; i++) {
		_cleanup_buf_ struct buf one = BUF_INIT;

		if (absent(h, &attrs[i]))
			continue;
		if (attrs[i].kind == ATTR_SERVICE || attrs[i].kind == ATTR_DECLARATION)
			put_attr(h, handle_at(h, i), &one);
		database_add(&message, lie ? i : handle_at(h, i), type_of(&attrs[i]), one.data,
			     lie ? 0 : one.len);
	}
	database_hash(&message, hash);
	for (size_t i = sizeof(hash); i > 0; i--)
		buf_put_u8(b, hash[i - 1]);
}

void host_bonded(struct label_host *h)
{
	h->service.bond->switched = 0;
	h->service.bond->handle_shift = shift_of(h);
}

/** A bonded client that knew another database hears of it (Vol 3 Part G 7.1). */
void host_tell_changed(struct label_host *h)
{
	static const uint8_t all[4] = {0x01, 0x00, 0xff, 0xff};
	uint16_t shift = shift_of(h);

	if (!h->encrypted || h->service.bond->handle_shift == shift)
		return;
	h->service.bond->handle_shift = shift;
	h->service.bond->switched &= 1u << VALUE_SERVICE_CHANGED; /* they were kept by handle */
	host_tell(h, VALUE_SERVICE_CHANGED, all, sizeof(all));
}

/* --- permissions ------------------------------------------------------------------------------ */

/** Everything of the two services wants an encrypted link; the name may be read by anybody. */
static uint8_t may(const struct label_host *h, const struct attr *a, uint8_t property)
{
	if (!a || absent(h, a))
		return ATT_ERR_INVALID_HANDLE;
	if (a->kind == ATTR_SERVICE || a->kind == ATTR_DECLARATION)
		return property == PROP_READ ? 0 : ATT_ERR_WRITE_NOT_PERMITTED;
	if (!(a->properties & property))
		return property == PROP_READ ? ATT_ERR_READ_NOT_PERMITTED
					     : ATT_ERR_WRITE_NOT_PERMITTED;
	return a->value != VALUE_NAME && a->value != VALUE_DATABASE_HASH && !h->encrypted
		       ? ATT_ERR_ENCRYPTION
		       : 0;
}

/* --- requests --------------------------------------------------------------------------------- */

static bool range_is_wrong(struct label_host *h, const struct att_pdu *rq)
{
	if (rq->handle != 0 && rq->handle <= rq->end)
		return false;
	refuse(h, rq, rq->handle, ATT_ERR_INVALID_HANDLE);
	return true;
}

/* Elements of equal size, as many as fit. */
static void answer_list(struct label_host *h, const struct att_pdu *rq, uint8_t op, uint8_t format,
			const struct buf *b)
{
	if (b->len == 0)
		refuse(h, rq, rq->handle, ATT_ERR_NOT_FOUND);
	else
		say(h,
		    &(struct att_pdu){.op = op, .format = format, .value = b->data, .len = b->len});
}

static void on_find_by_value(struct label_host *h, const struct att_pdu *rq)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	h->service.bond->searches++;
	for (uint16_t i = rq->handle; i <= MIN(rq->end, last_handle(h)); i++) {
		const struct attr *a = attr_at(h, i);

		if (!a || a->kind != ATTR_SERVICE || rq->type != UUID_PRIMARY || rq->len != 2 ||
		    a->uuid != att_get_uuid(rq->value, 2) || b.len + 5 > h->mtu)
			continue;
		buf_put_u16le(&b, i);
		buf_put_u16le(&b, service_end(h, i));
	}
	answer_list(h, rq, ATT_FIND_BY_VALUE_RSP, 0, &b);
}

static void on_read_by_group(struct label_host *h, const struct att_pdu *rq)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (uint16_t i = rq->handle; i <= MIN(rq->end, last_handle(h)); i++) {
		if (!attr_at(h, i) || attr_at(h, i)->kind != ATTR_SERVICE ||
		    att_get_uuid(rq->value, rq->len) != UUID_PRIMARY || b.len + 8 > h->mtu)
			continue;
		buf_put_u16le(&b, i);
		buf_put_u16le(&b, service_end(h, i));
		buf_put_u16le(&b, attr_at(h, i)->uuid);
	}
	answer_list(h, rq, ATT_READ_BY_GROUP_RSP, 6, &b);
}

/* Declarations, and any value asked for by its type: elements are of one size. */
static void on_read_by_type(struct label_host *h, const struct att_pdu *rq)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint16_t type = att_get_uuid(rq->value, rq->len);
	size_t size = 0;

	for (uint16_t i = rq->handle; i <= MIN(rq->end, last_handle(h)); i++) {
		_cleanup_buf_ struct buf one = BUF_INIT;

		if (!attr_at(h, i) || type_of(attr_at(h, i)) != type ||
		    may(h, attr_at(h, i), PROP_READ))
			continue;
		put_attr(h, i, &one);
		if ((size && one.len != size) || b.len + 4 + one.len > h->mtu)
			break;
		size = one.len;
		buf_put_u16le(&b, i);
		buf_put(&b, one.data, one.len);
	}
	answer_list(h, rq, ATT_READ_BY_TYPE_RSP, (uint8_t) (size + 2), &b);
}

static void on_find_info(struct label_host *h, const struct att_pdu *rq)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (uint16_t i = rq->handle; i <= MIN(rq->end, last_handle(h)) && b.len + 6 <= h->mtu;
	     i++) {
		if (!attr_at(h, i) || absent(h, attr_at(h, i)))
			continue;
		buf_put_u16le(&b, i);
		buf_put_u16le(&b, type_of(attr_at(h, i)));
	}
	answer_list(h, rq, ATT_FIND_INFO_RSP, 1, &b);
}

static void on_read(struct label_host *h, const struct att_pdu *rq)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint8_t error = may(h, attr_at(h, rq->handle), PROP_READ);
	struct att_pdu answer = {.op = att_answer_of(rq->op)};

	if (!error) {
		put_attr(h, rq->handle, &b);
		if (rq->offset > b.len)
			error = ATT_ERR_INVALID_OFFSET;
	}
	if (error) {
		refuse(h, rq, rq->handle, error);
		return;
	}
	answer.value = b.data + rq->offset;
	answer.len = b.len - rq->offset;
	if (answer.len > 1 && sim_label_trouble(h->service.label, SIM_TROUBLE_VALUE))
		answer.len = 1;
	say(h, &answer);
}

static uint8_t write_attr(struct label_host *h, uint16_t handle, const uint8_t *data, size_t len)
{
	const struct attr *a = attr_at(h, handle);

	if (a->kind != ATTR_SWITCH)
		return label_service_write(&h->service, a->value, data, len);
	if (len != 2)
		return ATT_ERR_INVALID_LENGTH;
	h->service.bond->switched &= ~(1u << a->value);
	if (data[0])
		h->service.bond->switched |= 1u << a->value;
	return 0;
}

static void on_write(struct label_host *h, const struct att_pdu *rq)
{
	const struct attr *a = attr_at(h, rq->handle);
	bool command = rq->op == ATT_WRITE_CMD;
	uint8_t error = may(h, a, command ? PROP_COMMAND : PROP_WRITE);

	/* The answer goes first: what is written may end the link or speak up by itself. */
	if (!error && !command && a->kind == ATTR_VALUE &&
	    (a->value == VALUE_CONTROL || a->value == VALUE_OACP || a->value == VALUE_OLCP)) {
		say(h, &(struct att_pdu){.op = ATT_WRITE_RSP});
		ignore_result(write_attr(h, rq->handle, rq->value, rq->len));
		return;
	}
	if (!error)
		error = write_attr(h, rq->handle, rq->value, rq->len);
	if (command)
		return;
	if (error)
		refuse(h, rq, rq->handle, error);
	else
		say(h, &(struct att_pdu){.op = ATT_WRITE_RSP});
}

static void on_prepare(struct label_host *h, const struct att_pdu *rq)
{
	uint8_t error = may(h, attr_at(h, rq->handle), PROP_WRITE);
	bool wrong;

	if (!error && h->queue.len > 0 && h->queue_handle != rq->handle)
		error = ATT_ERR_PREPARE_QUEUE_FULL;
	if (!error && rq->offset > 0 && sim_label_trouble(h->service.label, SIM_TROUBLE_PREPARE))
		error = ATT_ERR_PREPARE_QUEUE_FULL;
	if (!error && rq->offset != h->queue.len)
		error = ATT_ERR_INVALID_OFFSET;
	if (!error && h->queue.len + rq->len > HOST_QUEUE_MAX)
		error = ATT_ERR_PREPARE_QUEUE_FULL;
	if (error) {
		refuse(h, rq, rq->handle, error);
		return;
	}
	wrong = sim_label_trouble(h->service.label, SIM_TROUBLE_ECHO);
	h->queue_handle = rq->handle;
	buf_put(&h->queue, rq->value, rq->len);
	say(h, &(struct att_pdu){.op = ATT_PREPARE_RSP,
				 .handle = rq->handle,
				 .offset = (uint16_t) (rq->offset + wrong),
				 .value = rq->value,
				 .len = rq->len});
}

static void on_execute(struct label_host *h, const struct att_pdu *rq)
{
	uint8_t error = 0;

	if (rq->flags && h->queue.len > 0)
		error = write_attr(h, h->queue_handle, h->queue.data, h->queue.len);
	buf_clear(&h->queue);
	if (error)
		refuse(h, rq, h->queue_handle, error);
	else
		say(h, &(struct att_pdu){.op = ATT_EXECUTE_RSP});
}

static void on_mtu(struct label_host *h, const struct att_pdu *rq)
{
	struct sim_label_view v;
	uint16_t most;

	sim_label_get(h->service.label, &v);
	most = v.model.att_mtu ? v.model.att_mtu : HOST_MTU;
	say(h, &(struct att_pdu){.op = ATT_MTU_RSP, .mtu = most});
	h->mtu = MAX(MIN(rq->mtu, most), (uint16_t) ATT_MTU_LEAST);
}

void host_att_packet(struct label_host *h, const uint8_t *data, size_t len)
{
	static const struct {
		uint8_t op;
		bool range;
		void (*fn)(struct label_host *h, const struct att_pdu *rq);
	} requests[] = {
		{ATT_MTU_REQ, false, on_mtu},
		{ATT_FIND_BY_VALUE_REQ, true, on_find_by_value},
		{ATT_READ_BY_GROUP_REQ, true, on_read_by_group},
		{ATT_READ_BY_TYPE_REQ, true, on_read_by_type},
		{ATT_FIND_INFO_REQ, true, on_find_info},
		{ATT_READ_REQ, false, on_read},
		{ATT_READ_BLOB_REQ, false, on_read},
		{ATT_WRITE_REQ, false, on_write},
		{ATT_WRITE_CMD, false, on_write},
		{ATT_PREPARE_REQ, false, on_prepare},
		{ATT_EXECUTE_REQ, false, on_execute},
	};
	struct att_pdu rq;
	int r = att_decode(data, len, &rq);

	host_tell_changed(h);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(requests); i++)
		if (requests[i].op == rq.op) {
			if (!requests[i].range || !range_is_wrong(h, &rq))
				requests[i].fn(h, &rq);
			return;
		}
	if (r == 0 && rq.op == ATT_CONFIRM)
		return;
	if (!(rq.op & 0x40)) /* a command that is not known is ignored */
		refuse(h, &rq, 0, r == -ERR_BADMSG ? ATT_ERR_INVALID_PDU : ATT_ERR_NOT_SUPPORTED);
}
