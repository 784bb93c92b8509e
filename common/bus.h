/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The message bus on the loop: the only door to libdbus. One connection of our own to a bus,
 * opened anew with back-off when it breaks, and one service on it whose coming and going is told.
 * Nothing here waits: the greeting, the rules and every call are messages whose answers come from
 * the loop. Callbacks come from the loop, never from within a call.
 */
#pragma once

#include "common/loop.h"
#include <dbus/dbus.h>

struct bus;
struct bus_call;

struct bus_callbacks {
	/** What to tell a person while the service is not there; static. */
	const char *missing;
	/** The service is there, perhaps anew: whatever was known of it is to be asked again. */
	void (*there)(void *user);
	/** It is not, or the bus is not; calls under way end with -ERR_CLOSED by themselves. */
	void (*gone)(void *user, int err, const char *text);
	/** A signal of the service; borrowed. */
	void (*signal)(void *user, DBusMessage *m);
	/** Somebody calls us; yields the answer (taken over), or NULL for what we do not have. */
	DBusMessage *(*called)(void *user, DBusMessage *m);
};

/** `address` of a bus, NULL = the system's. `service` is static. */
int bus_new(struct loop *loop, const char *address, const char *service,
	    const struct bus_callbacks *cb, void *user, struct bus **ret) _must_check_;
/** Opens soon, and keeps it open. */
void bus_start(struct bus *b);
/** Calls under way end without a word. What was told before goes out first, for which a bus that
 * does not read is waited for two seconds at most. NULL-safe. */
void bus_free(struct bus *b);
bool bus_is_there(const struct bus *b);

/** `m` is the answer when err is 0, else the error's message or NULL; borrowed. Negative:
 * -ERR_PEER when the service refused (`name` says how), -ETIMEDOUT, -ERR_CLOSED. */
typedef void (*bus_reply_fn)(void *user, int err, const char *name, DBusMessage *m);

/**
 * Sends a call, whose message is taken over (NULL counts as out of memory). The caller keeps *call,
 * which is NULL again when the answer has come. -ERR_STATE without a service.
 */
int bus_send(struct bus *b, DBusMessage *m, int64_t timeout_us, bus_reply_fn fn, void *user,
	     struct bus_call **call) _must_check_;
/** The answer is not wanted any more. NULL-safe. */
void bus_call_drop(struct bus_call **call);
/** A call to the service that nobody waits for; the message is taken over. */
void bus_tell(struct bus *b, DBusMessage *m);
/** A call of the service's object, which does not start the service. NULL when out of memory. */
DBusMessage *bus_message(struct bus *b, const char *path, const char *interface,
			 const char *member);
