#!/usr/bin/env python3
"""Service identification against `nmap -sV`: real Debian servers, on their own ports, on moved ports and inside TLS.

Starts every server that is installed on private loopback addresses, runs both tools over the same ports in turn, and
prints one table. A point each for the right product and for the exact version, where right is what dpkg-query says:

* product: the name reported contains the product's name (aliases of one product count as the same);
* version: the version reported begins with the package's upstream version (epoch, Debian revision and +dfsg taken
  away) and goes on, if at all, with a separator and what a distribution appends.

Nobody gets a point for a version that a server does not tell to strangers; such rows are 0 to 0.

usage: bench-services.py [--bin PATH] [--rounds N] [--install] [--only NAME,…] [--keep] [--json FILE]
"""

import argparse
import asyncio
import json
import os
import pwd
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET

from service_lab import PACKAGES, PROGRAMS, SERVERS, UNPACKED, Lab, children, free_port, unpack, upstream, which

# Addresses that were added to the loopback device.
added = []


def listens(address, port, process, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if process.poll() is not None:
            return False
        try:
            socket.create_connection((address, port), 0.5).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def bound(protocol, address, port, process, limit=60):
    """Waits for a socket at exactly this address: one at all addresses, of this machine's own service, is not the server's."""
    number = int.from_bytes(socket.inet_aton(address), sys.byteorder)
    local = f": {number:08X}:{port:04X} 00000000:0000 "
    end = time.monotonic() + limit
    while process.poll() is None and time.monotonic() < end:
        if local in open(f"/proc/net/{protocol}").read():
            return True
        time.sleep(0.05)
    return False


def forwarder(pairs):
    """Passes connections on, so that one server is seen at several addresses, in a thread of its own; returns what could not be bound."""
    refused = {}

    async def pump(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def accept(target):
        async def handle(reader, writer):
            try:
                inner_reader, inner_writer = await asyncio.open_connection(*target)
            except OSError:
                writer.close()
                return
            await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
        return handle

    async def main(ready):
        for at, target in pairs:
            try:
                await asyncio.start_server(accept(target), *at)
            except OSError as error:
                refused[at] = error
        ready.set()
        await asyncio.Event().wait()

    ready = threading.Event()
    threading.Thread(target=lambda: asyncio.run(main(ready)), daemon=True).start()
    if not ready.wait(10):
        sys.exit("the forwarder does not start")
    return refused


class Place:
    """One port that is identified."""

    def __init__(self, kind, server, address, port, processes, protocol="tcp"):
        self.kind, self.server, self.address, self.port, self.protocol = kind, server, address, port, protocol
        # What it takes to be served: a place is judged only while they run.
        self.processes = processes

    def runs(self):
        return all(process.poll() is None for process in self.processes)

    def __str__(self):
        return f"{self.kind} {self.server.name} at {self.address}:{self.port}/{self.protocol}"


def living(places):
    """The places whose server still runs."""
    for place in places:
        if not place.runs():
            print(f"left out: {place} (its server ended)")
    return [place for place in places if place.runs()]


def start_all(lab, servers):
    places, forwards, missing, started, direct = [], {}, [], [], []
    for index, server in enumerate(servers, 1):
        own_address, folder = f"127.77.0.{index}", lab.dir(server.name.replace(" ", "-"))
        try:
            if server.tcp:
                port = 6000 + 100 + index if server.name == "x11" else free_port()
                process = server.start(lab, folder, "127.0.0.1", port)
                started.append((server, "127.0.0.1", port, process, own_address))
            if server.direct:
                # UDP is served at its own address and port directly, which some servers want to see on an interface.
                subprocess.run(["ip", "address", "add", f"{own_address}/32", "dev", "lo"], capture_output=True)
                added.append(own_address)
                process = server.start(lab, lab.dir(server.name.replace(" ", "-") + "-own"), own_address, server.own)
                direct += [Place(kind, server, own_address, server.own, [process], protocol)
                           for kind, protocol, served in (("udp", "udp", server.udp), ("own", "tcp", server.tcp)) if served]
        except (OSError, KeyError, subprocess.CalledProcessError, TypeError, AttributeError) as error:
            missing.append(f"{server.name} ({error})")
    for server, address, port, process, own_address in started:
        if not listens(address, port, process):
            missing.append(f"{server.name} (does not listen; see {lab.folder}/{server.name.split()[0]}*.log)")
            continue
        places.append(Place("moved", server, address, port, [process]))
        if not server.direct:
            own = Place("own", server, own_address, server.own, [process])
            forwards[(own_address, server.own)] = own, (address, port)
    for place in direct:
        if bound(place.protocol, place.address, place.port, place.processes[0]):
            places.append(place)
        else:
            missing.append(f"{place} (the server is not bound there)")
    refused = forwarder([(at, target) for at, (_, target) in forwards.items()])
    missing += [f"{forwards[at][0]} ({error})" for at, error in refused.items()]
    places += [place for at, (place, _) in forwards.items() if at not in refused]
    wrapped = [(place, free_port()) for place in places if place.kind == "moved" and place.server.tls]
    stunnel = which("stunnel4", "stunnel")
    if wrapped and stunnel:
        text = f"foreground = yes\nsyslog = no\npid =\noutput = {lab.folder}/stunnel-own.log\n"
        for inner, outer in wrapped:
            text += (f"[{inner.server.name.replace(' ', '-')}]\naccept = 127.0.0.1:{outer}\nconnect = 127.0.0.1:{inner.port}\n"
                     f"cert = {lab.certificate}\nkey = {lab.key}\n")
        process = lab.spawn("stunnel", [stunnel, lab.write(lab.folder, "stunnel.conf", text)])
        for inner, outer in wrapped:
            place = Place("tls", inner.server, "127.0.0.1", outer, [*inner.processes, process])
            if listens(place.address, outer, process):
                places.append(place)
            else:
                missing.append(f"{place} (stunnel does not listen)")
    elif wrapped:
        missing.append("everything inside TLS (stunnel is not installed)")
    return places, missing


def nmap_run(places, udp, out):
    addresses = sorted({place.address for place in places})
    ports = ",".join(str(port) for port in sorted({place.port for place in places}))
    scan = ["-sU"] if udp else ["-sT"]
    argv = ["nmap", "-sV", "-Pn", "-n", *scan, "-T4", "-p", ports, "-oX", out, *addresses]
    begin = time.monotonic()
    subprocess.run(argv, capture_output=True)
    took = time.monotonic() - begin
    found = {}
    for host in ET.parse(out).getroot().iter("host"):
        address = host.find("address").get("addr")
        for port in host.iter("port"):
            service = port.find("service")
            if service is not None:
                found[(address, int(port.get("portid")), port.get("protocol"))] = (
                    service.get("name"), service.get("product"), service.get("version"), service.get("extrainfo"))
    return took, found


def bartizan_run(binary, places, udp, out):
    addresses = sorted({place.address for place in places})
    ports = ",".join(str(port) for port in sorted({place.port for place in places}))
    argv = [binary, "ports", *addresses, "--service-detection", "--no-discovery", "--allow-partial", "-q", "-o", f"json={out}", "-p",
            ("U:" if udp else "") + ports]
    begin = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True)
    took = time.monotonic() - begin
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(argv)}\n{done.stderr}")
    found = {}
    for host in json.load(open(out))["hosts"]:
        for port in host["ports"]:
            if port["state"] == "open":
                found[(port["address"], port["port"], port["protocol"])] = (
                    port["service"], port["product"], port["version"], port.get("banner"))
    return took, found


def judge(place, answer):
    """(product right, version exact) of one answer."""
    if answer is None:
        return False, False
    _, product, version, _ = answer
    product_right = bool(product and re.search(place.server.product, product, re.I))
    truth, whole = upstream(place.server.package)
    version = (version or "").split(" ")[0]
    exact = product_right and any(
        version == text or (version.startswith(text) and not version[len(text)].isalnum() and version[len(text)] != ".")
        for text in (truth, whole) if text)
    return product_right, exact


def install():
    """Installs what is missing. Services are not started, and what is installed on this machine stays: a package that would take
    another away is left out, as is one that cannot be had, and costs its own rows and no more."""
    print(f"== installing from Debian what is missing of: {' '.join(PACKAGES)}", flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    policy = "/usr/sbin/policy-rc.d"
    ours = not os.path.exists(policy)
    if ours:
        with open(policy, "w") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(policy, 0o755)
    try:
        subprocess.run(["apt-get", "update", "-qq"], env=environment, capture_output=True)
        for package in PACKAGES:
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "--no-remove", package], env=environment, capture_output=True)
    finally:
        if ours:
            os.unlink(policy)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.environ.get("BARTIZAN_BENCH_BIN"))
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "3")))
    parser.add_argument("--install", action="store_true", help="install missing Debian packages first")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", action="store_true", help="start the servers, print where they are, and wait")
    parser.add_argument("--no-nmap", action="store_true")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("run as root: the servers take their own low ports, and nmap asks UDP with raw sockets")
    if arguments.install:
        install()
        # What is looked for on this machine is there now.
        os.execv(sys.executable, [sys.executable, *(argument for argument in sys.argv if argument != "--install")])
    binary = arguments.bin or os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release/bartizan")
    wanted = [name.strip() for name in arguments.only.split(",") if name.strip()]
    servers = [server for server in SERVERS if not wanted or server.name in wanted]
    folder = tempfile.mkdtemp(prefix="bartizan-bench-")
    os.chmod(folder, 0o755)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if any(server.name == "exim" for server in servers) and "Debian-exim" not in {entry.pw_name for entry in pwd.getpwall()}:
        # The name is built into the program; the package would have made the account.
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "Debian-exim"], check=True)
    for server in servers:
        if server.package in UNPACKED and not which(*PROGRAMS[server.package]):
            unpack(folder, server.package)
    lab = Lab(folder)
    try:
        print("== starting the servers", flush=True)
        places, missing = start_all(lab, servers)
        for name in missing:
            print(f"left out: {name}")
        if arguments.keep:
            for place in places:
                print(f"{place.kind:6} {place.server.name:14} {place.address}:{place.port}/{place.protocol}", flush=True)
            signal.pause()
        run(arguments, binary, places, folder)
    except KeyboardInterrupt:
        pass
    finally:
        for sent in (signal.SIGTERM, signal.SIGKILL):
            for process in reversed(children):
                try:
                    os.killpg(process.pid, sent)
                except ProcessLookupError:
                    pass
            if sent == signal.SIGTERM:
                end = time.monotonic() + 5
                while time.monotonic() < end and any(process.poll() is None for process in children):
                    time.sleep(0.1)
        for process in children:
            process.wait()
        for address in added:
            subprocess.run(["ip", "address", "del", f"{address}/32", "dev", "lo"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def run(arguments, binary, places, folder):
    kinds = ("own", "moved", "tls", "udp")
    places = living(places)
    groups = [(kind, [place for place in places if place.kind == kind]) for kind in kinds]
    times = {kind: {"nmap": [], "bartizan": []} for kind in kinds}
    rounds = {}
    for number in range(arguments.rounds):
        for kind, members in groups:
            if not members:
                continue
            runs = {"nmap": lambda: nmap_run(members, kind == "udp", f"{folder}/nmap.xml"),
                    "bartizan": lambda: bartizan_run(binary, members, kind == "udp", f"{folder}/ours.json")}
            # Whoever comes second meets servers that are warm: they take turns.
            for tool in sorted(runs, reverse=number % 2 == 0):
                if tool == "nmap" and arguments.no_nmap:
                    continue
                took, found = runs[tool]()
                times[kind][tool].append(took)
                rounds.setdefault(tool, []).append((kind, found))
        last = {kind: {tool: f"{seen[-1]:.1f}" for tool, seen in tools.items() if seen} for kind, tools in times.items()}
        print(f"round {number + 1}: {last}", flush=True)
    # A server that ended meanwhile says nothing about either tool.
    places = living(places)
    groups = [(kind, [place for place in places if place.kind == kind]) for kind in kinds]
    rows, totals = [], {}
    for place in places:
        cells = []
        for tool in ("bartizan", "nmap"):
            # What is not right in each round is not right.
            seen = [found.get((place.address, place.port, place.protocol)) for kind, found in rounds.get(tool, []) if kind == place.kind]
            answer = min(seen, key=lambda answer: judge(place, answer), default=None)
            product, version = judge(place, answer)
            total = totals.setdefault((place.kind, tool), [0, 0])
            total[0] += product
            total[1] += version
            shown = " ".join(text for text in (answer[1], answer[2]) if text) if answer else ""
            cells.append((f"{product:d}{version:d}", (shown or (answer[0] if answer else "") or "-")[:44]))
        rows.append((place, cells))
    print("\n| place | server | package | bartizan | | nmap -sV | |\n|---|---|---|---|---|---|---|")
    for place, cells in sorted(rows, key=lambda row: (row[0].kind, row[0].server.name)):
        mark = " **worse**" if cells[0][0] < cells[1][0] else ""
        print(f"| {place.kind} | {place.server.name} | {upstream(place.server.package)[0]} | {cells[0][0]}{mark} | {cells[0][1]} "
              f"| {cells[1][0]} | {cells[1][1]} |")
    print("\n| place | ports | product: ours | nmap | version: ours | nmap | seconds: ours | nmap | nmap / ours |\n|---|---|---|---|---|---|---|---|---|")
    for kind, members in groups:
        if not members:
            continue
        ours, theirs = totals[(kind, "bartizan")], totals[(kind, "nmap")]
        own = statistics.median(times[kind]["bartizan"])
        peer = statistics.median(times[kind]["nmap"]) if times[kind]["nmap"] else 0.0
        print(f"| {kind} | {len(members)} | {ours[0]} | {theirs[0]} | {ours[1]} | {theirs[1]} | {own:.1f} | {peer:.1f} | {peer / own:.1f} |")
    if arguments.json:
        json.dump([{"place": place.kind, "server": place.server.name, "bartizan": cells[0], "nmap": cells[1]} for place, cells in rows],
                  open(arguments.json, "w"), indent=1)


if __name__ == "__main__":
    main()
