/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A real gondolad process with enrolled agents, for benches that feed it over mutual TLS from this
 * process.
 */
#pragma once

#include "common/proto.h"
#include <gnutls/gnutls.h>
#include <sys/types.h>
#include <time.h>

#define BATCH 1000 /* sightings at most */

struct client {
	int number;
	gnutls_certificate_credentials_t cred;
	gnutls_session_t tls;
	int fd;
	uint64_t seq;
	unsigned int seed;
	struct proto_sighting sightings[BATCH];
};

/** Where the daemon listens, and the password it printed. */
struct bench_ports {
	uint16_t public, agents;
	char password[64];
};

extern char bench_dir[64];
extern struct bench_ports bench_ports;

/** Any failure ends the bench. */
void check(int r, const char *what);
void check_tls(int r, const char *what);
double cpu_seconds(clockid_t which);
/** Makes bench_dir and a store in it where these clients are agents. */
void make_store(struct client *clients, int n);
pid_t start_daemon(void);
void connect_client(struct client *c, uint16_t port);
void send_all(struct client *c, const uint8_t *p, size_t n);
/** Sends the first `n` sightings and waits for their acknowledgement. How long that took, in ms. */
double post(struct client *c, size_t n);
/** Writes sighting `i` of item number `item` of this client. */
void sight(struct client *c, size_t i, int item, enum sighting_kind kind, int64_t now_us);
void clean_up(void);
