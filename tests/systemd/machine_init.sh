#!/bin/bash
# machine_init.sh FOLDER: becomes the systemd of a machine of its own. Run by machine.py as PID 1 of new
# mount, pid, network, uts, ipc and cgroup namespaces; nothing it mounts or writes is seen outside them.
#
# The root is this machine's own file system under a tmpfs that takes what is written; FOLDER/stage is
# copied onto it. Of this machine's units only those of basic.target are started.
set -euo pipefail
folder=$1
root=$folder/root
layers=$folder/layers

mount --make-rprivate /
hostname swarm-systemd-test
ip link set lo up
# The cgroup and proc mounts that are there show the namespaces outside: remembered, then made anew.
cgroups=$(awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/) print $5, $(i + 1), $(i + 3) }' \
  /proc/self/mountinfo)

mount -t tmpfs -o size=1g,mode=755 layers "$layers"
mkdir "$layers/written" "$layers/work"
mount -t overlay -o "lowerdir=/,upperdir=$layers/written,workdir=$layers/work" overlay "$root"
cd "$root"

mount -t proc proc proc
# Read-only, so that no unit of the machine's own sets the kernel's tunables or triggers its devices.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
for place in run dev tmp; do mount -t tmpfs -o mode=755 "$place" "$place"; done
chmod 1777 tmp
mkdir run/lock dev/pts dev/shm
for node in null zero full random urandom tty; do
  touch "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs shm dev/shm
touch dev/console

# The same hierarchies in the same places, seen from the cgroup namespace.
if ! grep -q '^/sys/fs/cgroup cgroup2 ' <<<"$cgroups"; then
  mount -t tmpfs -o mode=755 cgroups sys/fs/cgroup
fi
while read -r place type options; do
  [[ $place == /sys/fs/cgroup* ]] || continue
  mkdir -p "$root$place"
  if [[ $type == cgroup2 ]]; then
    mount -t cgroup2 cgroup2 "$root$place"
  else
    # Of a version 1 hierarchy's options only these say which one it is.
    which=$(tr , '\n' <<<"$options" | grep -vE '^(rw|ro|xattr|clone_children|release_agent=.*)$' | paste -sd,)
    [[ $which == name=* ]] && which=none,$which
    mount -t cgroup -o "$which" cgroup "$root$place"
  fi
done <<<"$cgroups"

# A machine as it is after installation: nothing enabled, no state, an identity and a journal of its own.
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires etc/systemd/system/swarmd.service* \
  var/lib/swarmd var/log/journal usr/sbin/policy-rc.d
: >etc/fstab
cp -a "$folder/stage/." .
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id

exec env -i container=swarm-systemd-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio \
  chroot "$root" /lib/systemd/systemd --unit=basic.target --log-target=journal-or-kmsg --show-status=1
