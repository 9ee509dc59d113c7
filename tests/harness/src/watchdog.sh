# Stops what a run started and removes its traces when the process that made the run is gone, however it went.
# $1: the run folder. Standard input: a pipe whose other end only that process holds; nothing, for a run that is dead already.
run=$1
trap '' HUP INT TERM
cat >/dev/null
[ -d "$run" ] || exit 0

# A recorded id counts only while its command line still names this run: ids are used again.
alive() {
    for record in "$run"/*.pid; do
        pid=$(cat "$record" 2>/dev/null) && grep -qsF "$run" "/proc/$pid/cmdline" && echo "$pid"
    done
}
stop() {
    for pid in $(alive); do kill -s "$1" "$pid" 2>/dev/null; done
}
stop TERM
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(alive)" ] || break
    sleep 0.2
done
stop KILL

# The control groups of a cluster bear the name of its run. Their processes were in a PID namespace whose first process is
# gone: the kernel has killed them, and a group can be removed as soon as the last of them has left.
name=countersign-${run##*/}
for group in "/sys/fs/cgroup/$name" /sys/fs/cgroup/*/"$name"; do
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ -d "$group" ] || break
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.2
    done
done
rm -rf "$run"
