/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside of the connected driver over bluetoothd:
 *
 *     link_bluez.c    the adapter, what is missing, and the table of the seam
 *     scan_bluez.c    scanning for labels that advertise
 *     pair_agent.c    who answers bluetoothd's questions about pairing
 *     visit_bluez.c   one visit: its beginning, its jobs' limits, its end
 *     call_bluez.c    how its connection comes about, one after the other
 *     pair_bluez.c    bond and services, and a label that has no key of ours
 *     handles_bluez.c connections that nobody holds any more
 *     known_bluez.c   labels that were bonded once
 *     gatt_bluez.c    one read or write over it
 *     identity_bluez.c    what model it is
 *     work_bluez.c    what is read and written over it
 *     image_bluez.c   pictures
 */
#pragma once

#include "common/bus.h"
#include "esl-radio/bluez/bluez.h"
#include "esl-radio/bluez/hci_keep.h"
#include "esl-radio/bluez/objects.h"
#include "esl-radio/bluez/ots_socket.h"
#include "esl-radio/esl_radio.h"
#include "esl-radio/le/ots_resume.h"

#define BLUEZ_SERVICE     "org.bluez"
#define BLUEZ_ADAPTER1    "org.bluez.Adapter1"
#define BLUEZ_DEVICE1     "org.bluez.Device1"
#define BLUEZ_GATT1       "org.bluez.GattCharacteristic1"
#define BLUEZ_AGENT       "org.bluez.Agent1"
#define BLUEZ_AGENTS      "org.bluez.AgentManager1"
#define BLUEZ_PROPERTIES  "org.freedesktop.DBus.Properties"
#define BLUEZ_AGENT_PATH  "/org/gondola/agent"
#define BLUEZ_VISITS_MAX  8
#define BLUEZ_HANDLES_MAX 16
#define BLUEZ_NO_HANDLE   0xffff
#define BLUEZ_VALUE_MAX   512
#define BLUEZ_ASK_US      (INT64_C(15) * US_PER_SEC) /**< bluetoothd answers by then */
#define BLUEZ_AGAIN_US    (INT64_C(2) * US_PER_SEC)  /**< between two tries of what was refused */
#define BLUEZ_SECURE_US   (INT64_C(40) * US_PER_SEC) /**< bond, services, switches */
#define BLUEZ_REST_US     US_PER_SEC                 /**< after a connection given up */

enum visit_stage {
	VISIT_WAITING,    /**< for its turn to call the label through the train */
	VISIT_CONNECTING, /**< the controller or bluetoothd tries */
	VISIT_SECURING,   /**< connected: the bond, the services */
	VISIT_SWITCHING,  /**< what speaks up by itself is turned on */
	VISIT_READY,
	VISIT_LEAVING, /**< told to go, or sent away */
};

struct bluez_link;

/** A label that is being connected to, or is. */
struct visit {
	struct bluez_link *k;
	uint8_t addr[ESL_ADDR_BYTES];
	uint8_t subevent, esl_id;
	enum visit_stage stage;
	uint64_t order; /**< of those who wait */
	uint16_t handle;
	bool linked; /**< the controller or bluetoothd has a connection */
	struct bus_call *connect, *pair, *told, *call;
	struct loop_timer *deadline, *retry;
	bool new_key;   /**< paired on this connection */
	bool going;     /**< the label was told to go: bluetoothd's word of it may come last */
	bool sent_away; /**< bluetoothd was told to end it */
	int64_t wait_until_us; /**< for its turn */

	/* the job under way */
	esl_link_done_fn done;
	void *done_user;
	struct esl_link_result res;
	unsigned int at;
	int late_err; /**< of what could not begin */
	struct esl_link_config config;
	void (*got)(struct visit *v, int err, const uint8_t *data, size_t len);
	void (*synced)(struct visit *v, int err);
	uint8_t sync_tries;

	/* control point */
	uint8_t tlv[ESL_TLV_MAX];
	uint8_t tlv_len; /**< 0 = nothing is asked */
	bool tlv_written;
	void (*answered)(struct visit *v, int err);

	/* model */
	void (*identified)(struct visit *v);
	bool choosing; /**< the first object, for its type */

	/* picture */
	struct ots_socket *channel;
	struct buf picture;
	size_t picture_at;        /**< what goes over the channel begins here */
	struct ots_resume resume; /**< what the label may have of it already */
	uint8_t image;
	bool sending; /**< and not all of it is handed to the controller */
	bool truncate, announced;
};

struct bluez_known_label {
	uint8_t addr[ESL_ADDR_BYTES];
	bool random; /**< kind of its address */
	bool reset;  /**< its bond was worth nothing, and it has not been configured since */
};

/** Labels that were bonded once, by address. */
struct bluez_known {
	struct bluez_known_label *labels;
	size_t count, cap;
};

/** A connection to a label, as the controller counts it. */
struct bluez_handle {
	bool used;
	bool alone; /**< no visit was about it when it was looked at last */
	uint16_t handle;
	uint8_t addr[ESL_ADDR_BYTES];
};

struct bluez_link {
	struct esl_link base;
	struct hci_driver driver;
	struct hci_host *host;
	struct hci_keep *keep;
	struct loop *loop;
	struct esl_link_callbacks cb;
	void *user;
	struct bus *bus;
	struct bluez_objects *objects;
	struct bus_call *asking; /**< for objects, the agent or power: one after the other */
	struct bus_call *scan;
	struct loop_timer *off;    /**< the adapter was to be switched off, and could not */
	struct loop_timer *rest;   /**< after a connection that was given up */
	struct loop_timer *settle; /**< looks what is missing, from the loop */
	struct loop_timer *look;   /**< for connections that nobody holds */
	bool host_up, up;
	char told[ESL_TEXT_MAX]; /**< why it is down, as was told last */
	bool have_objects, have_agent, power_asked;
	bool scan_wanted, filter_set;
	bool scanning; /**< for us */
	enum {
		SCAN_FILTER,
		SCAN_START,
		SCAN_STOP
	} scan_asked;
	uint64_t orders;
	struct bluez_known known;
	struct ots_partials partials;
	bool forgets; /**< this label's bond, when it has rested */
	uint8_t forget[ESL_ADDR_BYTES];
	struct visit *calling; /**< the one that is being connected to */
	struct visit *visits[BLUEZ_VISITS_MAX];
	struct bluez_handle handles[BLUEZ_HANDLES_MAX];
};

/* --- link_bluez.c ----------------------------------------------------------------------------- */

/** Looks soon what is missing for the link to work, and does the next thing about it. */
void bluez_link_settle(struct bluez_link *k);
struct visit *bluez_visit_find(struct bluez_link *k, const uint8_t *addr);

/* --- scan_bluez.c ----------------------------------------------------------------------------- */

/** Brings bluetoothd's scanning to what is wanted. That it scans at all says nothing: it may do so
 * for somebody else, or for an earlier life of ours that it has not buried yet. */
void bluez_scan_settle(struct bluez_link *k);

/* --- known_bluez.c ---------------------------------------------------------------------------- */

/** NULL when it was never bonded. */
struct bluez_known_label *bluez_known_find(const struct bluez_known *n, const uint8_t *addr);
/** Remembers a label, durably where that changes anything. */
int bluez_known_keep(struct bluez_link *k, const uint8_t *addr, bool random,
		     bool reset) _must_check_;
int bluez_known_restore(struct bluez_known *n, const char *key, const void *data,
			size_t len) _must_check_;
void bluez_known_free(struct bluez_known *n);

/* --- pair_agent.c ----------------------------------------------------------------------------- */

DBusMessage *bluez_agent_called(struct bluez_link *k, DBusMessage *m);

/* --- visit_bluez.c ---------------------------------------------------------------------------- */

int bluez_visit_new(struct bluez_link *k, const uint8_t *addr, uint8_t subevent, uint8_t esl_id,
		    esl_link_done_fn done, void *user) _must_check_;
/** Frees it without a word. */
void bluez_visit_free(struct visit *v);
/** The link as a whole went away. */
void bluez_visits_end(struct bluez_link *k);
/** Ends what there is of connections to labels, whoever made them. */
void bluez_visits_let_go(struct bluez_link *k);
/** bluetoothd told something new of the device. */
void bluez_visit_device(struct visit *v, struct bluez_device *d, bool gone);
/** An event of the controller. */
void bluez_visit_disconnected(struct bluez_link *k, uint16_t handle);

/** Begins a job. -EBUSY while another is under way, -ERR_STATE without a connection. */
int bluez_visit_begin(struct visit *v, int64_t limit_us, esl_link_done_fn done,
		      void *user) _must_check_;
/** The answer to whatever is under way. The visit may be gone afterwards. */
void bluez_visit_finish(struct visit *v, int err);
int bluez_visit_close(struct visit *v, esl_link_done_fn done, void *user) _must_check_;
/** It was told to go: its end is the job's success; one that stays is sent away. */
void bluez_visit_leave(struct visit *v);
/** The connection is no more, or never was: the visit is freed before its owner hears of it. */
void bluez_visit_over(struct visit *v, int err);
/** The same when it has gone as it was told, or by itself. */
void bluez_visit_left(struct visit *v);
/** Gives up before the label could be worked with; bluetoothd lets go of it. */
void bluez_visit_give_up(struct visit *v, int err);
/** What bluetoothd has told of it, or NULL. */
struct bluez_device *bluez_visit_device_of(const struct visit *v);
/** A call to the device's object, without parameters. */
DBusMessage *bluez_visit_message(struct visit *v, const char *member);

/* --- handles_bluez.c -------------------------------------------------------------------------- */

/** The controller has a connection to a label; it is over; all are. */
void bluez_handle_made(struct bluez_link *k, uint16_t handle, const uint8_t *addr);
void bluez_handle_gone(struct bluez_link *k, uint16_t handle);
void bluez_handles_clear(struct bluez_link *k);
/** Ends those that nobody has held since the last look, and looks again while there are any. */
void bluez_handles_look(void *user);

/* --- call_bluez.c ----------------------------------------------------------------------------- */

/** Begins the next connection, if that can be. */
void bluez_call_next(struct bluez_link *k);
/** The controller stops trying. */
void bluez_call_cancel(struct visit *v);
/** The rest is over. */
void bluez_visit_rested(void *user);
/** An event of the controller. */
void bluez_visit_connected(struct bluez_link *k, uint8_t status, uint16_t handle,
			   const uint8_t *addr);

/* --- pair_bluez.c ----------------------------------------------------------------------------- */

/** Goes on as far as what bluetoothd has told allows. */
void bluez_secure(struct visit *v, const struct bluez_device *d);
/** bluetoothd forgets the bond that is to be forgotten. */
void bluez_bond_forget(struct bluez_link *k);
/** An event of the controller. */
void bluez_visit_encryption(struct bluez_link *k, uint16_t handle, uint8_t status);

/* --- gatt_bluez.c ----------------------------------------------------------------------------- */

bool bluez_has(const struct visit *v, enum bluez_chr chr);
/** `got` gets the value; -ENOENT when the label has no such characteristic. */
void bluez_read(struct visit *v, enum bluez_chr chr,
		void (*got)(struct visit *v, int err, const uint8_t *data, size_t len));
void bluez_write(struct visit *v, enum bluez_chr chr, const uint8_t *data, size_t len,
		 void (*got)(struct visit *v, int err, const uint8_t *data, size_t len));
/** Asks a characteristic to speak up by itself. */
int bluez_notify(struct visit *v, enum bluez_chr chr, bus_reply_fn fn) _must_check_;
/** What could not even begin fails from the loop, as everything else does. */
void bluez_fail_late(struct visit *v, int err);
/** What could not begin is told now. */
void bluez_work_late(struct visit *v);
/** Nothing of a job goes on. */
void bluez_work_drop(struct visit *v);

/* --- work_bluez.c ----------------------------------------------------------------------------- */

int bluez_read_info(struct visit *v, esl_link_done_fn done, void *user) _must_check_;
int bluez_configure(struct visit *v, const struct esl_link_config *c, esl_link_done_fn done,
		    void *user) _must_check_;
int bluez_set_time(struct visit *v, uint32_t abs_ms, esl_link_done_fn done,
		   void *user) _must_check_;
int bluez_control(struct visit *v, const uint8_t *tlv, size_t len, esl_link_done_fn done,
		  void *user) _must_check_;
int bluez_update_complete(struct visit *v, esl_link_done_fn done, void *user) _must_check_;
/** A characteristic spoke up. */
void bluez_work_value(struct visit *v, enum bluez_chr chr, const uint8_t *data, size_t len);

/* --- image_bluez.c ---------------------------------------------------------------------------- */

int bluez_write_image(struct visit *v, uint8_t index, const void *data, size_t len,
		      esl_link_done_fn done, void *user) _must_check_;
/** Chooses an image's object; the label answers on the list's control point. False without one. */
bool bluez_choose(struct visit *v, uint8_t image);
/** The label's answers, for a picture. */
void bluez_image_chosen(struct visit *v, const struct ots_control *c);
void bluez_image_answered(struct visit *v, const struct ots_control *c);
/** Nothing of it goes on. How far it had come is remembered. */
void bluez_image_drop(struct visit *v);

/* --- identity_bluez.c ------------------------------------------------------------------------- */

/** Reads what tells the label's model into v->res.identity; then `next`. */
void bluez_identify(struct visit *v, void (*next)(struct visit *v));
void bluez_identify_chosen(struct visit *v, const struct ots_control *c);
