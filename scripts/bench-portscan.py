#!/usr/bin/env python3
"""The port-scan benchmark: our engine and its peers, alternating, in network namespaces with a known truth.

    namespace scan --veth-- namespace wire (only with delay, loss or a bottleneck) --veth-- namespace target
    s0 10.78.0.2, fd78::2          the link of examples/link.rs                  t0 10.78.0.1, fd78::1

The target answers for every address of 10.77.0.0/16 and fd77::/64 (local routes). What is open follows from a seed; ports that are
not open are closed, dropped, rejected, or mixed by address. Nothing leaves the machine. Needs root.

What is measured is the command that users run, `bartizan ports`, with its start and its output, as its peers are: the program is
target/release/bartizan, or what BARTIZAN_BENCH_BIN or --bin names. With `--bin library` it is the bare engine (examples/scan).

    bench-portscan.py bench [--bin PATH] [--rounds N] [--only REGEX] [--tools REGEX] [--seed N] [--out FILE.jsonl] [--append] [--limit SECONDS]
    bench-portscan.py table FILE.jsonl        the table of ratios, and which goals are met
    bench-portscan.py check [--bin PATH] [--seeds N,N] [--engines syn,connect] [--only REGEX]
                                              our engines alone, over more policies, seeds, IPv6 and UDP: accuracy, packets,
                                              memory, time at a bottleneck; exits 1 if a goal is missed
    bench-portscan.py shell CASE              leaves the lab of a case up until Enter

Peers: nmap, masscan and zmap from Debian (zmap 4 or later; ZMAP names another one), rustscan from crates.io (RUSTSCAN). Tools take turns
within a round, and each round begins with another one. A run during which something else used more than a quarter of a core is made
again; if that does not help, it is left out of the medians. A ratio to a peer that did not find every open port is in brackets.
`bench` and `table` exit 1 if a run of ours, disturbed or not, finds other than the open ports, or needs too many packets or too much
memory. Ratios are only reported.
"""
import argparse, ipaddress, json, os, random, re, resource, selectors, signal, socket, statistics, subprocess, sys, tempfile, time

TAG = f"bpb{os.getpid()}"
TARGET_DIR = os.environ.get("CARGO_TARGET_DIR", "target")
SCAN, LINK = (os.path.join(TARGET_DIR, "release", "examples", name) for name in ("scan", "link"))
BARTIZAN = os.environ.get("BARTIZAN_BENCH_BIN") or os.path.join(TARGET_DIR, "release", "bartizan")
RUSTSCAN = os.environ.get("RUSTSCAN", "rustscan")
ZMAP = os.environ.get("ZMAP", "zmap")
# Other load, in cores, beyond which a run does not count, and how often it is made again.
DISTURBED, REPEATS = 0.25, 2
# A thousand ports for the /24 cases, chosen by nobody's popularity list: the same ports for every tool are all that matters.
THOUSAND = sorted(random.Random(1000).sample(range(1, 65536), 1000))


def run(command, check=True, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if check and done.returncode:
        sys.exit(f"failed: {' '.join(command)}\n{done.stderr}")
    return done.stdout


def truth(seed, family):
    """Open (address, port) pairs: a hundred on the first host over all ports, a few on each of the other 255."""
    chance = random.Random(seed * 2 + family // 6)
    base = ipaddress.ip_address("10.77.0.0" if family == 4 else "fd77::")
    pairs = {(str(base + 1), port) for port in chance.sample(range(1, 65536), 100)}
    for host in range(256):
        if host == 1 or chance.random() < 1 / 8:
            continue
        for port in chance.sample(THOUSAND, chance.randint(0, 8)):
            pairs.add((str(base + host), port))
        for _ in range(chance.randint(0, 4)):
            pairs.add((str(base + host), chance.randint(1024, 65535)))
    return pairs


def listen(pairs, udp):
    """Runs in the target's namespace: accepts on every open pair until it is killed."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    selector = selectors.DefaultSelector()
    for address, port in pairs:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(4096)
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ)
    for address, port in udp:
        echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        echo.bind((address, port))
        echo.setblocking(False)
        selector.register(echo, selectors.EVENT_READ)
    # One small datagram each 20 ms: masscan looks at the clock only when a packet arrives.
    noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    print("ready", flush=True)
    last = 0.0
    while True:
        for key, _ in selector.select(0.02):
            try:
                while True:
                    if key.fileobj.type == socket.SOCK_DGRAM:
                        key.fileobj.sendto(b"here", key.fileobj.recvfrom(2048)[1])
                    else:
                        key.fileobj.accept()[0].close()
            except OSError:
                pass
        if time.time() - last > 0.02:
            last = time.time()
            try:
                noise.sendto(b"-", ("10.78.0.2", 9))
            except OSError:
                pass


def rules(policy, pairs):
    if policy == "closed":
        return None
    open4 = ",".join(f"{a} . {p}" for a, p in sorted(pairs) if ":" not in a)
    open6 = ",".join(f"{a} . {p}" for a, p in sorted(pairs) if ":" in a)
    last = {
        "drop": "meta l4proto tcp drop",
        "reject": "meta l4proto tcp reject",
        "mixed": "ip daddr & 0.0.0.3 == 0.0.0.0 meta l4proto tcp drop\n ip daddr & 0.0.0.3 == 0.0.0.2 tcp dport 1024-65535 drop\n"
                 "ip6 daddr & ::3 == ::0 meta l4proto tcp drop\n ip6 daddr & ::3 == ::2 tcp dport 1024-65535 drop",
        # The first host filters its high ports, as many a server does.
        "half": "tcp dport 1024-65535 drop",
    }[policy]
    return f"""table inet lab {{
 set open4 {{ type ipv4_addr . inet_service; elements = {{ {open4} }} }}
 set open6 {{ type ipv6_addr . inet_service; elements = {{ {open6} }} }}
 chain input {{ type filter hook input priority 0; policy accept;
 iifname != "t0" accept
 ip daddr . tcp dport @open4 accept
 ip6 daddr . tcp dport @open6 accept
 {last}
 }}
}}
"""


class Lab:
    def __init__(self, seed, policy, wire):
        self.names = {n: f"{TAG}-{n}" for n in ("scan", "wire", "target")}
        self.pairs = truth(seed, 4) | truth(seed, 6)
        self.udp = {(ONE, port) for port in random.Random(seed).sample(UDP, 10)}
        self.wire, self.children = wire, []
        try:
            self.up(policy)
        except BaseException:
            self.down()
            raise

    def ns(self, where, *command, **more):
        return run(["ip", "netns", "exec", self.names[where], *command], **more)

    def up(self, policy):
        scan, wire, target = (self.names[n] for n in ("scan", "wire", "target"))
        for name in self.names.values():
            run(["ip", "netns", "add", name])
        if self.wire:
            run(["ip", "link", "add", "s0", "netns", scan, "type", "veth", "peer", "name", "w0", "netns", wire])
            run(["ip", "link", "add", "w1", "netns", wire, "type", "veth", "peer", "name", "t0", "netns", target])
            for device in ("w0", "w1"):
                self.ns("wire", "sysctl", "-qw", f"net.ipv6.conf.{device}.disable_ipv6=1", check=False)
                run(["ip", "-n", wire, "link", "set", device, "up", "promisc", "on"])
        else:
            run(["ip", "link", "add", "s0", "netns", scan, "type", "veth", "peer", "name", "t0", "netns", target])
        for where, device, host in (("scan", "s0", 2), ("target", "t0", 1)):
            name = self.names[where]
            self.ns(where, "sysctl", "-qw", f"net.ipv6.conf.{device}.accept_dad=0", check=False)
            run(["ip", "-n", name, "link", "set", "lo", "up"])
            run(["ip", "-n", name, "address", "add", f"10.78.0.{host}/24", "dev", device])
            run(["ip", "-n", name, "address", "add", f"fd78::{host}/64", "dev", device, "nodad"])
            run(["ip", "-n", name, "link", "set", device, "up"])
            # The far end is another stack: checksums must be real on the wire.
            self.ns(where, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off", "gro", "off", check=False)
        run(["ip", "-n", scan, "route", "add", "10.77.0.0/16", "via", "10.78.0.1"])
        run(["ip", "-n", scan, "route", "add", "fd77::/64", "via", "fd78::1"])
        run(["ip", "-n", target, "route", "add", "local", "10.77.0.0/16", "dev", "lo"])
        run(["ip", "-n", target, "-6", "route", "add", "local", "fd77::/64", "dev", "lo"])
        for setting in ("net.ipv4.tcp_max_syn_backlog=65535", "net.core.somaxconn=65535", "net.ipv4.tcp_syncookies=1"):
            self.ns("target", "sysctl", "-qw", setting)
        self.ns("scan", "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65000", "net.ipv4.tcp_tw_reuse=1")
        links = json.loads(run(["ip", "-j", "-n", target, "link", "show", "t0"]))
        self.router = links[0]["address"]
        self.own = json.loads(run(["ip", "-j", "-n", scan, "link", "show", "s0"]))[0]["address"]
        text = rules(policy, self.pairs)
        if text:
            self.ns("target", "nft", "-f", "-", input=text)
        # AnyIP binds IPv6 addresses that are on no device only with this.
        self.ns("target", "sysctl", "-qw", "net.ipv6.ip_nonlocal_bind=1", check=False)
        server = self.start("target", [sys.executable, os.path.abspath(__file__), "listen"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        server.stdin.write(json.dumps([sorted(self.pairs), sorted(self.udp)]))
        server.stdin.close()
        if server.stdout.readline().strip() != "ready":
            sys.exit("the target's listeners do not start")
        if self.wire:
            self.start("wire", ["nice", "-n", "-19", LINK, "w0", "w1", *self.wire.split(",")])
        probe = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
        for family in (4, 6):
            address, port = next((a, p) for a, p in sorted(self.pairs) if (":" in a) == (family == 6))
            for attempt in range(20):
                if not subprocess.run(["ip", "netns", "exec", scan, sys.executable, "-c", probe, address, str(port)], capture_output=True).returncode:
                    break
            else:
                sys.exit(f"no way through the lab to {address} {port}")

    def start(self, where, command, **more):
        child = subprocess.Popen(["ip", "netns", "exec", self.names[where], *command], text=True, start_new_session=True, **more)
        self.children.append(child)
        return child

    def down(self):
        for child in self.children:
            try:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            except OSError:
                pass
        for name in self.names.values():
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def counter(self, which):
        return int(self.ns("scan", "cat", f"/sys/class/net/s0/statistics/{which}"))


def ours(program, engine, target, spec, udp=False):
    """The command line of our own scanner; open ports are `address port` lines of examples/scan, or CSV of the product."""
    if program == "library":
        return [SCAN, *(["--udp"] if udp else ["--engine", engine]), target, spec]
    spec = "-" if spec == "1-65535" else spec
    return [program, "ports", target, "-p", f"U:{spec}" if udp else spec, *([] if udp else ["--engine", engine]), "--no-discovery", "--open",
            "--quiet", "--allow-partial", "-o", "csv"]


def multiport_zmap():
    """zmap takes more than one port since version 4; older ones are left out."""
    try:
        text = subprocess.run([ZMAP, "--version"], capture_output=True, text=True).stdout
    except OSError:
        text = ""
    found = re.search(r"zmap v?(\d+)", text)
    return bool(found) and int(found[1]) >= 4


def tools(program, target, ports, lab):
    """Name -> (command, how to read its output). {o} is the output file."""
    six = ":" in target
    spec = ",".join(map(str, ports)) if len(ports) < 65535 else "1-65535"
    nmap = ["nmap", "-n", "-Pn", *(["-6"] if six else []), "-p", spec, "-oG", "{o}"]
    table = {
        "ours syn": ours(program, "syn", target, spec),
        "ours connect": ours(program, "connect", target, spec),
        "nmap -sS -T4": [*nmap, "-sS", "-T4", target],
        "nmap -sT -T4": [*nmap, "-sT", "-T4", target],
        "rustscan -b 4500": [RUSTSCAN, "--no-config", "--no-banner", "-a", target, "-b", "4500", "-t", "1500", "-u", "20000", "-g", "--scripts", "none",
                             *(["-r", "1-65535"] if len(ports) == 65535 else ["-p", spec])],
        "rustscan -b 15000": [RUSTSCAN, "--no-config", "--no-banner", "-a", target, "-b", "15000", "-t", "500", "-u", "20000", "-g", "--scripts", "none",
                              *(["-r", "1-65535"] if len(ports) == 65535 else ["-p", spec])],
    }
    masscan = ["masscan", target, "-p", spec, "-e", "s0", "--adapter-ip", "10.78.0.2", "--adapter-port", "61000", "--adapter-mac", lab.own,
               "--router-mac", lab.router, "--wait", "2", "-oL", "{o}"]
    zmap = [ZMAP, "-b", "/dev/null", "-i", "s0", "-S", "10.78.0.2", "-G", lab.router, "-p", spec, "-c", "2", "--output-fields=saddr,sport",
            "--output-filter=success=1 && repeat=0", "--no-header-row", "-q", "-v", "1", "-O", "csv", "-o", "{o}", target]
    if not six and multiport_zmap():
        table["zmap 100k"] = [*zmap, "--rate=100000"]
        table["zmap full"] = [*zmap, "--rate=0"]
    if not six:
        table["masscan 100k"] = [*masscan, "--rate", "100000"]
        table["masscan full"] = [*masscan, "--rate", "10000000"]
    return table


def read(tool, text):
    if tool.startswith("ours"):
        return [(a, int(p)) for a, p in re.findall(r"^([0-9a-f.:]+)(?: |,[^,\n]*,)(\d+)(?:$|,(?:tcp|udp),open,)", text, re.M)]
    if tool.startswith("nmap"):
        found = []
        for host, ports in re.findall(r"^Host: (\S+).*?Ports: (.*?)(?:\t|$)", text, re.M):
            found += [(host, int(f.split("/")[0])) for f in ports.split(", ") if f.split("/")[1:2] == ["open"]]
        return found
    if tool.startswith("masscan"):
        return [(a, int(p)) for p, a in re.findall(r"^open tcp (\d+) (\S+)", text, re.M)]
    if tool.startswith("rustscan"):
        return [(a, int(p)) for a, ports in re.findall(r"^(\S+) -> \[(.*?)\]", text, re.M) for p in ports.split(",") if p.strip()]
    return [(a, int(p)) for a, p in re.findall(r"^(\d+\.[\d.]+),(\d+)", text, re.M)]


def cores_busy():
    fields = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return (fields[0] + fields[1] + fields[2]) / os.sysconf("SC_CLK_TCK")


def used_by(children):
    total = 0.0
    for child in children:
        try:
            fields = open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            pass
    return total


def measure(lab, tool, command, target, ports, limit, pairs=None):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        command = [part.replace("{o}", out) for part in command]
        timed = ["ip", "netns", "exec", lab.names["scan"], "/usr/bin/time", "-f", "MEASURED %U %S %M", *command]
        busy, lab_cpu, sent = cores_busy(), used_by(lab.children), lab.counter("tx_packets")
        began = time.time()
        child = subprocess.Popen(timed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True)
        late = False
        try:
            text, errors = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            late = True
            os.killpg(child.pid, signal.SIGTERM)
            try:
                text, errors = child.communicate(timeout=3)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                text, errors = child.communicate()
        wall = time.time() - began
        sent = lab.counter("tx_packets") - sent
        used = re.search(r"MEASURED ([\d.]+) ([\d.]+) (\d+)", errors)
        cpu = float(used[1]) + float(used[2]) if used else None
        other = max(0.0, cores_busy() - busy - (used_by(lab.children) - lab_cpu) - (cpu or 0.0)) / wall
        if os.path.exists(out):
            text = open(out).read()
    net = ipaddress.ip_network(target, strict=False)
    wanted = set(ports)
    really = {(a, p) for a, p in pairs or lab.pairs if p in wanted and ipaddress.ip_address(a).version == net.version and ipaddress.ip_address(a) in net}
    found = read(tool, text)
    return {"tool": tool, "wall": round(wall, 3), "cpu": cpu, "rss_mib": round(int(used[3]) / 1024, 1) if used else None, "packets": sent,
            "probes": net.num_addresses * len(ports), "open": len(really), "found": len(set(found) & really), "false": len(set(found) - really),
            "double": len(found) - len(set(found)), "late": late, "status": child.returncode, "other": round(other, 2),
            "error": "" if found else errors.strip()[-300:]}


ALL, ONE, NET = list(range(1, 65536)), "10.77.0.1", "10.77.0.0/24"
UDP = list(range(2000, 2040))
# name: (policy, wire, target, ports, tools)
CASES = {
    "A one host, RST": ("closed", "", ONE, ALL, ["ours syn", "nmap -sS -T4", "masscan 100k", "zmap 100k", "rustscan -b 4500"]),
    "A connect": ("closed", "", ONE, ALL, ["ours connect", "nmap -sT -T4"]),
    "B one host, silent": ("drop", "", ONE, ALL, ["ours syn", "zmap 100k", "masscan 100k", "rustscan -b 15000"]),
    "B connect": ("drop", "", ONE, ALL, ["ours connect", "rustscan -b 4500"]),
    "C 20 ms": ("closed", "delay_ms=10", ONE, ALL, ["ours syn", "ours connect", "nmap -sS -T4", "zmap 100k", "rustscan -b 4500"]),
    "D 20 ms, 1 % loss": ("closed", "delay_ms=10,loss=0.01", ONE, ALL, ["ours syn", "ours connect", "masscan 100k", "zmap 100k", "rustscan -b 4500"]),
    "E /24 x 1000, RST": ("closed", "", NET, THOUSAND, ["ours syn", "nmap -sS -T4", "zmap 100k"]),
    "E /24 x 1000, loss": ("closed", "delay_ms=10,loss=0.01", NET, THOUSAND, ["ours syn", "zmap 100k", "masscan 100k"]),
    "F bottleneck": ("closed", "delay_ms=10,rate=20000,queue=1000", ONE, ALL, ["ours syn", "nmap -sS -T4", "rustscan -b 4500"]),
    "G /24 x 65535": ("closed", "", NET, ALL, ["ours syn", "masscan full", "zmap full"]),
    "A one host, RST, IPv6": ("closed", "", "fd77::1", ALL, ["ours syn", "nmap -sS -T4"]),
    "D 20 ms, 1 % loss, IPv6": ("closed", "delay_ms=10,loss=0.01", "fd77::1", ALL, ["ours syn", "ours connect", "rustscan -b 4500"]),
    "E /24 x 1000, mixed": ("mixed", "delay_ms=10,loss=0.01", NET, THOUSAND, ["ours syn", "masscan 100k", "zmap 100k"]),
    # Without nmap, which needs more than the ordinary limit of 150 s here.
    "A one host, reject": ("reject", "", ONE, ALL, ["ours syn", "masscan 100k", "zmap 100k"]),
}
# What takes longer than the ordinary limit at a fixed rate.
PATIENCE = {"G /24 x 65535": 400}
# Case, ours, peer, what is measured, and by how much the peer's is to be the larger one.
GOALS = [
    ("A one host, RST", "ours syn", "nmap -sS -T4", "wall", 1.5), ("A one host, RST", "ours syn", "nmap -sS -T4", "cpu", 1.5),
    ("A connect", "ours connect", "nmap -sT -T4", "wall", 1.3),
    ("B one host, silent", "ours syn", "zmap 100k", "wall", 1.5), ("B one host, silent", "ours syn", "rustscan -b 15000", "wall", 2.5),
    ("B connect", "ours connect", "rustscan -b 4500", "wall", 1.2),
    ("C 20 ms", "ours syn", "rustscan -b 4500", "wall", 5), ("C 20 ms", "ours syn", "nmap -sS -T4", "wall", 8),
    ("C 20 ms", "ours connect", "rustscan -b 4500", "wall", 3),
    ("D 20 ms, 1 % loss", "ours syn", "rustscan -b 4500", "wall", 5), ("D 20 ms, 1 % loss", "ours connect", "rustscan -b 4500", "wall", 1.5),
    ("E /24 x 1000, RST", "ours syn", "nmap -sS -T4", "wall", 1.7), ("E /24 x 1000, RST", "ours syn", "zmap 100k", "wall", 3),
    ("E /24 x 1000, loss", "ours syn", "zmap 100k", "wall", 2),
    ("F bottleneck", "ours syn", "rustscan -b 4500", "wall", 1.2), ("F bottleneck", "ours syn", "nmap -sS -T4", "wall", 2.5),
    ("G /24 x 65535", "ours syn", "masscan full", "wall", 2.5),
]
# Each policy, distance and family; the last entry names the engines that a large one is for.
CHECKS = [
    ("closed", "", ONE, ALL), ("drop", "", ONE, ALL), ("reject", "", ONE, ALL), ("half", "", ONE, ALL),
    ("mixed", "", NET, THOUSAND), ("drop", "", NET, THOUSAND), ("reject", "", NET, THOUSAND),
    ("closed", "delay_ms=10,loss=0.01", ONE, ALL), ("drop", "delay_ms=10,loss=0.01", ONE, ALL), ("mixed", "delay_ms=10,loss=0.01", NET, THOUSAND),
    ("closed", "delay_ms=10,rate=20000,queue=1000", ONE, ALL), ("drop", "delay_ms=10,rate=20000,queue=1000", ONE, ALL),
    ("closed", "", "fd77::1", ALL), ("drop", "delay_ms=10,loss=0.01", "fd77::1", ALL), ("mixed", "delay_ms=5", "fd77::/120", THOUSAND),
    # Memory: every pair of a network, and results that all come at once.
    ("closed", "", NET, ALL, ["syn"]), ("drop", "", NET, list(range(1, 8193)), ["syn"]),
]


def bench(options):
    results = open(options.out, "a" if options.append else "w")
    end = time.time() + options.limit
    absent = []
    for name, (policy, wire, target, ports, wanted) in CASES.items():
        if not re.search(options.only, name) or time.time() > end:
            continue
        lab = Lab(options.seed, policy, wire)
        try:
            table = tools(options.bin, target, ports, lab)
            absent += [tool for tool in wanted if tool not in table and re.search(options.tools, tool)]
            wanted = [tool for tool in wanted if tool in table and re.search(options.tools, tool)]
            skip = set()
            for number in range(options.rounds):
                # Whoever comes first may find other caches than who comes last.
                shift = number % max(len(wanted), 1)
                for tool in wanted[shift:] + wanted[:shift]:
                    if tool in skip or time.time() > end:
                        continue
                    for attempt in range(1 + REPEATS):
                        row = measure(lab, tool, table[tool], target, ports, PATIENCE.get(name, options.patience))
                        row.update(case=name, round=number, seed=options.seed, disturbed=row["other"] > DISTURBED)
                        print(f"{name:24} {tool:20} {row['wall']:8.2f} s  cpu {row['cpu'] or 0:6.2f}  rss {row['rss_mib'] or 0:6.1f}  packets {row['packets']:9}  "
                              f"found {row['found']}/{row['open']} false {row['false']} double {row['double']}  other {row['other']}"
                              f"{'  DISTURBED' if row['disturbed'] else ''}{'  KILLED AT THE LIMIT' if row['late'] else ''}"
                              f"{'' if row['late'] or not row['status'] else '  EXIT ' + str(row['status'])}  {row['error'][-150:]}", flush=True)
                        results.write(json.dumps(row) + "\n")
                        results.flush()
                        if row["late"] or not row["disturbed"]:
                            break
                    if row["late"]:
                        skip.add(tool)
        finally:
            lab.down()
    results.close()
    if absent:
        print(f"\nNOT INSTALLED, so their goals are not measured: {', '.join(sorted(set(absent)))}")
    return print_table(options.out, [(name, options.seed) for name in CASES if re.search(options.only, name)])


def failed(row):
    """Whether a tool broke off; a result without its end is no time to compare with. nmap and masscan end with 0, and so do the others here."""
    return bool(row.get("status")) and not row["late"]


def answers(policy, wire):
    """Whether every port answers and no queue overflows: then hardly a probe needs to be repeated."""
    return policy == "closed" and "rate=" not in wire


def print_table(path, asked=()):
    """Prints what was measured, and the goals of each case in the file or asked for; returns whether no condition on our runs is missed."""
    every, groups = [json.loads(line) for line in open(path)], {}
    for row in every:
        table = groups.setdefault((row["case"], row["seed"]), {})
        if row["late"] or not row.get("disturbed"):
            table.setdefault(row["tool"], []).append(row)
    for case in asked:
        groups.setdefault(case, {})
    left_out = len(every) - sum(len(rows) for table in groups.values() for rows in table.values())
    title = lambda case, seed: case if seed == 77 else f"{case}, seed {seed}"
    median = lambda rows, key: statistics.median([r[key] for r in rows if r[key] is not None] or [0])
    exact = lambda rows: all(r["found"] == r["open"] and not r["false"] and not r["double"] and not failed(r) for r in rows)
    unmeasured = sorted({tool for *_, wanted in CASES.values() for tool in wanted} - {tool for table in groups.values() for tool in table})
    if unmeasured:
        print(f"\nnot in this table: {', '.join(unmeasured)}")
    if left_out:
        print(f"\n{left_out} disturbed runs are left out of the medians, but not of the conditions on our runs")

    def ratio(rows, own, key):
        """How many times as much a peer needs: over the limit, in brackets if it did not find everything, `-` if it broke off."""
        if rows is own or not own or not median(own, key):
            return ""
        if any(failed(r) for r in rows):
            return "-"
        text = f"{'>' if any(r['late'] for r in rows) else ''}{median(rows, key) / median(own, key):.2f}"
        return text if exact(rows) or text.startswith(">") else f"({text})"

    print("\n| case | tool | n | wall s | CPU s | RSS MiB | packets | found / open (median, worst) | false | double | wall: peer / syn, connect | CPU: peer / syn, connect |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for case, table in groups.items():
        ours = [table[tool] for tool in ("ours syn", "ours connect") if tool in table]
        for tool, rows in table.items():
            both = lambda key: "" if tool.startswith("ours") else ", ".join(filter(None, (ratio(rows, own, key) for own in ours)))
            late = ">" if any(r["late"] for r in rows) else ""
            print(f"| {title(*case)} | {tool} | {len(rows)} | {late}{median(rows, 'wall'):.2f} | {median(rows, 'cpu'):.2f} | {median(rows, 'rss_mib'):.0f} | {median(rows, 'packets'):.0f} "
                  f"| {median(rows, 'found'):.0f}/{rows[0]['open']}, {min(r['found'] for r in rows)} | {max(r['false'] for r in rows)} | {max(r['double'] for r in rows)} "
                  f"| {both('wall')} | {both('cpu')} |")
    print("\n| goal | at least | measured | |\n|---|---|---|---|")
    for (case, seed), table in groups.items():
        for _, own, peer, key, least in (goal for goal in GOALS if goal[0] == case):
            text = ratio(table[peer], table[own], key) if own in table and peer in table else "not measured"
            number = re.search(r"[\d.]+", text)
            met = "" if not number else "met" if float(number[0]) >= least else "MISSED"
            # A goal is against a peer that does the whole work.
            if met == "MISSED" and text[0] in ">(":
                met = "open: the peer was ended at the limit" if text[0] == ">" else "open: the peer missed ports"
            print(f"| {title(case, seed)}: {own}, {peer}, {key} | {least} | {text} | {met} |")
        if case == "F bottleneck":
            rows = table.get("ours syn")
            share = rows and median(rows, "wall") / (rows[0]["probes"] / 20000)
            shown = f"{share:.3f} | {'met' if share <= 1.05 else 'MISSED'}" if rows else "not measured | "
            print(f"| {title(case, seed)}: ours syn, of the time that the link needs | at most 1.05 | {shown} |")
    # What has to hold on a machine that is busy, too.
    ours = [row for row in every if row["tool"].startswith("ours")]
    wrong = sorted({f"{title(row['case'], row['seed'])} {row['tool']}" for row in ours if not exact([row])})
    most = max((row["rss_mib"] or 0 for row in ours), default=0)
    answered = [row for row in ours if row["case"] in CASES and answers(*CASES[row["case"]][:2])]
    sent = max((row["packets"] / row["probes"] for row in answered), default=0)
    conditions = [
        ("every run of ours: all open ports, none false, none twice", "", ", ".join(wrong) or "all", ours, not wrong),
        ("memory of ours", "at most 64 MiB", f"{most:.0f} MiB", ours, most <= 64),
        ("packets a probe of ours, closed ports and no bottleneck", "at most 1.1", f"{sent:.3f}", answered, sent <= 1.1),
    ]
    for name, limit, measured, rows, met in conditions:
        print(f"| {name} | {limit} | {measured if rows else 'not measured'} | {'' if not rows else 'met' if met else 'MISSED'} |")
    return all(met for *_, met in conditions)


def missed(row, engine, policy, wire, target):
    """The goals that a run misses, in words."""
    goals = []
    if row["found"] != row["open"]:
        goals.append("not all open ports were found")
    if row["false"] or row["double"]:
        goals.append("false or double results")
    if (row["rss_mib"] or 0) > 64:
        goals.append("more than 64 MiB")
    if answers(policy, wire) and row["packets"] > 1.1 * row["probes"]:
        goals.append("more than 1.1 packets a probe")
    rate = re.search(r"rate=(\d+)", wire)
    # One run of a program with its start and its end; the goal itself is judged by the median (`table`).
    if engine == "syn" and policy == "closed" and rate and row["wall"] > 1.05 * row["probes"] / int(rate[1]) + 0.1:
        goals.append("more than 1.05 of the time the bottleneck needs")
    return goals


def check(options):
    wrong = 0
    for seed in map(int, options.seeds.split(",")):
        for policy, wire, target, ports, *only in CHECKS:
            if not re.search(options.only, f"{policy} {wire} {target}"):
                continue
            lab = Lab(seed, policy, wire)
            try:
                for engine in options.engines.split(","):
                    if only and engine not in only[0]:
                        continue
                    spec = ",".join(map(str, ports)) if len(ports) < 65535 else "1-65535"
                    row = measure(lab, f"ours {engine}", ours(options.bin, engine, target, spec), target, ports, options.patience)
                    wrong += told(row, missed(row, engine, policy, wire, target), seed, policy, wire, target, engine)
            finally:
                lab.down()
        if re.search(options.only, "udp"):
            lab = Lab(seed, "closed", "")
            try:
                spec = ",".join(map(str, UDP))
                row = measure(lab, "ours udp", ours(options.bin, "", ONE, spec, udp=True), ONE, UDP, options.patience, lab.udp)
                goals = [goal for goal in missed(row, "udp", "udp", "", ONE)]
                wrong += told(row, goals, seed, "udp", "", ONE, "udp")
            finally:
                lab.down()
    print(f"{wrong} runs missed a goal" if wrong else "every goal was met")
    sys.exit(1 if wrong else 0)


def told(row, goals, seed, policy, wire, target, engine):
    print(f"{'WRONG' if goals else 'ok   '} seed {seed:5} {policy:7} {wire or 'no delay':40} {target:14} {engine:8} found {row['found']}/{row['open']} false {row['false']} "
          f"double {row['double']} in {row['wall']:.2f} s, {row['packets'] / row['probes']:.2f} packets a probe, rss {row['rss_mib']}  {'; '.join(goals)}  {row['error'][-200:]}", flush=True)
    return bool(goals)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("bench", "check"):
        one = commands.add_parser(name)
        one.add_argument("--only", default="")
        one.add_argument("--patience", type=float, default=150)
        one.add_argument("--bin", default=BARTIZAN)
        if name == "bench":
            one.add_argument("--seed", type=int, default=77)
            one.add_argument("--tools", default="")
            one.add_argument("--rounds", type=int, default=5)
            one.add_argument("--out", default="bench-portscan.jsonl")
            one.add_argument("--append", action="store_true", help="add to the file, for instance what a limit left out; of the same build")
            one.add_argument("--limit", type=float, default=1e9)
        else:
            one.add_argument("--seeds", default="77,1,2026")
            one.add_argument("--engines", default="syn,connect")
    commands.add_parser("table").add_argument("file")
    commands.add_parser("shell").add_argument("case")
    commands.add_parser("listen")
    options = parser.parse_args()
    if options.command == "listen":
        listen(*json.load(sys.stdin))
    if options.command == "table":
        sys.exit(0 if print_table(options.file) else 1)
    # A lab is taken down also when the benchmark is stopped from outside.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.geteuid():
        sys.exit("the lab makes network namespaces: run as root")
    programs = [] if options.command == "shell" else [SCAN if options.bin == "library" else options.bin, LINK]
    for needed in programs:
        if not os.access(needed, os.X_OK):
            sys.exit(f"{needed} is not there: cargo build --release --package bartizan-cli; "
                     "cargo build --release --package bartizan-portscan --features lab --examples")
    if options.command == "shell":
        policy, wire, *_ = next(case for name, case in CASES.items() if name.startswith(options.case))
        lab = Lab(77, policy, wire)
        try:
            input(f"namespaces {', '.join(lab.names.values())}; Enter ends the lab: ")
        finally:
            lab.down()
        return None
    if options.command == "check":
        check(options)
    sys.exit(0 if bench(options) else 1)


if __name__ == "__main__":
    main()
