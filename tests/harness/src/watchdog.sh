# Stops what a run started and removes its folder when the process that made the run is gone, however it went.
# $1: the run folder. Standard input: a pipe whose other end only that process holds.
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
rm -rf "$run"
