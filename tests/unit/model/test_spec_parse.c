/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small syntaxes of single options, good and bad, as tables. */
#include "base/cleanup.h"
#include "model/device_request.h"
#include "model/spec_parse.h"

#include <sched.h>
#include <string.h>
#include <sys/resource.h>

static void test_port(void) {
	static const struct {
		const char *text;
		PortProtocol protocol;
		const char *address;
		unsigned host, container, count;
	} good[] = {
		{"80", PORT_TCP, NULL, 0, 80, 1},
		{"8080:80", PORT_TCP, NULL, 8080, 80, 1},
		{"8080:80/udp", PORT_UDP, NULL, 8080, 80, 1},
		{"8080:80/UDP", PORT_UDP, NULL, 8080, 80, 1},
		{"0:80", PORT_TCP, NULL, 0, 80, 1},
		{":80", PORT_TCP, NULL, 0, 80, 1},
		{"127.0.0.1::80", PORT_TCP, "127.0.0.1", 0, 80, 1},
		{"127.0.0.1:8080:80/sctp", PORT_SCTP, "127.0.0.1", 8080, 80, 1},
		{"[::1]:8080:80", PORT_TCP, "::1", 8080, 80, 1},
		{"[0:0::1]::80", PORT_TCP, "::1", 0, 80, 1},
		{"1000-1009:2000-2009", PORT_TCP, NULL, 1000, 2000, 10},
		{"2000-2009", PORT_TCP, NULL, 0, 2000, 10},
		{"1-65535:1-65535", PORT_TCP, NULL, 1, 1, 65535},
	};
	static const char *const bad[] = {"", "x", "0", "80:", "80:0", "65536", "80/", "80/icmp",
		"80/tcp/udp", "10-20:10-21", "20-10", "10-20:80", "-80", "80-", "localhost:80:80",
		"1:2:3:4", "::1:80:80", "[::1]80:80", "[::1", "[127.0.0.1]:80:80", ":8080:80",
		" 80", "80 ", "+80", "8080:80\n"};

	array_foreach (row, good) {
		g_autoptr(GError) err = NULL;
		PortMapping mapping;
		g_assert_true(spec_parse_port(row->text, &mapping, &err));
		g_assert_no_error(err);
		g_assert_cmpint(mapping.protocol, ==, row->protocol);
		g_assert_cmpstr(mapping.host_address, ==, row->address);
		g_assert_cmpuint(mapping.host_port, ==, row->host);
		g_assert_cmpuint(mapping.container_port, ==, row->container);
		g_assert_cmpuint(mapping.count, ==, row->count);
		port_mapping_clear(&mapping);
	}
	array_foreach (text, bad) {
		g_autoptr(GError) err = NULL;
		PortMapping mapping;
		g_test_message("bad port \"%s\"", *text);
		g_assert_false(spec_parse_port(*text, &mapping, &err));
		g_assert_true(error_is(err, ERROR_INVALID));
	}
}

static void test_volume(void) {
	static const char *const bad[] = {"", "x", "/a:", "/a:b", ":/b", "/a:/", "/a:/b:c",
		"/a:/b:ro,rw", "/a:/b:z,Z", "/a:/b:shared,slave", "/a:/b:ro:rw", "./a:/b", "a/b:/c",
		"-x:/b", "/a:/b/..", "/a:/b:ro,", "/a:/b:idmap=x", "/a:/b:idmap=uids=0-1-1",
		"/a:/b:idmap=uids=0-1-0;gids=0-1-1", "/a:/b:upperdir=/u", "/a:/b:O,idmap",
		"/a:/b:O,upperdir=/u", "/a:/b:O,upperdir=u,workdir=/w", "/a:/b:src=/x",
		"/a:/b:rw=x", "/b:O"};
	g_autoptr(GError) err = NULL;
	g_autoptr(MountRequest) bind = spec_parse_volume("/a//b/:/c/./d/", &err);

	g_assert_no_error(err);
	g_assert_cmpstr(bind->source, ==, "/a/b");
	g_assert_cmpstr(bind->destination, ==, "/c/d");
	g_assert_true(bind->recursive && bind->nosuid && bind->nodev);
	g_assert_false(bind->noexec || bind->read_only || bind->read_write);
	g_assert_null(bind->propagation);
	g_autoptr(MountRequest) full =
		spec_parse_volume("data:/c:ro,Z,U,O,rshared,suid,dev,noexec,bind,nocopy", &err);
	g_assert_no_error(err);
	g_assert_cmpstr(full->source, ==, "data");
	g_assert_true(full->read_only && full->chown && full->overlay && full->no_copy);
	g_assert_true(full->noexec && !full->nosuid && !full->nodev && !full->recursive);
	g_assert_cmpint(full->relabel, ==, 'Z');
	g_assert_cmpstr(full->propagation, ==, "rshared");
	g_autoptr(MountRequest) anonymous = spec_parse_volume("/c", &err);
	g_assert_null(anonymous->source);
	g_autoptr(MountRequest) colon = spec_parse_volume("/a\\:b:/c", &err);
	g_assert_cmpstr(colon->source, ==, "/a:b");
	g_autoptr(MountRequest) mapped =
		spec_parse_volume("/a:/b:idmap=uids=0-1000-10#20-3000-1;gids=@0-100-10", &err);
	g_assert_no_error(err);
	g_assert_true(mapped->idmap && mapped->idmap_relative_gids && !mapped->idmap_relative_uids);
	g_assert_cmpuint(mapped->idmap_uids.n, ==, 2);
	g_assert_cmpuint(mapped->idmap_uids.rows[1].outside, ==, 3000);
	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;
		g_test_message("bad volume \"%s\"", *text);
		g_assert_null(spec_parse_volume(*text, &error));
		g_assert_true(error_is(error, ERROR_INVALID));
	}
}

static void test_tmpfs(void) {
	static const char *const bad[] = {"", "t", "/", "/t:size=x", "/t:mode=9", "/t:ro,rw",
		"/t:what", "/t:ro:rw", "/t:size=50%"};
	g_autoptr(GError) err = NULL;
	g_autoptr(MountRequest) plain = spec_parse_tmpfs("/t", &err);

	g_assert_no_error(err);
	g_assert_cmpuint(plain->mode, ==, 01777);
	g_assert_cmpuint(plain->size_bytes, ==, 0);
	g_assert_true(plain->nosuid && plain->nodev && !plain->noexec && !plain->read_only);
	g_autoptr(MountRequest) full =
		spec_parse_tmpfs("/t:ro,size=64m,mode=0755,noexec,exec,suid,notmpcopyup", &err);
	g_assert_no_error(err);
	g_assert_cmpuint(full->mode, ==, 0755);
	g_assert_cmpuint(full->size_bytes, ==, 64 << 20);
	g_assert_true(full->read_only && full->no_copy && !full->nosuid && !full->noexec);
	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;
		g_test_message("bad tmpfs \"%s\"", *text);
		g_assert_null(spec_parse_tmpfs(*text, &error));
		g_assert_true(error_is(error, ERROR_INVALID));
	}
}

static void test_mount(void) {
	static const char *const bad[] = {"type=bind,src=/a", "type=bind,dst=/a",
		"type=bind,src=a,dst=/b", "type=bind,src=/a,dst=b", "type=bind,src=/a,dst=/b,ro=x",
		"type=bind,src=/a,dst=/b,what", "type=bind,src=/a,dst=/b,bind-propagation=x",
		"type=tmpfs", "type=tmpfs,dst=/t,tmpfs-size=x", "type=tmpfs,dst=/t,src=/x",
		"type=bind,\"src=/a,dst=/b", "type=volume,src=/a,dst=/b", "type=image,dst=/b",
		"type=volume,src=v,dst=/b,subpath=../x", "type=volume,src=v,dst=/b,subpath=/x",
		"type=volume,src=v,dst=/b,subpath=a/../../x", "type=devpts,dst=/b,max=0",
		"type=image,src=x,dst=/y,chown", "type=bind,src=/a,dst=/b,subpath=x"};
	g_autoptr(GError) err = NULL;
	g_autoptr(MountRequest) bind = spec_parse_mount(
		"type=bind,\"src=/a,b\",target=/c,ro=true,bind-nonrecursive,relabel=shared,"
		"bind-propagation=slave,noexec,U",
		&err);

	g_assert_no_error(err);
	g_assert_cmpint(bind->type, ==, MOUNT_TYPE_BIND);
	g_assert_cmpstr(bind->source, ==, "/a,b");
	g_assert_cmpstr(bind->destination, ==, "/c");
	g_assert_true(bind->read_only && bind->noexec && bind->chown && !bind->recursive);
	g_assert_cmpint(bind->relabel, ==, 'z');
	g_autoptr(MountRequest) writable =
		spec_parse_mount("type=bind,src=/a,dst=/b,readonly=false", &err);
	g_assert_false(writable->read_only);
	g_autoptr(MountRequest) tmpfs =
		spec_parse_mount("type=tmpfs,destination=/t,tmpfs-size=1k,tmpfs-mode=700", &err);
	g_assert_cmpint(tmpfs->type, ==, MOUNT_TYPE_TMPFS);
	g_assert_cmpuint(tmpfs->size_bytes, ==, 1024);
	g_assert_cmpuint(tmpfs->mode, ==, 0700);
	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;
		g_test_message("bad mount \"%s\"", *text);
		g_assert_null(spec_parse_mount(*text, &error));
		g_assert_true(error_is(error, ERROR_INVALID));
	}
}

static void test_device(void) {
	static const char *const bad[] = {"", "x", "/dev/x:", "/dev/x:q",
		"/dev/x:/y:", "/dev/x:/y:rr", "/dev/x:y:r", "/dev/x:/:r", "/dev/x:/y:r:w", ":/y"};
	static const char *const bad_rules[] = {"", "c", "c 1:3", "d 1:3 r", "c 1 r", "c 1:-1 r",
		"c 1:3 x", "c 1:3 ", "cc 1:3 r", "c 1:3:5 r", "c 1:3 r w", "c 1048576:3 r"};
	g_autoptr(GError) err = NULL;
	g_autoptr(DeviceRequest) plain = spec_parse_device("/dev//x", &err);
	DeviceRule rule;

	g_assert_no_error(err);
	g_assert_cmpstr(plain->source, ==, "/dev/x");
	g_assert_cmpstr(plain->destination, ==, "/dev/x");
	g_assert_cmpint(plain->use, ==, USE_READ | USE_WRITE | USE_MKNOD);
	g_autoptr(DeviceRequest) less = spec_parse_device("/dev/x:r", &err);
	g_assert_cmpint(less->use, ==, USE_READ);
	g_autoptr(DeviceRequest) full = spec_parse_device("/dev/x:/dev/y:wm", &err);
	g_assert_cmpstr(full->destination, ==, "/dev/y");
	g_assert_cmpint(full->use, ==, USE_WRITE | USE_MKNOD);
	g_assert_null(spec_parse_device("vendor.com/class=name", &err));
	g_assert_true(error_is(err, ERROR_UNSUPPORTED));
	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;
		g_test_message("bad device \"%s\"", *text);
		g_assert_null(spec_parse_device(*text, &error));
		g_assert_true(error_is(error, ERROR_INVALID));
	}
	g_assert_true(spec_parse_device_rule("c 1:* rm", &rule, NULL));
	g_assert_true(rule.type == 'c' && rule.major == 1 && rule.minor == -1);
	array_foreach (text, bad_rules) {
		g_autoptr(GError) error = NULL;
		g_test_message("bad rule \"%s\"", *text);
		g_assert_false(spec_parse_device_rule(*text, &rule, &error));
		g_assert_true(error_is(error, ERROR_INVALID));
	}
}

static void test_mount_types(void) {
	g_autoptr(GError) err = NULL;
	g_autoptr(MountRequest) image =
		spec_parse_mount("type=image,source=i,dst=/y,rw=true,subpath=a/b", &err);

	g_assert_no_error(err);
	g_assert_cmpint(image->type, ==, MOUNT_TYPE_IMAGE);
	g_assert_true(image->read_write);
	g_assert_cmpstr(image->subpath, ==, "a/b");
	g_autoptr(MountRequest) volume = spec_parse_mount("source=v,dst=/y,nocopy", &err);
	g_assert_cmpint(volume->type, ==, MOUNT_TYPE_VOLUME);
	g_assert_true(volume->no_copy);
	g_autoptr(MountRequest) devpts = spec_parse_mount("type=devpts,dst=/p,uid=5,max=9", &err);
	g_assert_cmpint(devpts->type, ==, MOUNT_TYPE_DEVPTS);
	g_assert_cmpint(devpts->uid, ==, 5);
	g_assert_cmpint(devpts->gid, ==, -1);
	g_assert_cmpuint(devpts->max, ==, 9);
	g_assert_cmpuint(devpts->mode, ==, 0620);
	g_autoptr(MountRequest) glob = spec_parse_mount("type=glob,src=/usr/lib*", &err);
	g_assert_no_error(err);
	g_assert_null(glob->destination);
	g_assert_null(spec_parse_mount("type=npipe,src=x,dst=/y", &err));
	g_assert_true(error_is(err, ERROR_UNSUPPORTED));
}

static void test_absolute(void) {
	static const struct {
		const char *text, *volume, *mount;
	} cases[] = {
		{"./a:/b:ro", "/cwd/a:/b:ro", "./a:/b:ro"},
		{"../a:/b", "/a:/b", "../a:/b"},
		{"data:/b", "data:/b", "data:/b"},
		{".", ".", "."},
		{"type=bind,src=x,dst=/b", "type=bind,src=x,dst=/b", "type=bind,src=/cwd/x,dst=/b"},
		{"type=bind,\"source=./x,y\",dst=/b", "type=bind,\"source=./x,y\",dst=/b",
			"type=bind,\"source=/cwd/x,y\",dst=/b"},
	};

	array_foreach (row, cases) {
		g_autofree char *volume = spec_absolute_volume(row->text, "/cwd");
		g_autofree char *mount = spec_absolute_mount(row->text, "/cwd");
		g_assert_cmpstr(volume, ==, row->volume);
		g_assert_cmpstr(mount, ==, row->mount);
	}
}

static void test_restart(void) {
	static const struct {
		const char *text;
		RestartPolicy policy;
		unsigned retries;
	} good[] = {
		{"", RESTART_NO, 0},
		{"no", RESTART_NO, 0},
		{"never", RESTART_NO, 0},
		{"always", RESTART_ALWAYS, 0},
		{"unless-stopped", RESTART_UNLESS_STOPPED, 0},
		{"on-failure", RESTART_ON_FAILURE, 0},
		{"on-failure:5", RESTART_ON_FAILURE, 5},
	};
	static const char *const bad[] = {"yes", "always:3", "on-failure:", "on-failure:-1",
		"on-failure:x", "Always", "on-failures"};
	RestartPolicy policy;
	unsigned retries;

	array_foreach (row, good) {
		g_assert_true(spec_parse_restart(row->text, &policy, &retries, NULL));
		g_assert_cmpint(policy, ==, row->policy);
		g_assert_cmpuint(retries, ==, row->retries);
	}
	array_foreach (text, bad)
		g_assert_false(spec_parse_restart(*text, &policy, &retries, NULL));
}

static void test_network(void) {
	static const struct {
		const char *text;
		NetworkMode mode;
		const char *name, *ip, *mac, *interface;
	} good[] = {
		{"", NETWORK_BRIDGE, NULL, NULL, NULL, NULL},
		{"bridge", NETWORK_BRIDGE, NULL, NULL, NULL, NULL},
		{"private", NETWORK_BRIDGE, NULL, NULL, NULL, NULL},
		{"none", NETWORK_NONE, NULL, NULL, NULL, NULL},
		{"host", NETWORK_HOST, NULL, NULL, NULL, NULL},
		{"container:web", NETWORK_CONTAINER, "web", NULL, NULL, NULL},
		{"ns:/run/netns/x", NETWORK_NAMESPACE, "/run/netns/x", NULL, NULL, NULL},
		{"mine", NETWORK_BRIDGE, "mine", NULL, NULL, NULL},
		{"mine:ip=10.0.0.7,mac=AA:bb:cc:dd:ee:0f,interface_name=eth7", NETWORK_BRIDGE,
			"mine", "10.0.0.7", "aa:bb:cc:dd:ee:0f", "eth7"},
		{"bridge:ip=fe80:0::1", NETWORK_BRIDGE, NULL, "fe80::1", NULL, NULL},
	};
	static const char *const bad[] = {"none:x", "host:ip=1.2.3.4", "container:", "container",
		"ns:x", "-x", "a/b", "a,b", "mine:ip=1.2.3", "mine:mac=x", "mine:what=1",
		"mine:interface_name=much-too-long-name", "mine:mac=01:00:00:00:00:00",
		"mine:alias=a b"};

	array_foreach (row, good) {
		g_autoptr(GError) err = NULL;
		g_autoptr(NetworkRequest) request = spec_parse_network(row->text, &err);
		g_assert_no_error(err);
		g_assert_cmpint(request->mode, ==, row->mode);
		g_assert_cmpstr(request->name, ==, row->name);
		g_assert_cmpstr(request->ip, ==, row->ip);
		g_assert_cmpstr(request->mac, ==, row->mac);
		g_assert_cmpstr(request->interface_name, ==, row->interface);
	}
	array_foreach (text, bad) {
		g_autoptr(GError) err = NULL;
		g_test_message("bad network \"%s\"", *text);
		g_assert_null(spec_parse_network(*text, &err));
		g_assert_true(error_is(err, ERROR_INVALID));
	}
	g_autoptr(GError) err = NULL;
	g_assert_null(spec_parse_network("pasta:-t,80", &err));
	g_assert_true(error_is(err, ERROR_UNSUPPORTED));
	g_autoptr(NetworkRequest) aliases = spec_parse_network("n:alias=a,alias=b", NULL);
	g_assert_cmpuint(g_strv_length(aliases->aliases), ==, 2);
}

static void test_add_host(void) {
	static const char *const bad[] = {"", "a", ":1.2.3.4", "a:", "a:x", "a b:1.2.3.4",
		"a;:1.2.3.4", ";:1.2.3.4", "a:1.2.3.4\nevil", "a\nb:1.2.3.4", "a:[::1"};
	g_auto(GStrv) names = NULL, more = NULL;
	g_autofree char *address = NULL, *other = NULL;

	g_assert_true(spec_parse_add_host("db;cache.local:[0::1]", &names, &address, NULL));
	g_assert_cmpuint(g_strv_length(names), ==, 2);
	g_assert_cmpstr(names[1], ==, "cache.local");
	g_assert_cmpstr(address, ==, "::1");
	g_assert_true(spec_parse_add_host("me:host-gateway", &more, &other, NULL));
	g_assert_null(other);
	array_foreach (text, bad) {
		g_autoptr(GError) err = NULL;
		g_test_message("bad host \"%s\"", *text);
		g_assert_false(spec_parse_add_host(*text, &names, &address, &err));
		g_assert_true(error_is(err, ERROR_INVALID));
	}
}

static void test_share(void) {
	const int usual = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	const struct {
		const char *text;
		int flags;
	} good[] = {
		{NULL, usual},
		{"", 0},
		{"none", 0},
		{"net", CLONE_NEWNET},
		{"net,ipc,uts,pid", usual | CLONE_NEWPID},
		{"+pid", usual | CLONE_NEWPID},
	};
	g_autoptr(GError) err = NULL;
	int flags;

	array_foreach (row, good) {
		g_assert_true(spec_parse_share(row->text, &flags, NULL));
		g_assert_cmpint(flags, ==, row->flags);
	}
	g_assert_false(spec_parse_share("net,+pid", &flags, NULL));
	g_assert_false(spec_parse_share("mnt", &flags, NULL));
	g_assert_true(spec_parse_share("net,user", &flags, &err));
	g_assert_no_error(err);
	g_assert_cmpint(flags, ==, CLONE_NEWNET | CLONE_NEWUSER);
}

static void test_ulimit(void) {
	static const struct {
		const char *text;
		int resource;
		uint64_t soft, hard;
	} good[] = {
		{"nofile=1024:2048", RLIMIT_NOFILE, 1024, 2048},
		{"nofile=1024", RLIMIT_NOFILE, 1024, 1024},
		{"core=-1", RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY},
		{"core=0:-1", RLIMIT_CORE, 0, RLIM_INFINITY},
		{"host", -1, 0, 0},
	};
	static const char *const bad[] = {"", "nofile", "nofile=", "nofile=x", "nofile=2:1",
		"nofile=1:2:3", "what=1", "=1", "nofile=-1:5", "NOFILE=1", "nofile=1:"};
	uint64_t soft, hard;
	int resource;

	array_foreach (row, good) {
		g_assert_true(spec_parse_ulimit(row->text, &resource, &soft, &hard, NULL));
		g_assert_cmpint(resource, ==, row->resource);
		g_assert_cmpuint(soft, ==, row->soft);
		g_assert_cmpuint(hard, ==, row->hard);
	}
	array_foreach (text, bad) {
		g_test_message("bad limit \"%s\"", *text);
		g_assert_false(spec_parse_ulimit(*text, &resource, &soft, &hard, NULL));
	}
}

static void test_env_name(void) {
	g_assert_true(spec_env_name_ok("A=b c"));
	g_assert_true(spec_env_name_ok("A"));
	g_assert_true(spec_env_name_ok("A*"));
	g_assert_false(spec_env_name_ok(""));
	g_assert_false(spec_env_name_ok("=x"));
	g_assert_false(spec_env_name_ok("A B=x"));
	g_assert_false(spec_env_name_ok("A\n=x"));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/spec_parse/port", test_port);
	g_test_add_func("/model/spec_parse/volume", test_volume);
	g_test_add_func("/model/spec_parse/tmpfs", test_tmpfs);
	g_test_add_func("/model/spec_parse/mount", test_mount);
	g_test_add_func("/model/spec_parse/mount-types", test_mount_types);
	g_test_add_func("/model/spec_parse/device", test_device);
	g_test_add_func("/model/spec_parse/absolute", test_absolute);
	g_test_add_func("/model/spec_parse/restart", test_restart);
	g_test_add_func("/model/spec_parse/network", test_network);
	g_test_add_func("/model/spec_parse/add-host", test_add_host);
	g_test_add_func("/model/spec_parse/share", test_share);
	g_test_add_func("/model/spec_parse/ulimit", test_ulimit);
	g_test_add_func("/model/spec_parse/env-name", test_env_name);
	return g_test_run();
}
