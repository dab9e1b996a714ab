"""Real Debian servers for benchmarks: which there are, what they truly are, and how each is started on loopback."""

import itertools
import os
import pwd
import re
import shutil
import socket
import subprocess

PACKAGES = """nginx-light apache2 lighttpd haproxy squid tomcat10-user default-jre-headless cups-daemon varnish tinyproxy
openssh-server dropbear-bin postfix dovecot-imapd dovecot-pop3d vsftpd proftpd-core pure-ftpd bind9 unbound nsd
dnsmasq-base redis-server postgresql mariadb-server memcached mosquitto rabbitmq-server slapd samba snmpd ntpsec openvpn
xvfb tigervnc-standalone-server xrdp prosody rsync etcd-server influxdb docker-registry stunnel4 openssl nmap""".split()

# Processes that were started, to be ended with the lab.
children = []
numbers = itertools.count(1)


def free_port(first=[21000]):
    """A port that nothing listens on, below the range of outgoing connections."""
    while True:
        first[0] += 1
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", first[0]))
                return first[0]
            except OSError:
                continue


# Packages that cannot stand beside one another are unpacked, and with them the libraries that nothing else brings.
UNPACKED = {
    "exim4-daemon-light": ["libidn12"], "proftpd-core": ["libmemcached11", "libmemcachedutil2", "libhashkit2", "libpcre2-posix3"],
    "pure-ftpd": [], "vsftpd": [], "postfix": [],
}
versions = {}


def unpack(folder, package):
    """The program files of a package that is not installed, below `folder`."""
    for name in (package, *UNPACKED[package]):
        subprocess.run(["apt-get", "download", "-q", name], cwd=folder, capture_output=True)
        for file in os.listdir(folder):
            if file.startswith(f"{name}_"):
                subprocess.run(["dpkg-deb", "-x", file, "unpacked"], cwd=folder, check=True)
                if name == package:
                    shown = subprocess.run(["dpkg-deb", "-f", file, "Version"], cwd=folder, capture_output=True, text=True)
                    versions[package] = shown.stdout.strip()
    SEARCHED.append(f"{folder}/unpacked/usr/sbin")
    os.environ["LD_LIBRARY_PATH"] = f"{folder}/unpacked/usr/lib/{os.uname().machine}-linux-gnu"


PROGRAMS = {"exim4-daemon-light": ["exim4"], "proftpd-core": ["proftpd"], "pure-ftpd": ["pure-ftpd"], "vsftpd": ["vsftpd"],
            "postfix": ["postfix"]}
# Debian's PostgreSQL of this release, or the one that most have.
POSTGRESQL = max((name for name in os.listdir("/usr/lib/postgresql") if name.isdigit()), key=int, default="15") if os.path.isdir("/usr/lib/postgresql") else "15"
SEARCHED = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", f"/usr/lib/postgresql/{POSTGRESQL}/bin"]


def which(*names):
    for name in names:
        for folder in SEARCHED:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                return path
    return None


def user(name):
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def upstream(package):
    """The upstream version of an installed package."""
    if package not in versions:
        shown = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True)
        versions[package] = shown.stdout
    text = versions[package]
    text = text.split(":", 1)[-1]
    text = text.rsplit("-", 1)[0] if "-" in text else text
    return re.sub(r"[+~](dfsg|ds|repack|really).*$", "", text), text


class Server:
    """A kind of server: how it is started and what it truly is."""

    def __init__(self, name, package, product, own, start, tls=True, udp=False, tcp=True, direct=False):
        self.name, self.package, self.product, self.own = name, package, product, own
        # udp, direct: another instance runs at the own address and port, where the others are forwarded to the one.
        self.start, self.tls, self.udp, self.tcp, self.direct = start, tls, udp, tcp, direct or udp


class Lab:
    def __init__(self, folder):
        self.folder = folder
        self.certificate = os.path.join(folder, "tls.crt")
        self.key = os.path.join(folder, "tls.key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=bench.test",
             "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)
        os.chmod(self.key, 0o644)

    def dir(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
        return path

    def write(self, folder, name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def spawn(self, name, argv, **options):
        log = open(os.path.join(self.folder, f"{name}.log"), "ab")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": self.folder}
        if "LD_LIBRARY_PATH" in os.environ:
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        environment.update(options.pop("env", {}))
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                   start_new_session=True, **options)
        children.append(process)
        return process


# --- how each server is started: (lab, folder, address, port) -> process


def nginx(lab, d, a, p):
    conf = lab.write(d, "c", f"daemon off; pid {d}/pid; error_log {d}/e; events {{}} http {{ access_log off; "
                     f"server {{ listen {a}:{p}; root {d}; }} }}\n")
    return lab.spawn("nginx", [which("nginx"), "-c", conf, "-e", f"{d}/e"])


def apache2(lab, d, a, p):
    conf = lab.write(d, "c", f"ServerRoot /etc/apache2\nServerName bench.test\nListen {a}:{p}\nPidFile {d}/pid\n"
                     f"ErrorLog {d}/e\nServerTokens OS\nUser www-data\nGroup www-data\nDocumentRoot {d}\n"
                     "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n"
                     "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n")
    return lab.spawn("apache2", [which("apache2"), "-DFOREGROUND", "-f", conf])


def lighttpd(lab, d, a, p):
    conf = lab.write(d, "c", f'server.document-root = "{d}"\nserver.port = {p}\nserver.bind = "{a}"\n')
    return lab.spawn("lighttpd", [which("lighttpd"), "-D", "-f", conf])


def haproxy(lab, d, a, p):
    conf = lab.write(d, "c", f"defaults\n mode http\n timeout client 20s\n timeout server 20s\n timeout connect 5s\n"
                     f"frontend f\n bind {a}:{p}\n default_backend b\nbackend b\n")
    return lab.spawn("haproxy", [which("haproxy"), "-db", "-f", conf])


def squid(lab, d, a, p):
    conf = lab.write(d, "c", f"http_port {a}:{p}\npid_filename {d}/pid\naccess_log none\ncache_log {d}/l\n"
                     f"cache deny all\ncoredump_dir {d}\nhttp_access allow localhost\nhttp_access deny all\npinger_enable off\n")
    return lab.spawn("squid", [which("squid"), "-N", "-f", conf])


def varnish(lab, d, a, p):
    vcl = lab.write(d, "v.vcl", 'vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "9"; }\n')
    return lab.spawn("varnish", [which("varnishd"), "-F", "-a", f"{a}:{p}", "-f", vcl, "-n", f"{d}/n", "-s", "malloc,32m"])


def tinyproxy(lab, d, a, p):
    conf = lab.write(d, "c", f"Port {p}\nListen {a}\nTimeout 60\nMaxClients 50\nAllow 127.0.0.0/8\nLogFile \"{d}/l\"\n")
    return lab.spawn("tinyproxy", [which("tinyproxy"), "-d", "-c", conf])


def tomcat(lab, d, a, p):
    base = f"{d}/base"
    if not os.path.exists(base):
        subprocess.run([which("tomcat10-instance-create"), "-p", str(p), base], check=True, capture_output=True)
    server = open(f"{base}/conf/server.xml").read()
    server = server.replace('port="8005"', 'port="-1"').replace(f'port="{p}"', f'port="{p}" address="{a}"')
    open(f"{base}/conf/server.xml", "w").write(server)
    return lab.spawn("tomcat", ["/usr/share/tomcat10/bin/catalina.sh", "run"],
                     env={"CATALINA_BASE": base, "CATALINA_HOME": "/usr/share/tomcat10",
                          "JAVA_HOME": os.path.realpath(which("java")).rsplit("/bin/", 1)[0]})


def cups(lab, d, a, p):
    conf = lab.write(d, "cupsd.conf", f"Listen {a}:{p}\nLogLevel warn\nServerName bench.test\nServerAlias *\n"
                     "<Location />\n Order allow,deny\n Allow all\n</Location>\n")
    files = lab.write(d, "cups-files.conf", f"ServerRoot {d}\nRequestRoot {d}/spool\nCacheDir {d}/cache\nStateDir {d}/run\n"
                      f"AccessLog {d}/a\nErrorLog {d}/e\nPageLog {d}/p\nTempDir {d}/spool/tmp\nServerKeychain {d}/ssl\n"
                      "SystemGroup root\n")
    for sub in ("spool", "spool/tmp", "cache", "run", "run/certs", "ssl"):
        lab.dir(os.path.relpath(f"{d}/{sub}", lab.folder))
    return lab.spawn("cups", [which("cupsd"), "-f", "-c", conf, "-s", files])


def sshd(lab, d, a, p):
    os.makedirs("/run/sshd", exist_ok=True)
    if not os.path.exists(f"{d}/k"):
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", f"{d}/k"], check=True)
    conf = lab.write(d, "c", f"Port {p}\nListenAddress {a}\nPidFile none\nUsePAM no\nHostKey {d}/k\nMaxStartups 100\n")
    return lab.spawn("sshd", [which("sshd"), "-D", "-e", "-f", conf])


def dropbear(lab, d, a, p):
    if not os.path.exists(f"{d}/k"):
        subprocess.run(["dropbearkey", "-t", "ed25519", "-f", f"{d}/k"], check=True, capture_output=True)
    return lab.spawn("dropbear", [which("dropbear"), "-F", "-E", "-p", f"{a}:{p}", "-r", f"{d}/k", "-P", f"{d}/pid"])


def postfix(lab, d, a, p):
    conf = lab.dir(os.path.relpath(f"{d}/etc", lab.folder))
    shutil.copy("/usr/share/postfix/main.cf.dist" if os.path.exists("/usr/share/postfix/main.cf.dist")
                else "/etc/postfix/main.cf", f"{conf}/main.cf")
    for sub in ("spool", "data"):
        lab.dir(os.path.relpath(f"{d}/{sub}", lab.folder))
    shutil.chown(f"{d}/data", "postfix")
    os.chmod(d, 0o755), os.chmod(conf, 0o755), os.chmod(f"{d}/data", 0o700), os.chmod(f"{d}/spool", 0o755)
    lab.write(conf, "main.cf", f"compatibility_level = 3.6\nqueue_directory = {d}/spool\ndata_directory = {d}/data\n"
              "command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n"
              "setgid_group = postdrop\nmyhostname = bench.test\nmydestination = bench.test\ninet_interfaces = all\n"
              "inet_protocols = ipv4\nsmtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)\nmaillog_file = /dev/stdout\n"
              "smtpd_tls_security_level = none\nalias_maps =\nalias_database =\nimport_environment = PATH, MAIL_CONFIG\n")
    lab.write(conf, "master.cf", f"{a}:{p} inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\n"
              "proxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n"
              "qmgr unix n - n 300 1 qmgr\npickup unix n - n 60 1 pickup\ntlsmgr unix - - n 1000? 1 tlsmgr\n"
              "bounce unix - - n - 0 bounce\nscache unix - - n - 1 scache\n")
    subprocess.run([which("postfix"), "-c", conf, "check"], capture_output=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    return lab.spawn("postfix", ["/usr/lib/postfix/sbin/master", "-d", "-c", conf], env={"MAIL_CONFIG": conf})


def exim(lab, d, a, p):
    conf = lab.write(d, "c", f"local_interfaces = {a}\ndaemon_smtp_ports = {p}\nprimary_hostname = bench.test\n"
                     f"spool_directory = {d}/spool\nlog_file_path = {d}/spool/%slog\npid_file_path = {d}/pid\n"
                     "exim_user = mail\nexim_group = mail\nacl_smtp_rcpt = deny\nbegin acl\ndeny:\n deny\n"
                     "begin routers\nbegin transports\nbegin retry\nbegin rewrite\nbegin authenticators\n")
    os.chmod(conf, 0o644), os.chmod(d, 0o755)
    lab.dir(os.path.relpath(f"{d}/spool", lab.folder))
    shutil.chown(f"{d}/spool", "mail", "mail")
    return lab.spawn("exim", [which("exim4"), "-C", conf, "-bdf"])


def dovecot(protocol):
    def start(lab, d, a, p):
        run = lab.dir(os.path.relpath(f"{d}/run", lab.folder))
        os.chmod(run, 0o755)
        conf = lab.write(d, "c", f"base_dir = {run}\nstate_dir = {run}\nlog_path = {d}/l\nprotocols = {protocol}\nssl = no\n"
                         f"mail_location = maildir:{d}/m\npassdb {{\n driver = static\n args = password=x\n}}\nuserdb {{\n driver = static\n"
                         f" args = uid=65534 gid=65534 home=/tmp\n}}\nservice {protocol}-login {{\n chroot =\n inet_listener {protocol} {{\n"
                         f" address = {a}\n port = {p}\n }}\n inet_listener {protocol}s {{\n port = 0\n }}\n}}\n")
        return lab.spawn(f"dovecot-{protocol}", [which("dovecot"), "-F", "-c", conf])
    return start


def vsftpd(lab, d, a, p):
    conf = lab.write(d, "c", f"listen=YES\nlisten_address={a}\nlisten_port={p}\nbackground=NO\nrun_as_launching_user=YES\n"
                     f"anonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir={lab.dir('empty')}\nseccomp_sandbox=NO\n")
    return lab.spawn("vsftpd", [which("vsftpd"), conf])


def proftpd(lab, d, a, p):
    # It refuses a score board in a folder that everybody may write to.
    os.chmod(d, 0o755)
    conf = lab.write(d, "c", f'ServerName "Debian"\nServerType standalone\nPort {p}\nDefaultAddress {a}\nSocketBindTight on\n'
                     f"User nobody\nGroup nogroup\nPidFile {d}/pid\nScoreboardFile {d}/score\nSystemLog {d}/l\nUseReverseDNS off\n"
                     "UseIPv6 off\n")
    return lab.spawn("proftpd", [which("proftpd"), "-n", "-c", conf])


def pureftpd(lab, d, a, p):
    return lab.spawn("pure-ftpd", [which("pure-ftpd"), "-S", f"{a},{p}", "-g", f"{d}/pid", "-H"])


def named(lab, d, a, p):
    conf = lab.write(d, "c", f'options {{ directory "{d}"; pid-file "{d}/pid"; session-keyfile "{d}/k"; listen-on port {p} {{ {a}; }}; '
                     "listen-on-v6 { none; }; recursion no; allow-query { any; }; };\ncontrols { };\n")
    return lab.spawn("named", [which("named"), "-g", "-c", conf])


def unbound(lab, d, a, p):
    conf = lab.write(d, "c", f'server:\n interface: {a}@{p}\n do-daemonize: no\n username: ""\n chroot: ""\n directory: "{d}"\n'
                     ' pidfile: ""\n use-syslog: no\n access-control: 127.0.0.0/8 allow\n module-config: "iterator"\n'
                     "remote-control:\n control-enable: no\n")
    return lab.spawn("unbound", [which("unbound"), "-d", "-c", conf])


def nsd(lab, d, a, p):
    conf = lab.write(d, "c", f'server:\n ip-address: {a}@{p}\n username: ""\n chroot: ""\n zonesdir: "{d}"\n pidfile: "{d}/pid"\n'
                     f' xfrdfile: "{d}/x"\n zonelistfile: "{d}/z"\n xfrdir: "{d}"\n database: ""\nremote-control:\n control-enable: no\n')
    return lab.spawn("nsd", [which("nsd"), "-d", "-c", conf])


def dnsmasq(lab, d, a, p):
    return lab.spawn("dnsmasq", [which("dnsmasq"), "-k", "-C", "/dev/null", "-p", str(p), "-a", a, "-z", "-R", "-h", "-u", "root",
                                 f"--pid-file={d}/pid"])


def redis(lab, d, a, p):
    return lab.spawn("redis", [which("redis-server"), "--port", str(p), "--bind", a, "--save", "", "--dir", d])


def postgres(lab, d, a, p):
    data, binaries = f"{d}/data", os.path.dirname(which("initdb") or "/")
    if not os.path.exists(data):
        subprocess.run([f"{binaries}/initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--no-sync", "--pwfile",
                        lab.write(d, "pw", "bench\n")], check=True, capture_output=True, **user("postgres"))
    return lab.spawn("postgres", [f"{binaries}/postgres", "-D", data, "-p", str(p), "-h", a, "-k", d, "-F"], **user("postgres"))


def mariadb(lab, d, a, p):
    data = f"{d}/data"
    if not os.path.exists(data):
        os.makedirs(data), shutil.chown(data, "mysql")
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
                        "--skip-test-db", "--skip-name-resolve"], check=True, capture_output=True, **user("mysql"))
    return lab.spawn("mariadb", [which("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={p}", f"--socket={data}/s",
                                 f"--pid-file={data}/pid", f"--bind-address={a}"], **user("mysql"))


def memcached(lab, d, a, p):
    return lab.spawn("memcached", [which("memcached"), "-l", a, "-p", str(p), "-U", "0", "-u", "nobody"])


def mosquitto(lab, d, a, p):
    conf = lab.write(d, "c", f"user root\nlistener {p} {a}\nallow_anonymous true\npersistence false\n")
    return lab.spawn("mosquitto", [which("mosquitto"), "-c", conf])


def rabbitmq(lab, d, a, p):
    for sub in ("mnesia", "log"):
        path = lab.dir(os.path.relpath(f"{d}/{sub}", lab.folder))
        shutil.chown(path, "rabbitmq")
    shutil.chown(d, "rabbitmq")
    script, names = "/usr/lib/rabbitmq/bin/rabbitmq-server", str(free_port())
    # In the foreground, or it would outlive the server.
    lab.spawn("epmd", [which("epmd"), "-port", names, "-address", "127.0.0.1"])
    return lab.spawn("rabbitmq", [script], env={
        "RABBITMQ_NODENAME": f"bench{p}@localhost", "RABBITMQ_NODE_IP_ADDRESS": a, "RABBITMQ_NODE_PORT": str(p),
        "RABBITMQ_DIST_PORT": str(free_port()), "ERL_EPMD_PORT": names, "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_MNESIA_BASE": f"{d}/mnesia", "RABBITMQ_LOG_BASE": f"{d}/log", "RABBITMQ_ENABLED_PLUGINS_FILE": f"{d}/plugins",
        "HOME": d, "RUNNING_UNDER_SYSTEMD": "1", "RABBITMQ_CONFIG_FILE": f"{d}/none"}, **user("rabbitmq"))


def slapd(lab, d, a, p):
    data = lab.dir(os.path.relpath(f"{d}/data", lab.folder))
    conf = lab.write(d, "c", f'include /etc/ldap/schema/core.schema\npidfile {d}/pid\ndatabase ldif\nsuffix "dc=bench,dc=test"\n'
                     f"directory {data}\n")
    return lab.spawn("slapd", [which("slapd"), "-f", conf, "-h", f"ldap://{a}:{p}/", "-d", "0"])


def samba(lab, d, a, p):
    names = ["private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir"]
    folders = "".join(f"{name} = {lab.dir(os.path.relpath(d + '/' + name.replace(' ', '-'), lab.folder))}\n" for name in names)
    os.chmod(f"{d}/private-dir", 0o700), os.chmod(f"{d}/ncalrpc-dir", 0o755)
    conf = lab.write(d, "c", f"[global]\nworkgroup = BENCH\nserver role = standalone server\ndisable netbios = yes\ninterfaces = {a}\n"
                     f"bind interfaces only = yes\n{folders}log file = {d}/l\n")
    return lab.spawn("samba", [which("smbd"), "--foreground", "--no-process-group", "-s", conf, "-p", str(p)])


def snmpd(lab, d, a, p):
    conf = lab.write(d, "c", f"agentaddress udp:{a}:{p}\nrocommunity public 127.0.0.0/8\n")
    return lab.spawn("snmpd", [which("snmpd"), "-f", "-Le", "-C", "-c", conf, "-p", f"{d}/pid", "-I", "-mib_index"],
                     env={"SNMP_PERSISTENT_DIR": d})


def ntpd(lab, d, a, p):
    conf = lab.write(d, "c", f"driftfile {d}/drift\ninterface ignore wildcard\ninterface listen {a}\nserver 127.127.1.0\n"
                     "restrict default nomodify\n")
    return lab.spawn("ntpd", [which("ntpd"), "-n", "-g", "-c", conf, "-p", f"{d}/pid"])


def openvpn(transport):
    def start(lab, d, a, p):
        number = next(numbers)
        # Only the server mode takes more than one client, and it wants a device; addresses and routes are left alone.
        return lab.spawn(f"openvpn-{transport}-{number}", [
            which("openvpn"), "--dev", f"tunbench{number}", "--dev-type", "tun", "--server", f"10.213.{number}.0", "255.255.255.0",
            "--ifconfig-noexec", "--route-noexec", "--proto", "tcp-server" if transport == "tcp" else "udp", "--local", a, "--port", str(p),
            "--ca", lab.certificate, "--cert", lab.certificate, "--key", lab.key, "--dh", "none", "--verb", "3"])
    return start


def xvfb(lab, d, a, p):
    # X counts its displays from port 6000; access control is off, as on a workstation that ran `xhost +`.
    return lab.spawn("xvfb", [which("Xvfb"), f":{p - 6000}", "-listen", "tcp", "-nolisten", "unix", "-ac", "-screen", "0", "320x200x8"])


def vnc(lab, d, a, p):
    return lab.spawn("vnc", [which("Xtigervnc"), f":{p - 1024}", "-rfbport", str(p), "-interface", a, "-nolisten", "unix",
                             "-SecurityTypes", "None"])


def xrdp(lab, d, a, p):
    conf = lab.write(d, "c", f"[Globals]\nini_version=1\nfork=true\nport=tcp://{a}:{p}\nuse_vsock=false\nsecurity_layer=negotiate\n"
                     f"crypt_level=high\ncertificate={lab.certificate}\nkey_file={lab.key}\nssl_protocols=TLSv1.2, TLSv1.3\nmax_bpp=32\n"
                     f"[Logging]\nLogFile={d}/l\nLogLevel=INFO\nEnableSyslog=false\n[Xorg]\nname=Xorg\nlib=libxup.so\n")
    return lab.spawn("xrdp", [which("xrdp"), "--nodaemon", "--config", conf])


def prosody(lab, d, a, p):
    shutil.chown(d, "prosody")
    conf = lab.write(d, "prosody.cfg.lua", f'pidfile = "{d}/pid"\ndata_path = "{d}"\nlog = {{ info = "*console" }}\ninterfaces = {{ "{a}" }}\n'
                     f"c2s_ports = {{ {p} }}\ns2s_ports = {{}}\nhttp_ports = {{}}\nhttps_ports = {{}}\n"
                     'modules_enabled = { "saslauth" }\nmodules_disabled = { "s2s", "http", "tls" }\nc2s_require_encryption = false\n'
                     'VirtualHost "bench.test"\n')
    return lab.spawn("prosody", [which("prosody"), "-F", "--config", conf], **user("prosody"))


def rsync(lab, d, a, p):
    conf = lab.write(d, "c", f"use chroot = no\nlock file = {d}/lock\nlog file = {d}/l\n[backup]\npath = {d}\nread only = yes\n")
    return lab.spawn("rsync", [which("rsync"), "--daemon", "--no-detach", f"--address={a}", f"--port={p}", f"--config={conf}"])


def etcd(lab, d, a, p):
    peer = f"http://127.0.0.1:{free_port()}"
    return lab.spawn("etcd", [which("etcd"), "--data-dir", f"{d}/data{p}", "--listen-client-urls", f"http://{a}:{p}", "--advertise-client-urls",
                              f"http://{a}:{p}", "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                              f"default={peer}"])


def influxdb(lab, d, a, p):
    conf = lab.write(d, "c", f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\ndir = "{d}/m"\n[data]\n'
                     f'dir = "{d}/d"\nwal-dir = "{d}/w"\n[http]\nenabled = true\nbind-address = "{a}:{p}"\n')
    return lab.spawn("influxdb", [which("influxd"), "-config", conf])


def registry(lab, d, a, p):
    conf = lab.write(d, "c", f"version: 0.1\nlog:\n level: error\nstorage:\n filesystem:\n  rootdirectory: {d}/r\nhttp:\n addr: {a}:{p}\n")
    return lab.spawn("registry", [which("docker-registry"), "serve", conf])


# The pattern is searched in the product that a tool reports.
SERVERS = [
    Server("nginx", "nginx-light", r"nginx", 80, nginx),
    Server("apache2", "apache2", r"apache http", 80, apache2),
    Server("lighttpd", "lighttpd", r"lighttpd", 80, lighttpd),
    Server("haproxy", "haproxy", r"haproxy", 80, haproxy),
    Server("squid", "squid", r"squid", 3128, squid),
    Server("varnish", "varnish", r"varnish", 6081, varnish),
    Server("tinyproxy", "tinyproxy", r"tinyproxy", 8888, tinyproxy, direct=True),
    Server("tomcat", "tomcat10-user", r"tomcat", 8080, tomcat),
    Server("cups", "cups-daemon", r"cups", 631, cups),
    Server("openssh", "openssh-server", r"openssh", 22, sshd),
    Server("dropbear", "dropbear-bin", r"dropbear", 22, dropbear),
    Server("postfix", "postfix", r"postfix", 25, postfix),
    Server("exim", "exim4-daemon-light", r"exim", 25, exim),
    Server("dovecot imap", "dovecot-imapd", r"dovecot", 143, dovecot("imap")),
    Server("dovecot pop3", "dovecot-pop3d", r"dovecot", 110, dovecot("pop3")),
    Server("vsftpd", "vsftpd", r"vsftpd", 21, vsftpd),
    Server("proftpd", "proftpd-core", r"proftpd", 21, proftpd),
    Server("pure-ftpd", "pure-ftpd", r"pure-ftpd", 21, pureftpd),
    Server("bind9", "bind9", r"\bbind\b", 53, named, udp=True),
    Server("unbound", "unbound", r"unbound", 53, unbound, udp=True),
    Server("nsd", "nsd", r"\bnsd\b", 53, nsd, udp=True),
    Server("dnsmasq", "dnsmasq-base", r"dnsmasq", 53, dnsmasq, udp=True),
    Server("redis", "redis-server", r"redis", 6379, redis),
    Server("postgresql", f"postgresql-{POSTGRESQL}", r"postgresql", 5432, postgres),
    Server("mariadb", "mariadb-server", r"mariadb", 3306, mariadb),
    Server("memcached", "memcached", r"memcached", 11211, memcached),
    Server("mosquitto", "mosquitto", r"mosquitto", 1883, mosquitto),
    Server("rabbitmq", "rabbitmq-server", r"rabbitmq", 5672, rabbitmq),
    Server("slapd", "slapd", r"openldap", 389, slapd),
    Server("samba", "samba", r"samba", 445, samba),
    Server("openvpn tcp", "openvpn", r"openvpn", 1194, openvpn("tcp"), tls=False),
    Server("x11", "xvfb", r"x\.?org|x11|xorg", 6000, xvfb, tls=False),
    Server("vnc", "tigervnc-standalone-server", r"tigervnc", 5900, vnc),
    Server("xrdp", "xrdp", r"xrdp", 3389, xrdp, tls=False),
    Server("prosody", "prosody", r"prosody", 5222, prosody),
    Server("rsync", "rsync", r"rsync", 873, rsync),
    Server("etcd", "etcd-server", r"etcd", 2379, etcd),
    Server("influxdb", "influxdb", r"influxdb", 8086, influxdb),
    Server("registry", "docker-registry", r"registry", 5000, registry),
    Server("snmpd", "snmpd", r"net-?snmp", 161, snmpd, tls=False, udp=True, tcp=False),
    Server("ntpsec", "ntpsec", r"ntpsec", 123, ntpd, tls=False, udp=True, tcp=False),
    Server("openvpn udp", "openvpn", r"openvpn", 1194, openvpn("udp"), tls=False, udp=True, tcp=False),
]
