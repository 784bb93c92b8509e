/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A guest's controller in virtual time, packet by packet: one host of ours on the access point's
 * controller, one on the guest's (another for a second guest), and what each has heard.
 */
#pragma once

#include "tests/unit/test_common.h"

#include "esl-radio/le/hci_conn_wire.h"
#include "sim/guest.h"
#include <string.h>

#define EVENTS    512
#define SUBEVENTS 8
#define SUB_US    (60 * US_PER_MS)
#define TRAIN_US  (800 * US_PER_MS)
#define NO_EVENT  0xff

enum {
	SET_ADV_PARAMS = 0x2006,
	SET_ADV_DATA = 0x2008,
	SET_ADV_ENABLE = 0x200a,
	SET_SCAN_RESPONSE = 0x2038,
	SET_RECEIVE_ENABLE = 0x2059,
	TERMINATE_SYNC = 0x2046,
	SET_PAST = 0x205c,
	SET_DEFAULT_PAST = 0x205d,
	SET_RESPONSE = 0x2083,
	SET_SUBEVENTS = 0x2084,
	PAST_V1 = 0x18,
	PAST_V2 = 0x26,
	REPORT_V1 = 0x0f,
	REPORT_V2 = 0x25,
	SYNC_LOST = 0x10,
	SET_ENDED = 0x12,
};

struct event {
	uint8_t code, le; /**< le: subevent code of a meta event */
	uint8_t len, data[HCI_PARAMS_MAX];
};

/** A host, and all that it has heard. */
struct end {
	int fd;
	uint8_t in[32768];
	size_t in_len;
	uint16_t completed;
	uint8_t status;
	struct event events[EVENTS];
	size_t n;
	struct hci_acl acl;
	uint8_t acl_data[1100];
	unsigned int acls;
	bool closed;
};

struct guest_air {
	struct loop *loop;
	struct sim_radio *radio;
	struct sim_guest *guest, *second;
	struct end ap, label, other;
	int64_t now_us;
	/* The access point's host gives this to subevent 2 whenever it is asked. */
	uint8_t data[248], data_len;
	bool has_data;
};

extern struct guest_air f;

void say(struct end *e, struct buf *b);
void pass(int64_t us);
uint8_t command(struct end *e, struct buf *b);
uint8_t ask(struct end *e, uint16_t opcode, const void *params, size_t len);
/** The last such event, NULL if there was none; `le` NO_EVENT = no meta event. */
const struct event *heard(const struct end *e, uint8_t code, uint8_t le);
const struct event *heard_le(const struct end *e, uint8_t le);
unsigned int heard_times(const struct end *e, uint8_t le);
void forget(struct end *e);
void set_masks(struct end *e, uint64_t le);
void attach(struct end *e, struct sim_guest *guest);
void open_air(void);
void close_air(void);
void set_up(struct end *e, uint8_t handle, uint16_t properties);
uint8_t put_data(struct end *e, uint8_t handle, const void *data, size_t len);
void advertise(struct end *e);
void scan(bool active);
void connect_to(struct sim_guest *g, uint8_t subevent);
/** Yields the link's handle; it is the same at both ends. */
uint16_t connected(void);
void encrypt(uint16_t handle, uint8_t key);
uint8_t reply(uint16_t handle, uint8_t key);
void start_train(void);
void transfer(uint16_t handle);
/** Connected, in step, and listening to subevent 2; yields the link's handle. */
uint16_t in_step(void);
/** Until the next report of the guest's subevent, which it yields. */
const struct event *next_report(void);

/** A command with these bytes; yields its status. */
#define ASK(e, opcode, ...)                                                                        \
	ask(e, opcode, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
