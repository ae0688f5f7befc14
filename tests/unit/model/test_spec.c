/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Specs as a whole: every member has a row, storing loses nothing, contradictions are found. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/options.h"
#include "model/spec_fields.h"

#include <fcntl.h>
#include <string.h>

/* The text between "typedef struct NAME {" and "} NAME;" of spec.h, without comments. */
static char *struct_body(const char *name) {
	g_autofree char *text = NULL;
	g_autofree char *open = g_strdup_printf("typedef struct %s {", name);
	g_autofree char *close = g_strdup_printf("} %s;", name);
	GString *body = g_string_new(NULL);

	g_assert_true(fd_read_file(AT_FDCWD, SPEC_HEADER, 1 << 20, &text, NULL, NULL));
	const char *start = strstr(text, open);
	g_assert_nonnull(start);
	const char *end = strstr(start, close);
	g_assert_nonnull(end);
	for (const char *p = start + strlen(open); p < end; p++) {
		if (p[0] == '/' && p[1] == '*')
			p = strstr(p, "*/") + 1;
		else
			g_string_append_c(body, *p);
	}
	return g_string_free(body, FALSE);
}

static size_t size_of_kind(FieldKind kind) {
	switch (kind) {
	case FIELD_STRING:
	case FIELD_LIST:
		return sizeof(char *);
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_INT:
		return sizeof(int);
	case FIELD_UINT64:
		return sizeof(uint64_t);
	}
	g_assert_not_reached();
}

static FieldKind kind_of_declaration(const char *declaration) {
	if (g_str_has_prefix(declaration, "char **"))
		return FIELD_LIST;
	if (g_str_has_prefix(declaration, "char *"))
		return FIELD_STRING;
	if (g_str_has_prefix(declaration, "bool "))
		return FIELD_BOOL;
	if (g_str_has_prefix(declaration, "int "))
		return FIELD_INT;
	g_assert_true(g_str_has_prefix(declaration, "uint64_t "));
	return FIELD_UINT64;
}

/* One struct's declarations against the rows from *row on; prefix is what their keys start with. */
static void check_members(const char *name, const char *prefix, const FieldRow **row, size_t *end) {
	g_autofree char *body = struct_body(name);
	g_auto(GStrv) declarations = g_strsplit(body, ";", -1);

	for (char **declaration = declarations; *declaration; declaration++) {
		g_strstrip(*declaration);
		if (!**declaration)
			continue;
		if (strcmp(*declaration, "LimitSpec limits") == 0) {
			check_members("LimitSpec", "limits.", row, end);
			continue;
		}
		const char *member = *declaration + strcspn(*declaration, " ");
		g_autofree char *key = g_strconcat(prefix, member + strspn(member, " *"), NULL);
		g_assert_cmpstr((*row)->key, ==, key);
		g_assert_cmpint((*row)->kind, ==, kind_of_declaration(*declaration));
		g_assert_cmpuint((*row)->offset, >=, *end);
		*end = (*row)->offset + size_of_kind((*row)->kind);
		(*row)++;
	}
}

/* Every declaration has exactly one row, of its kind, in the same order. */
static void check_rows(const char *name, const FieldRow *rows, size_t size) {
	const FieldRow *row = rows;
	size_t end = 0;

	check_members(name, "", &row, &end);
	g_assert_null(row->key);
	g_assert_cmpuint(end, <=, size);
}

static void test_rows(void) {
	check_rows("ContainerSpec", container_spec_fields, sizeof(ContainerSpec));
	check_rows("PodSpec", pod_spec_fields, sizeof(PodSpec));
}

/* A value no other field has. */
static void fill(const FieldRow *rows, void *object) {
	for (int i = 0; rows[i].key; i++) {
		void *field = (char *)object + rows[i].offset;
		g_autofree char *text = g_strdup_printf("value %d", i);
		if (rows[i].kind == FIELD_STRING) {
			*(char **)field = g_strdup(text);
		} else if (rows[i].kind == FIELD_LIST) {
			options_append(field, text);
			options_append(field, "");
		} else if (rows[i].kind == FIELD_BOOL) {
			*(bool *)field = true;
		} else if (rows[i].kind == FIELD_INT) {
			*(int *)field = i;
		} else {
			*(uint64_t *)field = UINT64_MAX - 1 - (uint64_t)i;
		}
	}
}

static void test_round_trip(void) {
	g_autoptr(ContainerSpec) spec = container_spec_new(), back = container_spec_new();
	g_autoptr(PodSpec) pod = pod_spec_new(), pod_back = pod_spec_new();

	fill(container_spec_fields, spec);
	json_auto_t *json = fields_to_json(container_spec_fields, spec);
	fields_from_json(container_spec_fields, back, json);
	json_auto_t *again = fields_to_json(container_spec_fields, back);
	g_assert_true(json_equal(json, again));
	g_assert_cmpuint(g_strv_length(back->command), ==, 2);

	pod->infra = false;
	json_auto_t *pod_json = fields_to_json(pod_spec_fields, pod);
	fields_from_json(pod_spec_fields, pod_back, pod_json);
	g_assert_false(pod_back->infra);
	g_assert_null(pod_back->labels);
}

static void test_unset(void) {
	g_autoptr(ContainerSpec) spec = container_spec_new(), back = container_spec_new();
	json_auto_t *json = fields_to_json(container_spec_fields, spec);

	g_assert_null(json_object_get(json, "name"));
	fields_from_json(container_spec_fields, back, json);
	g_assert_cmpint(back->stop_timeout, ==, SPEC_UNSET);
	g_assert_cmpint(back->read_only_tmpfs, ==, SPEC_UNSET);
	container_spec_free(NULL);
	pod_spec_free(NULL);
}

/* Sets one field from text: a bool to true, a list to one value. */
static void set_field(const FieldRow *rows, void *object, const char *key, const char *value) {
	const FieldRow *row = rows;

	while (row->key && strcmp(row->key, key) != 0)
		row++;
	g_assert_nonnull(row->key);
	void *field = (char *)object + row->offset;
	if (row->kind == FIELD_STRING) {
		g_free(*(char **)field);
		*(char **)field = g_strdup(value);
	} else if (row->kind == FIELD_LIST) {
		options_append(field, value);
	} else if (row->kind == FIELD_BOOL) {
		*(bool *)field = strcmp(value, "true") == 0;
	} else if (row->kind == FIELD_INT) {
		*(int *)field = (int)g_ascii_strtoll(value, NULL, 10);
	}
}

typedef struct ValidateCase {
	const char *settings; /* "key=value|key=value" */
	int code;             /* 0: good */
} ValidateCase;

static void apply(const FieldRow *rows, void *object, const char *settings) {
	g_auto(GStrv) list = g_strsplit(settings, "|", -1);

	for (char **setting = list; *setting; setting++) {
		char *equals = strchr(*setting, '=');
		*equals = '\0';
		set_field(rows, object, *setting, equals + 1);
	}
}

static void check_error(const char *settings, bool good, const GError *err, int code) {
	g_test_message("%s -> %s", settings, err ? err->message : "good");
	g_assert_true(good == !err);
	if (code)
		g_assert_error(err, PODCTL_ERROR, code);
	else
		g_assert_no_error(err);
}

static void test_validate_container(void) {
	static const ValidateCase cases[] = {
		{"name=web", 0},
		{"image=", ERROR_INVALID},
		{"name=-web", ERROR_INVALID},
		{"publish=80:80|volumes=/a:/b|networks=bridge|restart=always", 0},
		{"publish=80:80:80:80", ERROR_INVALID},
		{"pod=web|publish=80:80", ERROR_INVALID},
		{"pod=new:web|publish=80:80", 0},
		{"pod=web|networks=none", ERROR_INVALID},
		{"pod=web|hostname=x", ERROR_INVALID},
		{"pod=web|add_hosts=a:1.2.3.4", ERROR_INVALID},
		{"pod=web|dns=1.2.3.4", ERROR_INVALID},
		{"pod=web|ip=1.2.3.4", ERROR_INVALID},
		{"pod=web|volumes=/a:/b|env=A=b", 0},
		{"pod=we b", ERROR_INVALID},
		{"remove=true|restart=always", ERROR_INVALID},
		{"remove=true|restart=unless-stopped", ERROR_INVALID},
		{"remove=true|restart=on-failure", ERROR_INVALID},
		{"remove=true|restart=no", 0},
		{"rootfs=true|pull=always", ERROR_INVALID},
		{"replace=true", ERROR_INVALID},
		{"replace=true|name=web", 0},
		{"no_hosts=true|add_hosts=a:1.2.3.4", ERROR_INVALID},
		{"uts_mode=host|hostname=x", ERROR_INVALID},
		{"uts_mode=host", 0},
		{"pid_mode=container:x", 0},
		{"pid_mode=container:", ERROR_INVALID},
		{"pid_mode=none", ERROR_INVALID},
		{"pid_mode=shareable", ERROR_INVALID},
		{"pid_mode=ns:x", ERROR_INVALID},
		{"pid_mode=ns:/x|ipc_mode=none|uts_mode=private|cgroup_ns=host", 0},
		{"pid_mode=pod", ERROR_INVALID},
		{"pid_mode=pod|pod=web", 0},
		{"ipc_mode=none|shm_size=1m", ERROR_INVALID},
		{"uts_mode=container:x|hostname=x", ERROR_INVALID},
		{"user_ns=auto", 0},
		{"user_ns=auto|pod=web", ERROR_INVALID},
		{"user_ns=host|pod=web", 0},
		{"uid_maps=0:1:1|pod=web", ERROR_INVALID},
		{"user_ns=auto|uid_maps=0:1:1", ERROR_INVALID},
		{"user_ns=private", ERROR_INVALID},
		{"user_ns=private|uid_maps=0:1:1", 0},
		{"user_ns=nomap", ERROR_UNSUPPORTED},
		{"uid_maps=1:1:1", ERROR_UNSUPPORTED},
		{"uid_maps=0:1:5|uid_maps=4:9:1", ERROR_INVALID},
		{"subuid_name=someone", 0},
		{"subuid_name=a:b", ERROR_INVALID},
		{"pid_mode=what", ERROR_INVALID},
		{"networks=none|networks=bridge", ERROR_INVALID},
		{"networks=a|networks=b", 0},
		{"networks=a|networks=b|ip=10.0.0.1", ERROR_INVALID},
		{"networks=host|ip=10.0.0.1", ERROR_INVALID},
		{"networks=container:x|publish=80", ERROR_INVALID},
		{"volumes=/a:/c|mounts=type=tmpfs,dst=/c/", ERROR_INVALID},
		{"tmpfs=/c|volumes=/a:/c", ERROR_INVALID},
		{"sdnotify=healthy", ERROR_UNSUPPORTED},
		{"sdnotify=container", 0},
		{"log_driver=syslog", ERROR_INVALID},
		{"cgroups=split", 0},
		{"pull=often", ERROR_INVALID},
		{"shm_size=64m", 0},
		{"shm_size=lots", ERROR_INVALID},
		{"umask=0022", 0},
		{"umask=1777", ERROR_INVALID},
		{"stop_signal=SIGWHAT", ERROR_INVALID},
		{"stop_timeout=-2", ERROR_INVALID},
		{"oom_score_adj=1001", ERROR_INVALID},
		{"env==x", ERROR_INVALID},
		{"sysctls=net.x", ERROR_INVALID},
		{"annotations=a", ERROR_INVALID},
		{"labels=a", 0},
		{"security_opt=no-new-privileges", 0},
		{"security_opt=what=x", ERROR_INVALID},
		{"dns=none", 0},
		{"dns_searches=a\nb", ERROR_INVALID},
		{"workdir=x", ERROR_INVALID},
		{"ulimits=nofile=5:4", ERROR_INVALID},
		{"mac_address=02:00:00:00:00:01", 0},
		{"expose=80/udp", 0},
		{"expose=80:80", ERROR_INVALID},
	};

	array_foreach (row, cases) {
		g_autoptr(GError) err = NULL;
		g_autoptr(ContainerSpec) spec = container_spec_new();
		spec->image = g_strdup("image");
		apply(container_spec_fields, spec, row->settings);
		bool good = container_spec_validate(spec, &err);
		check_error(row->settings, good, err, row->code);
	}
}

static void test_validate_pod(void) {
	static const ValidateCase cases[] = {
		{"name=web|publish=80:80|networks=bridge|exit_policy=stop", 0},
		{"share=net,what", ERROR_INVALID},
		{"share=user,cgroup,pid", 0},
		{"share=+pid,-uts", 0},
		{"share=net,-uts", ERROR_INVALID},
		{"pid_mode=host", ERROR_INVALID},
		{"share=+pid|pid_mode=host", 0},
		{"uts_mode=host", 0},
		{"uts_mode=container:x", ERROR_INVALID},
		{"uts_mode=host|hostname=x", ERROR_INVALID},
		{"user_ns=auto:size=5", 0},
		{"user_ns=container:x", ERROR_INVALID},
		{"infra=false|user_ns=auto", ERROR_INVALID},
		{"infra=false|uid_maps=0:1:1", ERROR_INVALID},
		{"share=ipc|publish=80", ERROR_INVALID},
		{"infra=false", 0},
		{"infra=false|share=none", 0},
		{"infra=false|share=net", ERROR_INVALID},
		{"infra=false|publish=80", ERROR_INVALID},
		{"infra=false|infra_name=x", ERROR_INVALID},
		{"infra=false|restart=always", ERROR_INVALID},
		{"exit_policy=maybe", ERROR_INVALID},
		{"replace=true", ERROR_INVALID},
		{"no_hosts=true|add_hosts=a:1.2.3.4", ERROR_INVALID},
		{"hostname=under_score", ERROR_INVALID},
		{"volumes=a/b:/c", ERROR_INVALID},
		{"restart=sometimes", ERROR_INVALID},
	};

	array_foreach (row, cases) {
		g_autoptr(GError) err = NULL;
		g_autoptr(PodSpec) spec = pod_spec_new();
		apply(pod_spec_fields, spec, row->settings);
		bool good = pod_spec_validate(spec, &err);
		check_error(row->settings, good, err, row->code);
	}
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/spec_fields/every-member-has-a-row", test_rows);
	g_test_add_func("/model/spec_fields/round-trip", test_round_trip);
	g_test_add_func("/model/spec_fields/unset-stays-unset", test_unset);
	g_test_add_func("/model/spec/validate-container", test_validate_container);
	g_test_add_func("/model/spec/validate-pod", test_validate_pod);
	return g_test_run();
}
