/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User and group ids, the maps between those of a user namespace and those outside, and the files
 * that say which ones a name may use (/etc/subuid). One place, because a mistake here gives a
 * container the ids of another one, or the host's.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* 4294967295 is no id: it means "leave as it is" to the kernel. */
#define ID_MAX UINT32_C(4294967294)

/* Rows that the kernel takes in one map. */
#define ID_MAP_ROWS_MAX 340

/* count ids from inside on are the ids from outside on. */
typedef struct IdRange {
	uint32_t inside, outside, count;
} IdRange;

typedef struct IdMap {
	IdRange *rows;
	size_t n;
} IdMap;

void id_map_clear(IdMap *map);
void id_map_append(IdMap *map, uint32_t inside, uint32_t outside, uint32_t count);
/* *ret_copy is cleared by id_map_clear. */
void id_map_copy(const IdMap *map, IdMap *ret_copy);

/* Strict decimal, at most ID_MAX. No error: the caller knows what it was for. */
bool id_parse(const char *text, uint32_t *ret_id);

/* Refuses what cannot be a map: no row, too many, a count of 0, an id above ID_MAX, two rows with
 * the same id on one side. what names it: "--uidmap". */
bool id_map_check(const IdMap *map, const char *what, GError **err);

/* The id on the other side; false when there is none. */
bool id_map_to_outside(const IdMap *map, uint32_t inside, uint32_t *ret_outside);
bool id_map_to_inside(const IdMap *map, uint32_t outside, uint32_t *ret_inside);

/* As for /proc/PID/uid_map: "INSIDE OUTSIDE COUNT" and a newline a row. Free with g_free. */
char *id_map_to_text(const IdMap *map);
/* Reads it back, as the kernel writes it. */
bool id_map_from_text(const char *text, IdMap *ret_map, GError **err);

/* The ranges of a file like /etc/subuid whose lines are "NAME:FIRST:COUNT" and whose name is name
 * or the number id_text (NULL: none), in the file's order, mapped inside from 0 on. A missing file
 * or name gives no rows. Refused: a file that is none or is larger than 64 MiB, and of the lines
 * that count, one that does not parse, has no id, contains id 0 or meets another one. */
bool id_read_subordinate(
	const char *path, const char *name, const char *id_text, IdMap *ret_map, GError **err);
/* The same from a stream; path is for messages. */
bool id_read_subordinate_stream(FILE *file, const char *path, const char *name, const char *id_text,
	IdMap *ret_map, GError **err);

/* The highest id that the lines of a passwd or group file have as their third field; 0: none. */
uint32_t id_highest_account(const char *text);
