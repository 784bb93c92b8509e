/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What is inside a backup's envelope (backup_seal.h): files one after the other, then a manifest
 * with the SHA-256 and length of each, which version wrote them, the database's epoch and the time.
 *
 *   'F', length of the name (u8), name, length (u64be), bytes     once for each file
 *   'M', length (u32be), JSON                                     once, at the end
 *
 * The names are fixed; a backup has each of them exactly once.
 */
#pragma once

#include "controller/keeping/backup_seal.h"
#include <jansson.h>
#include <stdbool.h>

#define BACKUP_FORMAT       1
#define BACKUP_MANIFEST_MAX (64u * 1024)
#define BACKUP_NAME_MAX     32

enum backup_part {
	BACKUP_DB,
	BACKUP_IMAGES,
	BACKUP_JOURNAL,
	BACKUP_SNAPSHOT,
	BACKUP_CA_CERT,
	BACKUP_CA_KEY,
	BACKUP_ESCROW,
	BACKUP_PARTS
};
/** Paths below a state directory. */
extern const char *const backup_names[BACKUP_PARTS];

struct backup_pack {
	struct seal *seal;
	json_t *files; /**< of the manifest so far */
	uint64_t bytes;
};

int backup_pack_begin(int fd, const char *passphrase, struct backup_pack *ret) _must_check_;
/** Adds the file at `path` under the name of `part`. */
int backup_pack_file(struct backup_pack *p, enum backup_part part, const char *path) _must_check_;
/** Adds the manifest: `about` (taken over) with the list of files. */
int backup_pack_end(struct backup_pack *p, json_t *about) _must_check_;
void backup_pack_done(struct backup_pack *p);

/**
 * Unpacks a backup below `dir`, a fresh directory, and checks it against its manifest; every file
 * is synced. *ret_manifest is the caller's. Codes of unseal_begin() and unseal_read(); -ERR_CORRUPT
 * when the content does not match its manifest; what the disk says.
 */
int backup_unpack(int fd, const char *passphrase, const char *dir,
		  json_t **ret_manifest) _must_check_;
