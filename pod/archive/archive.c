/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The door: copies of trees here, tar in the module. See archive.h. */
#include "archive/archive.h"

#include "archive/archive_ops.h"
#include "archive/plant.h"
#include "archive/walk.h"
#include "base/module.h"

static void forward_log(LogLevel level, const char *text) {
	log_message(level, "%s", text);
}

static const ArchiveOps *load_ops(GError **err) {
	const ArchiveOps *ops = module_symbol(ARCHIVE_MODULE, ARCHIVE_SYMBOL, err);

	if (ops)
		ops->set_log(log_get_level(), forward_log);
	return ops;
}

bool archive_copy(const ArchiveSource *source, const ArchiveTarget *target,
	ArchiveReport *ret_report, GError **err) {
	ArchiveReport report = {0};
	g_autoptr(Plant) plant = plant_new(target, &report);

	if (!walk_tree(source, plant_take, plant, &report, err))
		return false;
	plant_finish(plant);
	*ret_report = report;
	return true;
}

bool archive_write(const ArchiveSource *source, int out_fd, ArchiveWriteFlags flags,
	ArchiveReport *ret_report, GError **err) {
	const ArchiveOps *ops = load_ops(err);
	ArchiveReport report = {0};

	if (!ops || !ops->write(source, out_fd, flags, &report, err))
		return false;
	*ret_report = report;
	return true;
}

bool archive_extract(
	int in_fd, const ArchiveTarget *target, ArchiveReport *ret_report, GError **err) {
	const ArchiveOps *ops = load_ops(err);
	ArchiveReport report = {0};

	if (!ops || !ops->extract(in_fd, target, &report, err))
		return false;
	*ret_report = report;
	return true;
}
