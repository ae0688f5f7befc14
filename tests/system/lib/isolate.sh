#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A place of its own for the system tests: isolate.sh STAGE STATE BIND COMMAND...
#
# The machine's root below a throw-away overlay with the installed files of STAGE on it, and own mount,
# network, PID, IPC, UTS and cgroup namespaces. What a test finds there is its own, and all of it ends
# with the command. STATE becomes /var/lib/podctl; BIND (several: with colons between) is writable under
# its own name. PODCTL_TEST_LOWER in the environment names another root than the machine's. As root.
set -eu

if [ "${1-}" != --inside ]; then
	cgroup=
	for base in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		if [ -e "$base/cgroup.procs" ]; then
			cgroup=$base/podctl-test-$$
			mkdir "$cgroup"
			break
		fi
	done
	room=$(mktemp -d)
	status=0
	# What runs is told as well, and ends first; then the rest here.
	trap : INT TERM
	PODCTL_TEST_CGROUP=$cgroup PODCTL_TEST_ROOM=$room \
		sh -c '[ -z "$PODCTL_TEST_CGROUP" ] || echo $$ > "$PODCTL_TEST_CGROUP/cgroup.procs"
		exec unshare --mount --propagation private --net --pid --ipc --uts --cgroup --fork --kill-child \
			sh "$@"' sh "$0" --inside "$@" || status=$?
	if [ -n "$cgroup" ]; then
		# The groups of processes that are just ending are busy for a moment.
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
			[ -d "$cgroup" ] || break
			sleep 0.1
		done
	fi
	rmdir "$room"
	exit "$status"
fi
shift
stage=$1 state=$2 bind=$3
shift 3
room=$PODCTL_TEST_ROOM
cgroup_mount=${PODCTL_TEST_CGROUP%/*}

mount -t tmpfs -o mode=755 tmpfs "$room"
mkdir "$room/upper" "$room/work" "$room/root"
[ -z "$stage" ] || cp -a "$stage/." "$room/upper/"
mkdir -p "$room/upper/var/lib/podctl"
mount -t overlay overlay -o "lowerdir=${PODCTL_TEST_LOWER:-/},upperdir=$room/upper,workdir=$room/work" "$room/root"
cd "$room/root"
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
old_ifs=$IFS
IFS=:
for path in $bind; do
	mkdir -p "./$path"
	mount --bind "$path" "./$path"
done
IFS=$old_ifs
mount --bind "$state" var/lib/podctl
pivot_root . .
umount -l .
cd /
if [ -n "$cgroup_mount" ]; then
	umount "$cgroup_mount"
	mount -t cgroup2 cgroup2 "$cgroup_mount"
fi
ip link set lo up
unset PODCTL_TEST_CGROUP PODCTL_TEST_ROOM
export PODCTL_TEST_ISOLATED=1
# Not exec: this shell is the init here and reaps what is left behind.
"$@" &
wait $!
