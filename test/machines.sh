#!/bin/bash
# machines.sh [STATE...]
#	"make demo" and the rest of README.md on machines in every state, each a
#	throw-away root of Debian.  Prints TAP.  Takes root, debootstrap, overlayfs,
#	a network and some 40 minutes: it belongs to a release, not to "make test".
#
#	MACHINES	where the roots are kept (.cache/machines)
#	MIRROR		where packages come from (the first source of this machine)
#	SUITE		the release of Debian (bookworm)
#
# A root is a stack of layers.  All that a state writes is in the top layer, so it
# shows each file that was written, and where.
set -uo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
source=$PWD
machines=${MACHINES:-$PWD/.cache/machines}
suite=${SUITE:-bookworm}
mirror=${MIRROR:-$(awk '!found && ($1 == "URIs:" || $1 == "deb") { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; found = 1; break } }' \
	/etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2> /dev/null)}
[ -n "$mirror" ] || { echo "machines.sh: no source of packages is known; name one in MIRROR" >&2; exit 1; }
version=15
number=0

ok() { number=$((number + 1)); echo "ok $number - $state: $1"; }
not_ok() { number=$((number + 1)); bad=1; echo "not ok $number - $state: $1"; }
is() { if "${@:2}"; then ok "$1"; else not_ok "$1"; fi; }

#
# Layers
#
base()
{
	[ -e "$machines/$suite/.complete" ] && return
	mkdir -p "$machines"
	debootstrap --variant=minbase --include=make,ca-certificates "$suite" "$machines/$suite" "$mirror" > "$machines/debootstrap.log" 2>&1 || exit 1
	# no daemons, and no waiting for disks
	printf '#!/bin/sh\nexit 101\n' > "$machines/$suite/usr/sbin/policy-rc.d"
	chmod +x "$machines/$suite/usr/sbin/policy-rc.d"
	echo force-unsafe-io > "$machines/$suite/etc/dpkg/dpkg.cfg.d/unsafe-io"
	touch "$machines/$suite/.complete"
}

# mount_root LAYER: a new root upon a layer ("bare" is the base)
mount_root()
{
	local lower=$machines/$suite

	[ "$1" = bare ] || lower=$machines/layer-$1:$lower
	root=$machines/root upper=$machines/upper
	rm -rf "$upper" "$machines/work"
	mkdir -p "$root" "$upper" "$machines/work" "$machines/archives"
	mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$machines/work" "$root"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/dev/shm"
	mount --bind "$machines/archives" "$root/var/cache/apt/archives"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
}

umount_root()
{
	local dir

	# the servers that a state has left
	processes | xargs -r kill -9 2> /dev/null
	sleep 0.2
	awk -v root="$root" '$2 == root || index($2, root "/") == 1 { print $2 }' /proc/mounts | sort -r | while read -r dir; do
		umount "$dir" || umount -l "$dir"
	done
}
trap 'umount_root 2> /dev/null' EXIT
trap 'exit 130' INT TERM

inside() { env -i DEMO_PEOPLE=5000 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }

# layer NAME: packages installed by hand, upon the base
layer()
{
	local name=$1 server="postgresql-$version libpq-dev gcc libc6-dev"

	case $name in
		client) set -- "postgresql-client-$version" libpq-dev gcc libc6-dev ;;
		server) set -- $server ;;
		dev) set -- "postgresql-server-dev-$version" gcc libc6-dev ;;
		full) set -- $server "postgresql-server-dev-$version" ;;
		sudo) set -- sudo ;;
	esac
	[ -e "$machines/layer-$name" ] && return
	mount_root bare
	inside mkdir -p /etc/postgresql-common
	echo 'create_main_cluster = false' > "$root/etc/postgresql-common/createcluster.conf"
	if ! { inside apt-get update && inside apt-get install -y --no-install-recommends "$@"; } > "$machines/layer-$name.log" 2>&1; then
		echo "Bail out! layer $name: $machines/layer-$name.log"
		exit 1
	fi
	inside useradd -m ann
	umount_root
	mv "$upper" "$machines/layer-$name"
}

#
# Running
#

# put [DIRECTORY]: the sources
put()
{
	mkdir -p "$root${1:-/src}"
	tar -C "$source" --exclude=./.git --exclude=./.cache --exclude=./.demo-server --exclude='*.o' --exclude='*.so' --exclude='./biometric*--*.sql' -cf - . |
		tar -C "$root${1:-/src}" -xf - --no-same-owner
}

# sh COMMANDS: as root, in /src
sh() { inside bash -c "cd /src; $1" > "$machines/log" 2>&1; }
# ann COMMANDS: as an ordinary user without sudo
ann() { inside setpriv --reuid ann --regid ann --clear-groups env HOME=/home/ann USER=ann bash -c "cd /src; $1" > "$machines/log" 2>&1; }

says() { grep -qE "$1" "$machines/log"; }
demo_worked() { says 'ORDER BY eye|ORDER BY code|and by iris' && says '4711'; }

# What has been written outside of /src, temporary directories and homes; what
# packages brought is not counted.
written()
{
	(cd "$upper" && find . \( -type f -o -type c -o -type l ! -lname '/etc/alternatives/*' \) -printf '/%P\n') |
		grep -vE '^/(src|my sources|opt|tmp|var/tmp|home|root|proc|dev|run|var/(log|lib|cache)|etc)/|__pycache__' | sort > "$machines/written"
	inside bash -c 'cat /var/lib/dpkg/info/*.list' 2> /dev/null | sed 's|^/bin/|/usr/bin/|; s|^/lib|/usr/lib|; s|^/sbin/|/usr/sbin/|' | sort -u > "$machines/packaged"
	comm -23 "$machines/written" "$machines/packaged" | grep -vE '^/usr/(share/(info/dir|mime|applications|perl5/Debian)|lib/(locale|.*\.cache|udev)|bin/(awk|pager|pg_config\.libpq-dev)|.*/(ld.so.cache|giomodule))' > "$machines/stray"
	[ ! -s "$machines/stray" ]
}
# the processes of the root
processes()
{
	local dir

	for dir in /proc/[0-9]*; do
		[ "$(readlink "$dir/root")" != "$root" ] || echo "${dir#/proc/}"
	done
}
# nothing is left running or lying about
clean()
{
	[ -z "$(find "$root/tmp" "$root/var/tmp" "$root/src/tmp" -maxdepth 2 -name 'biometric*' 2> /dev/null)" ] && [ -z "$(processes)" ]
}

demo_works()
{
	is "make demo works" demo_worked
	is "nothing is written outside the private directory" written
	is "nothing is left behind" clean
}

show() { [ -z "${bad:-}" ] || { sed 's/^/# /' "$machines/log" | tail -n 25; [ ! -s "$machines/stray" ] || sed 's/^/# stray: /' "$machines/stray" | head -n 20; }; }

#
# States
#
state_bare() { mount_root bare; put; sh 'make demo'; demo_works; is "it says how much there is to download" says 'to download: .*MB'; cp "$machines/log" "$machines/log.bare"; }
state_client_only() { layer client; mount_root client; put; sh 'make demo'; demo_works; }
state_server_only() { layer server; mount_root server; put; sh 'make demo'; demo_works; }
state_dev_only() { layer dev; mount_root dev; put; sh 'make demo'; demo_works; }
state_complete() { layer full; mount_root full; put; sh 'make demo'; demo_works; is "nothing is installed" bash -c "! grep -q Installing $machines/log"; }
state_no_apt() { layer full; mount_root full; rm "$root"/usr/bin/apt*; put; sh 'make demo'; demo_works; }
state_no_apt_bare()
{
	mount_root bare; rm "$root"/usr/bin/apt*; put; sh 'make demo'
	is "it says what is missing" says 'This machine lacks: gcc libc6-dev postgresql'
}
state_user() { layer full; mount_root full; put; ann 'make demo'; demo_works; }
state_user_server_only() { layer server; mount_root server; put; inside chown -R ann /src; ann 'make demo'; demo_works; }
state_user_bare()
{
	layer client; mount_root client; put; ann 'make demo'
	is "it says what to do" says 'run "make setup" as root once'
}
state_spaces() { layer full; mount_root full; put "/my sources"; inside bash -c 'cd "/my sources" && make demo' > "$machines/log" 2>&1; demo_works; }
state_umask() { layer full; mount_root full; put; sh 'umask 077; make demo'; demo_works; }
state_umask_bare() { mount_root bare; put; inside useradd -m ann; sh 'umask 077; make setup'; ann 'make demo'; demo_works; }
state_read_only()
{
	layer full; mount_root full; put; mount --bind "$root/src" "$root/src"; mount -o remount,ro,bind "$root/src"
	sh 'make demo'; demo_works
	ann 'make demo-server'; is "make demo-server" says 'The server keeps running'
	ann 'make demo-server'; is "again: it is running already" says 'A server is running already'
	ann 'make demo-stop'; is "make demo-stop" says 'Stopped and removed'
	is "nothing is left behind by demo-stop" clean
	ann 'HOME=/nonexistent make demo-server'; is "no place for the note: it says so at once" says 'needs a note of where it is'
}
state_read_only_bare()
{
	mount_root bare; put; mount --bind "$root/src" "$root/src"; mount -o remount,ro,bind "$root/src"
	sh 'make demo'; demo_works
}
state_noexec()
{
	layer full; mount_root full; put; mkdir "$root/noexec"; mount -t tmpfs -o noexec,mode=1777 tmpfs "$root/noexec"
	sh 'TMPDIR=/noexec make demo'
	is "it says what to do" says 'set TMPDIR to a directory where they can'
	is "nothing is left behind" clean
}
state_interrupted()
{
	local n

	layer full; mount_root full; put
	for n in 1 3 6 12; do
		# as Ctrl-C does it: the signal to all of the foreground
		inside setsid bash -c 'cd /src; make demo' > "$machines/log" 2>&1 & sleep $n
		pkill -INT -g "$(pgrep -n -f '^bash -c cd /src; make demo')" 2> /dev/null || pkill -INT -f 'test/stage.sh'
		wait
		sleep 1
		is "after $n s: nothing is left behind" clean
	done
	sh 'make demo'; demo_works
}
state_environment()
{
	layer full; mount_root full; put; mkdir "$root/src/tmp" "$root/tmp/it's mine"
	sh 'export CDPATH=/:/src/src; make demo'; is "CDPATH" demo_worked
	sh 'TMPDIR=tmp make demo'; is "TMPDIR is relative" demo_worked
	sh "TMPDIR=\"/tmp/it's mine\" make demo"; is "TMPDIR with a quote and a space" demo_worked
	sh 'TMPDIR=/nonexistent make demo'; is "TMPDIR that is not there" demo_worked
	is "nothing is left behind" clean
	is "nothing is written outside the private directory" written
}
state_locked()
{
	layer client; mount_root client; put
	inside perl -e 'use Fcntl; $lock = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0); for (qw(/var/lib/dpkg/lock-frontend /var/lib/apt/lists/lock)) { open $f{$_}, ">>", $_ or die; fcntl($f{$_}, F_SETLK, $lock) or die; } sleep 30' &
	sleep 1
	sh 'make demo'; is "it says that it waits" says 'Waiting: another program'; demo_works
	wait
}
state_kept()
{
	layer full; mount_root full; put; inside chown -R ann /src
	ann 'make demo-server'; is "make demo-server" says 'The server keeps running'
	ann 'psql -h $(cat .demo-server) -c "SELECT count(*) FROM watchlist" demo'; is "the server answers" says ' [0-9]{4}'
	ann 'chmod 0 .demo-server; make demo-stop'; is "an unreadable note: it does not say that there is no server" says 'cannot read'
	ann 'chmod 644 .demo-server; kill -9 $(head -n 1 $(cat .demo-server)/data/postmaster.pid); sleep 1; make demo-server'
	is "a dead server is not taken for a running one" says 'had stopped; what was left of it is removed'
	is "and there is a new one" says 'The server keeps running'
	ann 'make demo-stop'; is "make demo-stop" says 'Stopped and removed'
	is "nothing is left behind" clean
	ann 'make demo-stop'; is "make demo-stop again" says 'No server was kept running'
	ann 'make demo-server; rm -rf "$(cat .demo-server)"; make demo-stop'; is "its directory was removed" says 'is gone already'
}
state_not_copied()
{
	layer full; mount_root full; put
	# a pg_config that knows its places by heart
	mkdir -p "$root/opt/pg"; cp -a "$root/usr/lib/postgresql/$version/bin" "$root/opt/pg/bin"
	ln -s "/usr/lib/postgresql/$version/lib" "$root/opt/pg/lib" # where the server looks, by its own place
	{ echo '#!/bin/sh'; echo 'case $1 in'
	  inside "/usr/lib/postgresql/$version/bin/pg_config" | sed -n "/'/d; s/^\([A-Z-]*\) = \(.*\)/\1 \2/p" | while read -r key value; do
		[ "$key" != BINDIR ] || value=/opt/pg/bin
		printf -- "--%s) echo '%s' ;;\n" "$(echo "$key" | tr 'A-Z_' 'a-z-')" "$value"
	  done
	  echo esac; } > "$root/opt/pg/bin/pg_config"
	sh 'make demo PG_CONFIG=/opt/pg/bin/pg_config'
	is "it asks to be asked by name" says 'say INTO_POSTGRES=yes'
	is "nothing is installed" written
	sh 'make demo PG_CONFIG=/opt/pg/bin/pg_config INTO_POSTGRES=yes'
	is "asked by name, it works" demo_worked
}
state_vpath()
{
	layer full; mount_root full; put; mkdir "$root/build"
	sh 'cd /build && make -s -j2 -f /src/Makefile && make -s -f /src/Makefile install'
	is "a build elsewhere works" test -e "$root/usr/lib/postgresql/$version/lib/biometric.so"
	is "and writes nothing into the sources" bash -c "! find '$root/src' -name '*.o' -o -name 'biometric--*.sql' | grep -q ."
}
# README.md: from the demo to a database of one's own, as it stands there
state_readme()
{
	layer sudo; mount_root sudo; put
	inside bash -c 'useradd -m bob; echo "bob ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/bob'
	inside chown -R bob /src
	perl -I test/t/lib -MDocumentation -e 'binmode STDOUT, ":utf8"; for (page_blocks("README.md")) { print "$_->{text}\n" if ($_->{run_by} // "") eq "test/machines.sh" }' > "$root/src/commands"
	inside setpriv --reuid bob --regid bob --init-groups env HOME=/home/bob USER=bob bash -c 'cd /src; bash -ex commands' > "$machines/log" 2>&1
	is "the commands of README.md, one after the other" test $? = 0
	inside setpriv --reuid bob --regid bob --init-groups env HOME=/home/bob USER=bob bash -c 'cd /src; bash -ex commands' > "$machines/log" 2>&1
	is "and once more, on a machine that has the cluster, the role and the database" test $? = 0
}

all=$(declare -F | sed -n 's/^declare -f state_//p')
base
for state in ${*:-$all}; do
	bad=
	since=$SECONDS
	rm -f "$machines/stray"
	"state_$state"
	show
	umount_root
	echo "# $state took $((SECONDS - since)) s"
done
echo "1..$number"
