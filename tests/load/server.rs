//! A server process of a test, and what is seen of it from outside.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// No scene may take more memory than this: the process, its certificates, and a few thousand connections.
const MOST_MEMORY: usize = 400 << 20;

/// As long as a kubelet waits for the answer of a probe.
const PROBE: Duration = Duration::from_secs(1);

/// A server, ended when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) folder: TempDir,
    pub(crate) reviews: SocketAddr,
    health: SocketAddr,
}

impl Server {
    /// With these limits of the configuration file, as YAML in braces, and room for this many open files.
    pub(crate) fn start(limits: &str, open_files: usize) -> Self {
        Self::with(limits, open_files, &std::fs::read_to_string("manifests/samples/allow-list.yaml").unwrap())
    }

    /// With this allow-list, a file of ConfigMaps.
    pub(crate) fn listing(allow_list: &str) -> Self {
        Self::with("{}", 1_000, allow_list)
    }

    fn with(limits: &str, open_files: usize, allow_list: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("allow-list.yaml"), allow_list).unwrap();
        let configuration = folder.path().join("configuration.yaml");
        let text = format!("apiVersion: countersign.dev/v1alpha1\nkind: Configuration\nlimits: {limits}\n");
        std::fs::write(&configuration, text).unwrap();
        let mut process = Command::new("sh")
            .args(["-c", &format!("ulimit -n {open_files} && exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_countersign"))
            .args(["serve", "--standalone", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "json"])
            .arg("--allow-list")
            .arg(folder.path().join("allow-list.yaml"))
            .arg("--self-signed")
            .arg(folder.path())
            .arg("--config")
            .arg(&configuration)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let serving = log
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find(|line| line["fields"]["message"] == "serving")
            .expect("the server says where it listens");
        // What it logs later is read and thrown away, so that it never waits for us.
        std::thread::spawn(move || log.for_each(drop));
        let address = |field: &str| serving["fields"][field].as_str().unwrap().parse().unwrap();
        Self { reviews: address("reviews"), health: address("health"), process, folder }
    }

    /// Asks as the kubelet does, and holds the process to its memory.
    pub(crate) fn is_well(&self) {
        let asked = Instant::now();
        let answer = self.get("/livez");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(asked.elapsed() < PROBE, "the probe took {:?}", asked.elapsed());
        let memory = self.memory();
        assert!(memory < MOST_MEMORY, "{} MiB", memory >> 20);
    }

    /// Whether the metrics have a line that begins so, without the prefix of the names.
    pub(crate) fn counts(&self, line: &str) -> bool {
        self.get("/metrics").contains(&format!("\ncountersign_{line}"))
    }

    fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect_timeout(&self.health, PROBE).unwrap();
        socket.set_read_timeout(Some(PROBE * 5)).unwrap();
        socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Bytes of the process in memory.
    pub(crate) fn memory(&self) -> usize {
        self.size("VmRSS:")
    }

    /// The most bytes that the process ever had in memory: what one answer took is given back before anybody looks.
    pub(crate) fn peak(&self) -> usize {
        self.size("VmHWM:")
    }

    /// How long the process has worked on processors: on a busy machine an answer takes longer than the work does.
    ///
    /// Source: proc(5), fields 14 and 15 of /proc/PID/stat, in ticks of which there are 100 a second on Linux.
    pub(crate) fn worked(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let (_, behind_the_name) = stat.rsplit_once(')').unwrap();
        let ticks = behind_the_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// A size in bytes. Source: proc(5), /proc/PID/status.
    fn size(&self, field: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
