/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The sockets of a simulated OpenEPaperLink access point: HTTP on loopback by libmicrohttpd, run
 * from the loop, and its WebSocket at /ws. The only door to <microhttpd.h> in the simulator.
 */
#pragma once

#include "sim/oepl.h"

struct sim_oepl_web;

/** Port 0 = any free one. */
int sim_oepl_web_new(struct loop *loop, struct sim_oepl *ap, uint16_t port,
		     struct sim_oepl_web **ret) _must_check_;
void sim_oepl_web_free(struct sim_oepl_web *w);
uint16_t sim_oepl_web_port(const struct sim_oepl_web *w);
