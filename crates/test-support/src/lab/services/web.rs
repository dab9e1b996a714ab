//! Servers of HTTP and of interfaces on top of it.

use super::{Server, Setup, command, is_root};

/// What an nginx serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// A page in plain HTTP.
    Plain,
    /// A page in HTTPS.
    Tls,
    /// Basic authentication in plain HTTP.
    BasicAuth,
}

/// nginx.
#[must_use]
pub fn nginx(site: Site) -> Server {
    let setup = Setup::new();
    setup.write("index.html", "<!doctype html><title>lab</title><p>A page.\n");
    let port = setup.port;
    let (listen, more) = match site {
        Site::Plain => (format!("127.0.0.1:{port}"), String::new()),
        Site::Tls => {
            let (certificate, key) = setup.certificate();
            (format!("127.0.0.1:{port} ssl"), format!("ssl_certificate {certificate}; ssl_certificate_key {key};"))
        }
        Site::BasicAuth => {
            let users = setup.write("users", "someone:{PLAIN}lab-password\n");
            (format!("127.0.0.1:{port}"), format!("auth_basic \"lab\"; auth_basic_user_file {users};"))
        }
    };
    let user = if is_root() { "user root;" } else { "" };
    let conf = setup.write(
        "nginx.conf",
        &format!(
            "daemon off; pid {dir}/pid; error_log stderr; {user} worker_processes 1; events {{ }}\n\
             http {{ access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};\n\
             uwsgi_temp_path {dir}; scgi_temp_path {dir}; types {{ text/html html; }}\n\
             server {{ listen {listen}; root {dir}; {more} }} }}\n",
            dir = setup.dir.path().display()
        ),
    );
    setup.start("nginx", "nginx-light", command("nginx", &["-c", &conf]))
}

/// The Docker-compatible API of Podman.
#[must_use]
pub fn podman() -> Server {
    let setup = Setup::new();
    let (root, run, url) = (setup.folder("root"), setup.folder("run"), format!("tcp:127.0.0.1:{}", setup.port));
    let mut podman = command(
        "podman",
        &["--root", &root, "--runroot", &run, "--storage-driver", "vfs", "system", "service", "--time=0", &url],
    );
    podman.env("HOME", &run).env("XDG_RUNTIME_DIR", &run);
    setup.start("podman", "podman", podman)
}

/// A container registry.
#[must_use]
pub fn registry() -> Server {
    let setup = Setup::new();
    let conf = setup.write(
        "registry.yml",
        &format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{}\n",
            setup.folder("images"),
            setup.port
        ),
    );
    setup.start("docker-registry", "docker-registry", command("docker-registry", &["serve", &conf]))
}
