//! A real broker: mosquitto on loopback, with whatever configuration a test needs, and `mosquitto_sub` as an
//! independent client.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker that ends with this value. It can be killed and started again on the same port.
pub struct Broker {
    folder: TempDir,
    port: u16,
    server: Option<Child>,
    client: Vec<String>,
}

/// Whether the programs are there; says so when they are not.
///
/// # Panics
/// When they are not and `UNDERTONE_REQUIRE_RIG` is set.
pub fn available() -> bool {
    [
        ("mosquitto", "mosquitto"),
        ("mosquitto_sub", "mosquitto-clients"),
        ("openssl", "openssl"),
    ]
    .iter()
    .all(|(program, package)| super::has(program, package))
}

impl Broker {
    /// Starts a broker that takes everybody.
    pub fn open() -> Self {
        Self::start("allow_anonymous true\n", &[])
    }

    /// Starts a broker with these lines of configuration; its own clients get these arguments. `FOLDER` stands for
    /// the folder of [`Broker::path`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(config: &str, client: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), config, client)
    }

    /// [`Broker::start`] in a folder that was prepared.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_in(folder: TempDir, config: &str, client: &[&str]) -> Self {
        let place = folder.path().display().to_string();
        let with_place = |text: &str| text.replace("FOLDER", &place);
        let client = client.iter().map(|text| with_place(text)).collect();
        let mut broker = Broker {
            folder,
            port: 0,
            server: None,
            client,
        };
        // Somebody else may take a free port before the broker does.
        for _ in 0..5 {
            broker.port = free_port();
            // It gives root up for a user that could not read the folder, unless it is told not to. As another user it
            // stays who it is.
            let fixed = format!(
                "per_listener_settings false\nlistener {} 127.0.0.1\nuser root\n",
                broker.port
            );
            let text = fixed + &with_place(config);
            fs::write(broker.path("broker.conf"), text).expect("written");
            if broker.listens() {
                return broker;
            }
        }
        panic!("mosquitto does not start: {}", broker.log());
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file beside its configuration.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it again after [`Broker::kill`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn run(&mut self) {
        let until = Instant::now() + PATIENCE;
        while !self.listens() {
            let log = self.log();
            assert!(Instant::now() < until, "mosquitto does not listen: {log}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Starts it, and waits until it listens; not if it ends, as when its port is taken.
    fn listens(&mut self) -> bool {
        let log = fs::File::create(self.path("broker.log")).expect("a log");
        let server = Command::new("mosquitto")
            .arg("-c")
            .arg(self.path("broker.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let server = self.server.insert(server.expect("mosquitto starts"));
        let until = Instant::now() + PATIENCE;
        loop {
            if server.try_wait().expect("its state").is_some() {
                return false;
            }
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                // With nobody there, a port of this range may be connected to itself.
                let itself = stream.local_addr().ok() == stream.peer_addr().ok();
                if !itself && server.try_wait().expect("its state").is_none() {
                    return true;
                }
            }
            assert!(Instant::now() < until, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("broker.log")).unwrap_or_default()
    }

    /// Kills it, with -9.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Subscribes to everything, and returns when that is in force.
    ///
    /// # Panics
    /// When it does not come.
    pub fn subscribe(&self) -> Subscriber {
        let child = self
            .program("mosquitto_sub")
            .args(["-q", "1", "-F", "%r %t %p", "-t", "#"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.expect("mosquitto_sub starts");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let output = child.stdout.take().expect("its output");
        let reader = Arc::clone(&seen);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                reader
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(Seen::parse(&line));
            }
        });
        let subscriber = Subscriber { child, seen };
        // A message of ours that comes back shows that it listens.
        let until = Instant::now() + PATIENCE;
        while subscriber.on("test/ready").is_empty() {
            assert!(Instant::now() < until, "mosquitto_sub does not subscribe");
            self.publish("test/ready", "{}", false);
            std::thread::sleep(Duration::from_millis(50));
        }
        subscriber
    }

    /// Publishes a message.
    pub fn publish(&self, topic: &str, payload: &str, retain: bool) {
        let mut command = self.program("mosquitto_pub");
        command.args(["-q", "1", "-t", topic, "-m", payload]);
        if retain {
            command.arg("-r");
        }
        // One that comes while the broker is down is tried again by the test.
        let _ = command.stderr(Stdio::null()).status();
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        let port = self.port.to_string();
        command
            .args(["-h", "localhost", "-p", &port])
            .args(&self.client);
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A message that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// It was there before the subscriber.
    pub retained: bool,
    /// The topic.
    pub topic: String,
    /// The payload, as text.
    pub payload: String,
}

impl Seen {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(3, ' ');
        Some(Seen {
            retained: parts.next()? == "1",
            topic: parts.next()?.into(),
            payload: parts.next().unwrap_or_default().into(),
        })
    }

    /// The payload as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// `mosquitto_sub`, and what it has seen.
pub struct Subscriber {
    child: Child,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Subscriber {
    /// Everything that came, in order.
    pub fn all(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What came on topics that end so.
    pub fn on(&self, topic: &str) -> Vec<Seen> {
        let mut all = self.all();
        all.retain(|seen| seen.topic.ends_with(topic));
        all
    }

    /// Everything that came, once it has read to the end what a broker that is dead had sent: however slow the machine is.
    ///
    /// # Panics
    /// When it does not get there.
    pub fn all_of_a_dead(&self, broker: &Broker) -> Vec<Seen> {
        let until = Instant::now() + PATIENCE;
        while is_connected(broker.port) {
            assert!(Instant::now() < until, "mosquitto_sub does not read on");
            std::thread::sleep(Duration::from_millis(10));
        }
        // From its output to our list.
        let mut seen = self.all();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.all();
            if now.len() == seen.len() {
                return now;
            }
            seen = now;
        }
    }

    /// Waits until what came on such topics satisfies a condition.
    ///
    /// # Panics
    /// When that does not come.
    pub fn wait(&self, topic: &str, what: &str, holds: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = self.on(topic);
            if holds(&seen) {
                return seen;
            }
            assert!(Instant::now() < until, "{what} does not come: {seen:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether any socket of this machine is connected to this port, or has not read all that came from there (`proc_net_tcp`).
fn is_connected(port: u16) -> bool {
    let remote = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|list| {
        let list = fs::read_to_string(list).unwrap_or_default();
        list.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(2);
            let (to, state) = (fields.next(), fields.next());
            to.is_some_and(|to| to.ends_with(&remote)) && matches!(state, Some("01" | "08"))
        })
    })
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority of our own, and certificates that it signs: PEM files in a folder.
pub struct Authority<'a>(&'a Path);

impl<'a> Authority<'a> {
    /// Makes `NAME.pem` and `NAME.key` in the folder.
    pub fn new(folder: &'a Path, name: &str) -> Self {
        openssl(
            folder,
            &format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem \
                 -days 2 -subj /CN={name} -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign"
            ),
        );
        Authority(folder)
    }

    /// Makes a certificate `NAME.pem` with its key, signed by the authority `by`, for so many days (0: expired).
    pub fn sign(&self, by: &str, name: &str, days: u32) {
        let extensions = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
        fs::write(self.0.join("ext"), extensions).expect("written");
        openssl(
            self.0,
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
            ),
        );
        openssl(
            self.0,
            &format!(
                "x509 -req -in {name}.csr -CA {by}.pem -CAkey {by}.key -CAcreateserial -out {name}.pem -days {days} -extfile ext"
            ),
        );
    }
}

fn openssl(folder: &Path, words: &str) {
    let run = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl runs");
    let talk = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "openssl {words}: {talk}");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}
