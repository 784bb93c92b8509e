/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An object's content over the kernel's L2CAP: a credit-based channel to the label's object
 * transfer server, on whatever connection the kernel has to it. Credits, segments and the order of
 * things on the air are the kernel's business.
 */
#pragma once

#include "common/loop.h"
#include <stdbool.h>
#include <stdint.h>

struct ots_socket;

/** Who is at one end. */
struct ots_end {
	const uint8_t *addr; /**< six bytes, most significant first */
	bool random;         /**< kind of the address */
};

struct ots_socket_callbacks {
	/** The channel is open, or will not be: -ERR_PEER when the label refused it. */
	void (*opened)(void *user, int err);
	/** All of it was handed to the controller, or the channel broke (-ERR_CLOSED). */
	void (*sent)(void *user, int err);
};

/** Encrypted, or not at all. */
int ots_socket_new(struct loop *loop, const struct ots_end *own, const struct ots_end *peer,
		   const struct ots_socket_callbacks *cb, void *user,
		   struct ots_socket **ret) _must_check_;
/** The bytes are borrowed until sent(). */
void ots_socket_send(struct ots_socket *s, const uint8_t *data, size_t len);
/** Of them, how many the kernel has taken: not all of these need have gone out. */
size_t ots_socket_sent(const struct ots_socket *s);
/** The label takes them in units of so many bytes; 0 = not open yet. */
uint16_t ots_socket_unit(const struct ots_socket *s);
/** Closes the channel. NULL-safe. */
void ots_socket_free(struct ots_socket *s);
