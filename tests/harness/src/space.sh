# The first process of a cluster's namespaces (network, mount, PID): makes them a machine of their own, and stays. When it ends,
# the kernel kills every other process in them and forgets mounts, links and rules; that is how a cluster is stopped.
# $1: the run folder. $2: the name of the run. $3: the address of the node.
# Standard input: a pipe whose other end only the maker of the run holds.
set -e
run=$1
name=$2
address=$3

# What programs write at fixed places goes to the run, or is forgotten with it.
mount --make-rprivate /
mount -t tmpfs -o mode=755 countersign /run
mkdir -p /run/lock /run/containerd
at() {
    [ -d "$1" ] || return 0
    mkdir -p "$run/machine$1"
    # What is there stays to be seen: containers' own folders are made beside it.
    for old in "$1"/*/; do
        [ -d "$old" ] || continue
        mkdir -p "$run/machine$old"
        mount --rbind "$old" "$run/machine$old"
    done
    mount --rbind "$run/machine$1" "$1"
}
at /var/lib
at /var/log
at /opt
# Mounts of volumes have to reach the containers that ask for that.
mount --make-rshared /

# A link of its own with the node's address, and a way to addresses that only rules know (those of Services).
echo 1 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
ip link add node type bridge
ip address add "$address/24" dev node
ip link set node up
ip route add default dev node

# The control groups under which the kubelet puts all pods. Those of pods that ran before a stop would be gone on a machine that
# starts; the kubelet would look at each of them for seconds.
for group in "/sys/fs/cgroup/$name" /sys/fs/cgroup/*/"$name"; do
    [ ! -d "$group" ] || find "$group" -mindepth 1 -depth -type d -exec rmdir {} +
done
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p "/sys/fs/cgroup/$name"
else
    for controller in /sys/fs/cgroup/*/; do
        mkdir -p "$controller$name" 2>/dev/null || true
    done
    # A group of version 1 takes processes only after it was told which CPUs and memory they get.
    cpuset=/sys/fs/cgroup/cpuset
    if [ -d "$cpuset/$name" ]; then
        cat "$cpuset/cpuset.cpus" >"$cpuset/$name/cpuset.cpus"
        cat "$cpuset/cpuset.mems" >"$cpuset/$name/cpuset.mems"
    fi
fi

echo the namespaces are ready
# This shell waits, and takes in the processes whose parents have ended.
cat >/dev/null
exit 0
