//! nginx and Apache from Debian, on private ports with configurations of ours.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::process::{Process, free_port};

/// A running web server with its files. Dropping it ends it.
#[derive(Debug)]
pub struct WebServer {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Process,
    _files: TempDir,
}

/// What a real server is set up to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// Version shown, directory index on, a real `.git` folder (with its objects) and an `.env` in the root.
    Careless,
    /// As the package delivers it: its welcome page and its version.
    Default,
    /// No version, no index, security headers, dot files blocked.
    Careful,
}

/// Starts nginx on plain HTTP.
///
/// # Panics
/// If the package `nginx-light` (or another nginx) is not installed, or the server does not start.
#[must_use]
pub fn nginx(setup: Setup) -> WebServer {
    let (files, port) = (files(setup), free_port());
    let root = files.path().join("root");
    let own = match setup {
        Setup::Careless => "server_tokens on; location / { autoindex on; }".to_owned(),
        Setup::Default => "server_tokens on; index index.html;".to_owned(),
        Setup::Careful => format!(
            "server_tokens off; index index.html; {}\nlocation ~ /\\.(?!well-known/) {{ deny all; }}",
            careful_headers().map(|(name, value)| format!("add_header {name} \"{value}\" always;")).join("\n")
        ),
    };
    let base = files.path().display();
    let config = format!(
        "daemon off; master_process off; worker_processes 1; pid {base}/pid; error_log {base}/error.log;\n\
         events {{ worker_connections 64; }}\n\
         http {{\n types {{ text/html html; text/plain txt; }} default_type application/octet-stream; access_log off;\n\
         client_body_temp_path {base}/t1; proxy_temp_path {base}/t2; fastcgi_temp_path {base}/t3;\n\
         uwsgi_temp_path {base}/t4; scgi_temp_path {base}/t5;\n\
         server {{ listen 127.0.0.1:{port}; root {}; {own} }}\n}}\n",
        root.display()
    );
    let path = files.path().join("nginx.conf");
    fs::write(&path, config).unwrap();
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-c").arg(&path).arg("-e").arg(files.path().join("start.log"));
    running("nginx", "nginx-light", command, files, port)
}

/// Starts Apache on plain HTTP.
///
/// # Panics
/// If the package `apache2` is not installed, or the server does not start.
#[must_use]
pub fn apache(setup: Setup) -> WebServer {
    let (files, port) = (files(setup), free_port());
    let root = files.path().join("root");
    let own = match setup {
        Setup::Careless => "ServerTokens OS\nServerSignature On\nTraceEnable On\nOptions +Indexes\n".to_owned(),
        Setup::Default => "ServerTokens OS\nServerSignature On\nTraceEnable Off\n".to_owned(),
        Setup::Careful => format!(
            "ServerTokens Prod\nServerSignature Off\nTraceEnable Off\n{}\n<DirectoryMatch \"/\\.(?!well-known)\">\nRequire all denied\n</DirectoryMatch>\n<FilesMatch \"^\\.\">\nRequire all denied\n</FilesMatch>\n",
            careful_headers().map(|(name, value)| format!("Header always set {name} \"{value}\"")).join("\n")
        ),
    };
    // `Options` is a directive of a folder; the others belong to the server.
    let (server, folder): (Vec<&str>, Vec<&str>) = own.lines().partition(|line| !line.starts_with("Options"));
    let modules = ["mpm_event", "authz_core", "mime", "dir", "autoindex", "headers", "alias"]
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"))
        .join("\n");
    let base = files.path().display();
    let config = format!(
        "{modules}\nServerRoot {base}\nDefaultRuntimeDir {base}\nPidFile {base}/pid\nErrorLog {base}/error.log\n\
         ServerName 127.0.0.1\nListen 127.0.0.1:{port}\nUser www-data\nGroup www-data\nTypesConfig /etc/mime.types\n\
         DocumentRoot {root}\nDirectoryIndex index.html\n{}\n<Directory {root}>\nRequire all granted\n{}\n</Directory>\n",
        server.join("\n"),
        folder.join("\n"),
        root = root.display()
    );
    let path = files.path().join("apache.conf");
    fs::write(&path, config).unwrap();
    let mut command = Command::new("/usr/sbin/apache2");
    // One process: ending it leaves no child behind.
    command.arg("-X").arg("-f").arg(&path);
    running("Apache", "apache2", command, files, port)
}

/// Headers of a careful site, without those that only HTTPS needs.
fn careful_headers() -> [(&'static str, &'static str); 3] {
    [
        ("Content-Security-Policy", super::web::sites::STRONG_CSP),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ]
}

fn running(what: &str, package: &str, command: Command, files: TempDir, port: u16) -> WebServer {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut process = Process::spawn(what, package, command, &files.path().join("output.log"));
    process.wait_for_port(address);
    WebServer { address, _process: process, _files: files }
}

fn files(setup: Setup) -> TempDir {
    // Not the default prefix `.tmp`: rules that block dot folders would match the document root itself.
    let files = tempfile::Builder::new().prefix("bartizan-lab").tempdir().unwrap();
    open_to_all(files.path());
    let root = files.path().join("root");
    fs::create_dir(&root).unwrap();
    open_to_all(&root);
    match setup {
        Setup::Careless => {
            fs::write(root.join("notes.txt"), "notes\n").unwrap();
            fs::write(root.join(".env"), format!("APP_KEY={}\nDEBUG=true\n", super::web::sites::ENV_VALUE)).unwrap();
            repository(&root);
        }
        Setup::Default => {
            fs::write(root.join("index.html"), "<!DOCTYPE html><html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1></body></html>").unwrap();
        }
        Setup::Careful => {
            fs::write(
                root.join("index.html"),
                "<!DOCTYPE html><html><head><title>Site</title></head><body></body></html>",
            )
            .unwrap();
            fs::write(root.join(".env"), "APP_KEY=blocked\n").unwrap();
            let folder = root.join(".well-known");
            fs::create_dir(&folder).unwrap();
            open_to_all(&folder);
            fs::write(folder.join("security.txt"), super::web::sites::SECURITY_TXT).unwrap();
        }
    }
    files
}

/// A real repository with one commit, made by git itself.
fn repository(root: &Path) {
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .current_dir(root)
            .args(["-c", "user.name=lab", "-c", "user.email=lab@site.test"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap_or_else(|error| panic!("git cannot be started ({error}): install the package git"));
        assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "notes.txt"]);
    git(&["commit", "-q", "-m", "notes"]);
}

/// Web servers read as a user of their own; temporary folders are private by default.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}
