/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondola-agent, the daemon on each access point. The room at a glance; data walks from left to
 * right and wishes from right to left:
 *
 *     rfid/rfid.h ─ readers ─┐                       ┌─ link ── http_client ── controller
 *                            ├─ journal ── upload ───┤    (trust, identity, enroll)
 *     esl-radio/esl.h ─ labels ┘    │                └─ images
 *                            └──── store (agent.db)
 *
 *     readers   wished readers -> rfid; presence -> sightings into the journal
 *     labels    wished labels -> label engine; reports into the journal; its blobs into the store
 *     journal   what we owe: committed before it is sent, deleted after it is acknowledged
 *     link      long poll, uploads, health, renewal: five lanes with a back-off each
 *     timebase  the controller's clock as measured on the link; trust: whom we believe, by that
 * clock netwatch  interfaces and Wi-Fi by netlink, for the health report store     the one file on
 * flash; settings: the configuration
 *
 * Everything runs on one loop thread. After a start the remembered wishes are applied before the
 * controller has answered; without a controller everything goes on and the journal fills.
 */
#pragma once

#include "ap-agent/joincode.h"
#include "ap-agent/settings.h"
#include "common/loop.h"

struct agent;

/**
 * Opens the state directory, starts readers and labels as remembered, and joins or links.
 * `settings` is borrowed; `code` is a join code given by hand, or NULL. Says why in the log when it
 * fails.
 */
int agent_new(struct loop *loop, const struct settings *settings, const struct joincode *code,
	      struct agent **ret) _must_check_;
/** Stops readers politely, then stops the loop. */
void agent_stop(struct agent *a);
void agent_free(struct agent *a);
