/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening the engine: who we are and where things are kept is learnt here, once (D21). */
#include "engine/handle.h"

#include <unistd.h>

static char *default_state_path(void) {
	if (geteuid() == 0)
		return g_strdup("/var/lib/podctl");
	return g_build_filename(g_get_user_data_dir(), "podctl", NULL);
}

static char *default_run_path(void) {
	if (geteuid() == 0)
		return g_strdup("/run/podctl");
	return g_build_filename(g_get_user_runtime_dir(), "podctl", NULL);
}

void engine_free(Engine *engine) {
	if (!engine)
		return;
	passing_clear(&engine->passing);
	store_free(engine->store);
	image_store_free(engine->images);
	g_free(engine->state_path);
	g_free(engine->run_path);
	g_free(engine->notify_socket);
	g_free(engine->unit);
	g_strfreev(engine->create_command);
	g_free(engine);
}

Engine *engine_open(const EngineOptions *options, GError **err) {
	g_autoptr(Engine) engine = g_new0(Engine, 1);

	engine->state_path =
		options->state_path ? g_strdup(options->state_path) : default_state_path();
	engine->run_path = options->run_path ? g_strdup(options->run_path) : default_run_path();
	if (!g_path_is_absolute(engine->state_path) || !g_path_is_absolute(engine->run_path)) {
		fail(err, ERROR_INVALID, "\"%s\" and \"%s\" must be absolute paths",
			engine->state_path, engine->run_path);
		return NULL;
	}
	engine->create_command = g_strdupv((char **)(uintptr_t)options->create_command);
	engine->notify_socket = g_strdup(options->notify_socket);
	engine->unit = g_strdup(options->unit);
	engine->store = store_open(engine->state_path, engine->run_path, err);
	if (!engine->store)
		return NULL;
	return g_steal_pointer(&engine);
}

ImageStore *engine_images(Engine *engine, GError **err) {
	if (!engine->images) {
		g_autofree char *state = g_build_filename(engine->state_path, "images", NULL);
		g_autofree char *run = g_build_filename(engine->run_path, "images", NULL);
		engine->images = image_store_open(state, run, err);
	}
	return engine->images;
}

bool engine_require_root(GError **err) {
	if (geteuid() != 0)
		return fail(err, ERROR_UNSUPPORTED,
			"cannot start containers as user %d: running without root is not supported "
			"yet",
			(int)geteuid());
	return true;
}

char *engine_run_dir(const Engine *engine, const char *room) {
	return g_build_filename(engine->run_path, room, NULL);
}
