//! A real ssh server on loopback, with keys of its own.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where Debian has it.
const SSHD: &str = "/usr/sbin/sshd";

/// A server that the user who runs the tests can log into.
pub struct SshServer {
    child: Child,
    folder: tempfile::TempDir,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl SshServer {
    /// Starts one; `None` where no server is installed, unless the rig is required.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start() -> Option<Self> {
        if !Path::new(SSHD).exists() {
            let required = std::env::var_os("UNDERTONE_REQUIRE_RIG").is_some();
            assert!(!required, "openssh-server is missing");
            eprintln!("skipped: openssh-server is not installed");
            return None;
        }
        // Where root starts it, it asks for this folder.
        let _ = std::fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.path().join(name))
                .status();
            assert!(made.unwrap().success(), "ssh-keygen");
        }
        // The port is free when it is given back; nobody else on this machine is likely to take it at once.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp\n",
            path("host"),
            path("user.pub"),
        );
        std::fs::write(folder.path().join("sshd_config"), server).unwrap();
        let public = std::fs::read_to_string(folder.path().join("host.pub")).unwrap();
        let known = format!("[127.0.0.1]:{port} {public}");
        std::fs::write(folder.path().join("known_hosts"), known).unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let client = format!(
            "Host box\n HostName 127.0.0.1\n Port {port}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n \
             UserKnownHostsFile {}\n StrictHostKeyChecking yes\n",
            String::from_utf8(user).unwrap().trim(),
            path("user"),
            path("known_hosts"),
        );
        std::fs::write(folder.path().join("ssh_config"), client).unwrap();
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("sshd_config"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = SshServer {
            child,
            folder,
            port,
        };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "sshd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// A configuration of ssh in which the server is the host `box`.
    pub fn client_config(&self) -> PathBuf {
        self.folder.path().join("ssh_config")
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
