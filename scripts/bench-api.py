#!/usr/bin/env python3
"""The API on a million findings: how long lists take, and what a storm of sign-ins does to everybody else.

Starts `bartizan serve` on SQLite and on a private PostgreSQL of Debian in turn, sets it up, writes findings straight into
the tables, and measures with a client of its own on the same machine:

* lists: p50 and p99 of pages of 50, without and with three filters, sorted in several ways, at the front, deep by page
  number and deep by cursor; aim: p99 at most 50 ms;
* sign-ins: p99 of a list alone, and while other clients sign in as fast as they can; aim: at most twice as long;
* memory of the server before anything was asked, after the lists and after the storm; seconds of processor.

usage: bench-api.py [--bin PATH] [--findings N] [--requests N] [--database sqlite|postgres|both] [--keep FOLDER] [--json FILE]
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

PASSWORD = "sherwood forest 1193"
AIM_MS = 50.0
AIM_RATIO = 2.0
SEVERITIES = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
NOW = datetime.now(timezone.utc)
COLUMNS = """id organization_id fingerprint check_id category title severity confidence asset asset_id location status
resolution_reason status_note status_changed_at accepted_until accepted_by evidence first_seen_at last_seen_at first_scan_id
last_scan_id occurrences reopened resolved_at resolved_scan_id demo updated_at""".split()
ASSET_COLUMNS = """id organization_id name target_type target_value risk_zone criticality scope_confirmed_at last_seen_at score
demo created_at updated_at""".split()
EACH = 50


class Server:
    """A running `bartizan serve`."""

    def __init__(self, binary, data, url):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BARTIZAN_")}
        environment.pop("DATABASE_URL", None)
        if url:
            environment["DATABASE_URL"] = url
        many = ["--sign-ins-per-minute", "1000000", "--writes-per-minute", "1000000"]
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(data), *many],
            env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            if found := re.search(r"serves http://([0-9.]+):(\d+)", line):
                self.host, self.port = found[1], int(found[2])
                break
        else:
            sys.exit("the server did not start")
        threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=120)

    def memory(self):
        """Resident memory in MiB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024

    def seconds(self):
        """Processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class Postgres:
    """Debian's PostgreSQL as it is configured by default, on a socket of its own."""

    def __init__(self, folder):
        self.folder = folder / "postgres"
        self.folder.mkdir()
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        if not versions:
            sys.exit("PostgreSQL is missing: install the Debian package postgresql")
        self.bin = versions[-1]
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
            # The way there is for its user as well.
            for parent in [folder, *folder.parents][:-2]:
                parent.chmod(parent.stat().st_mode | 0o011)
        self.run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--pgdata", self.folder / "d")
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder}"
        self.run("pg_ctl", "start", "--silent", "--wait", "--pgdata", self.folder / "d", "--options", options, "--log", self.folder / "log")
        self.url = f"postgres://postgres@localhost/postgres?host={self.folder}"

    def run(self, program, *arguments):
        become = ["runuser", "--user", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*become, str(self.bin / program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def psql(self, text, lines=None):
        command = [str(self.bin / "psql"), "--no-psqlrc", "--quiet", "--username=postgres", "--host", str(self.folder),
                   "--set=ON_ERROR_STOP=1", "--tuples-only", "--no-align", "--command", text]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if lines is not None:
            for line in lines:
                process.stdin.write(line)
        process.stdin.close()
        out = process.stdout.read()
        if process.wait() != 0:
            sys.exit(f"psql failed: {text[:80]}")
        return out.strip()

    def stop(self):
        self.run("pg_ctl", "stop", "--silent", "--mode=fast", "--pgdata", self.folder / "d")


def checks():
    """The checks that ship: id, category, severity, title."""
    root = Path(__file__).resolve().parent.parent / "content" / "checks"
    found = [tomllib.loads(path.read_text()) for path in sorted(root.glob("*/*.toml"))]
    return [(one["id"], one["category"], SEVERITIES[one["severity"]], one["title"]) for one in found]


def written(at, database):
    return at.isoformat() if database == "sqlite" else at.isoformat(sep=" ")


def assets(count, organization, database):
    """Rows of assets, as values in the order of ASSET_COLUMNS."""
    dice = random.Random(1)
    for number in range(count):
        identity = uuid.UUID(int=(0x0191 << 112) | (number << 80) | (7 << 76) | (2 << 62) | dice.getrandbits(60))
        at = written(NOW - timedelta(minutes=dice.randrange(500000)), database)
        name = f"host-{number}.example.com"
        yield [identity, organization, name, "domain", name, "internal", 3, at, at, dice.randrange(100), False, at, at]


def findings(count, organization, of_assets, database):
    """Rows of findings, as values in the order of COLUMNS. A fifth is resolved, as after a year of use."""
    dice = random.Random(2)
    every = checks()
    number = 0
    for asset, name in of_assets:
        for check, category, severity, title in dice.sample(every, min(EACH, len(every))):
            for copy in range(max(1, EACH // len(every))):
                if number == count:
                    return
                identity = uuid.UUID(int=(0x0192 << 112) | (number << 80) | (7 << 76) | (2 << 62) | dice.getrandbits(60))
                first = NOW - timedelta(minutes=dice.randrange(500000))
                last = first + (NOW - first) * dice.random()
                status = dice.choices([0, 1, 2, 3, 4], [60, 10, 5, 20, 5])[0]
                resolved = status == 3
                yield [identity, organization, f"v1:{number:032x}", check, category, title, severity, 2, name, asset,
                       f"tcp/{443 + copy}", status, "fixed" if resolved else None, None, written(last, database), None, None,
                       '{"status": 200, "header": null}', written(first, database), written(last, database), 1,
                       dice.randrange(1, 400), dice.randrange(1, 60), 0, written(last, database) if resolved else None,
                       399 if resolved else None, False, written(last, database)]
                number += 1


def seed_sqlite(file, count):
    database = sqlite3.connect(file, isolation_level=None)
    for setting in ["synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"]:
        database.execute(f"PRAGMA {setting}")
    organization = database.execute("SELECT id FROM organizations").fetchone()[0]

    def values(row):
        return [value.bytes if isinstance(value, uuid.UUID) else int(value) if isinstance(value, bool) else value for value in row]

    def insert(table, columns, rows):
        marks = ", ".join("?" * len(columns))
        database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", map(values, rows))

    # An index is made in one go in a fraction of the time it takes to keep it row by row.
    indexes = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('findings', 'assets') AND sql IS NOT NULL").fetchall()
    database.execute("BEGIN IMMEDIATE")
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    own = list(assets(max(1, count // EACH), organization, "sqlite"))
    insert("assets", ASSET_COLUMNS, own)
    insert("findings", COLUMNS, findings(count, organization, [(row[0], row[2]) for row in own], "sqlite"))
    for _, text in indexes:
        database.execute(text)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def seed_postgres(postgres, count):
    organization = postgres.psql("SELECT id FROM organizations")

    def line(row):
        texts = ("\\N" if value is None else "t" if value is True else "f" if value is False else str(value) for value in row)
        return "\t".join(texts) + "\n"

    indexes = postgres.psql("""SELECT indexname || E'\t' || indexdef FROM pg_indexes WHERE tablename IN ('findings', 'assets')
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)""").splitlines()
    indexes = [one.split("\t") for one in indexes]
    for name, _ in indexes:
        postgres.psql(f"DROP INDEX {name}")
    own = list(assets(max(1, count // EACH), organization, "postgres"))
    postgres.psql(f"COPY assets ({', '.join(ASSET_COLUMNS)}) FROM STDIN", map(line, own))
    rows = findings(count, organization, [(row[0], row[2]) for row in own], "postgres")
    postgres.psql(f"COPY findings ({', '.join(COLUMNS)}) FROM STDIN", map(line, rows))
    for _, text in indexes:
        postgres.psql(f"SET maintenance_work_mem = '512MB'; {text}")
    # What its own upkeep does some minutes later.
    postgres.psql("VACUUM ANALYZE")


def call(connection, method, path, token=None, body=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        sys.exit(f"{method} {path}: {answer.status} {text[:300]!r}")
    return json.loads(text) if text else None


def until(what, seconds, ask):
    """Asks until the answer is yes."""
    begin = time.perf_counter()
    while not ask():
        if time.perf_counter() - begin > seconds:
            sys.exit(f"waited {seconds} s for {what}")
        time.sleep(0.2)


def sign_in(connection):
    return call(connection, "POST", "/api/auth/login", body={"username": "admin", "password": PASSWORD})["access_token"]


def at(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def timed(connection, token, paths):
    times = []
    for path in paths:
        begin = time.perf_counter()
        call(connection, "GET", path, token)
        times.append((time.perf_counter() - begin) * 1000)
    return times


def cursor_walk(connection, token, path, from_page, count):
    """Pages one after the other by cursor, from deep in the list on, as long as there are any."""
    total = call(connection, "GET", path.replace("page_size=50", "page_size=1"), token)["total"]
    after = call(connection, "GET", f"{path}&page={max(1, min(from_page, total // 100))}", token)["data"][-1]["id"]
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        page = call(connection, "GET", f"{path}&after={after}", token)
        times.append((time.perf_counter() - begin) * 1000)
        if len(page["data"]) < 50:
            break
        after = page["data"][-1]["id"]
    return times


def lists(server, token, total, requests):
    """Name, and the times of its requests."""
    dice = random.Random(3)
    connection = server.connect()
    front = lambda path: [f"{path}&page={dice.randrange(1, 20)}" for _ in range(requests)]
    three = "/api/findings?page_size=50&severity=critical,high&status=open&category=web"
    asset_ids = [row["id"] for row in call(connection, "GET", "/api/assets?page_size=500", token)["data"]]
    last = total // 50
    yield "findings", timed(connection, token, front("/api/findings?page_size=50"))
    yield "findings, three filters", timed(connection, token, front(three))
    yield "findings, severity", timed(connection, token, front("/api/findings?page_size=50&severity=medium"))
    yield "findings, status, newest first", timed(
        connection, token, front("/api/findings?page_size=50&status=open&sort=last_seen_at&sort_dir=desc"))
    yield "findings, one check", timed(connection, token, front("/api/findings?page_size=50&check_id=hsts.missing"))
    yield "findings, by asset name", timed(connection, token, front("/api/findings?page_size=50&sort=asset"))
    yield "findings of one asset", timed(
        connection, token, [f"/api/findings?page_size=50&asset_id={dice.choice(asset_ids)}" for _ in range(requests)])
    yield "findings by title", timed(connection, token, front("/api/findings?page_size=50&sort=title"))
    few = max(10, requests // 10)
    yield "findings, last pages by number", timed(
        connection, token, [f"/api/findings?page_size=50&page={last - dice.randrange(last // 10)}" for _ in range(few)])
    yield "findings, deep by cursor", cursor_walk(connection, token, "/api/findings?page_size=50", last // 2, requests)
    yield "findings, three filters, by cursor", cursor_walk(connection, token, three, 100, requests)
    search = lambda texts: [f"/api/findings?page_size=50&search={text}" for text in texts]
    hosts = [f"host-{dice.randrange(100, 10000)}" for _ in range(requests)]
    yield "findings, search of a host", timed(connection, token, search(hosts))
    yield "findings, search of a word", timed(connection, token, search(dice.choices(["certificate", "cookie", "tls", "dnssec"], k=requests)))
    yield "findings, search of nothing", timed(connection, token, search(["nowhere"] * few))
    yield "findings, search of a host, filtered", timed(
        connection, token, [f"{path}&severity=critical,high&status=open" for path in search(hosts)])
    yield "findings, search of every host", timed(connection, token, search(["example"] * few))
    yield "counts beside the list", timed(connection, token, ["/api/findings/stats"] * few)
    yield "counts, filtered", timed(connection, token, ["/api/findings/stats?severity=critical,high&status=open"] * few)
    yield "overview", timed(connection, token, ["/api/summary"] * few)
    yield "trend of 30 days", timed(connection, token, ["/api/summary/trend?days=30"] * few)
    yield "assets", timed(connection, token, front("/api/assets?page_size=50"))
    yield "audit log", timed(connection, token, front("/api/audit?page_size=50"))


def storm(host, port, stop, count, refused):
    """Signs in as fast as it can, until told to stop. A server that is busy says so, which is its good right."""
    connection = http.client.HTTPConnection(host, port, timeout=120)
    body = json.dumps({"username": "admin", "password": PASSWORD})
    while not stop.is_set():
        connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        counter = count if answer.status == 200 else refused
        with counter.get_lock():
            counter.value += 1
        if answer.status != 200:
            time.sleep(0.05)


def others(server, token, seconds):
    """What a list takes meanwhile."""
    connection = server.connect()
    times = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        times += timed(connection, token, ["/api/findings?page_size=50&status=open"])
        time.sleep(0.005)
    return times


def sign_ins(server, token, seconds):
    alone = others(server, token, seconds)
    stop, count, refused = multiprocessing.Event(), multiprocessing.Value("i", 0), multiprocessing.Value("i", 0)
    storming = (server.host, server.port, stop, count, refused)
    clients = [multiprocessing.Process(target=storm, args=storming, daemon=True) for _ in range(16)]
    for client in clients:
        client.start()
    try:
        until("the storm", 120, lambda: count.value >= 4)
        before = count.value, refused.value
        during = others(server, token, seconds)
        done = count.value - before[0], refused.value - before[1]
    finally:
        stop.set()
        for client in clients:
            client.join(30)
    return alone, during, done[0] / seconds, done[1] / seconds


def measure(arguments, database, folder):
    print(f"\n{database}: seeding {arguments.findings:,} findings", flush=True)
    data = folder / f"data-{database}"
    postgres = Postgres(folder) if database == "postgres" else None
    url = postgres.url if postgres else None
    server = None
    try:
        server = Server(arguments.bin, data, url)
        setup = {"username": "admin", "email": "a@example.com", "password": PASSWORD, "organization_name": "Bench"}
        call(server.connect(), "POST", "/api/auth/setup", body=setup)
        server.stop()
        begin = time.perf_counter()
        if postgres:
            seed_postgres(postgres, arguments.findings)
        else:
            seed_sqlite(data / "bartizan.db", arguments.findings)
        print(f"seeded in {time.perf_counter() - begin:.0f} s", flush=True)
        server = Server(arguments.bin, data, url)
        time.sleep(2)
        result = {"database": database, "idle_mib": server.memory(), "lists": {}}
        token = sign_in(server.connect())
        # A year's housekeeping, which follows the start, is not what is measured.
        connection = server.connect()
        until("housekeeping", 600, lambda: not call(connection, "GET", "/api/jobs?status=queued,running", token)["total"])
        total = call(connection, "GET", "/api/findings?page_size=1", token)["total"]
        assert total == arguments.findings, f"{total} findings"
        begin = (time.perf_counter(), server.seconds())
        print(f"\n{'list':38}{'p50 ms':>9}{'p99 ms':>9}{'p99 / aim':>11}")
        for name, times in lists(server, token, total, arguments.requests):
            p50, p99 = at(times, 0.5), at(times, 0.99)
            result["lists"][name] = {"p50": p50, "p99": p99, "requests": len(times)}
            print(f"{name:38}{p50:9.1f}{p99:9.1f}{p99 / AIM_MS:11.2f}{'' if p99 <= AIM_MS else '  over the aim'}", flush=True)
        wall, used = time.perf_counter() - begin[0], server.seconds() - begin[1]
        result["lists_mib"] = server.memory()
        result["processor_share"] = used / wall
        alone, during, rate, refused = sign_ins(server, token, arguments.seconds)
        ratio = at(during, 0.99) / at(alone, 0.99)
        result["sign_ins"] = {"alone_p99": at(alone, 0.99), "storm_p99": at(during, 0.99), "alone_p50": at(alone, 0.5),
                              "storm_p50": at(during, 0.5), "ratio": ratio, "per_second": rate,
                              "refused_per_second": refused}
        result["storm_mib"] = server.memory()
        print(f"\nsign-ins: {rate:.1f} a second by 16 clients ({refused:.1f} told to come back); others' p50 {at(alone, 0.5):.1f} -> {at(during, 0.5):.1f} ms, "
              f"p99 {at(alone, 0.99):.1f} -> {at(during, 0.99):.1f} ms, ratio {ratio:.2f}{'' if ratio <= AIM_RATIO else '  over the aim'}")
        print(f"memory: {result['idle_mib']:.0f} MiB idle, {result['lists_mib']:.0f} after the lists, {result['storm_mib']:.0f} "
              f"after the storm; processor: {result['processor_share']:.2f} of one while lists were read", flush=True)
        server.stop()
        return result
    finally:
        # After a failure; in the ordinary case it has ended.
        if server and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        if postgres:
            postgres.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    parser.add_argument("--bin", default=f"{target}/release/bartizan")
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(arguments.bin)
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="bartizan-bench-"))
    folder.mkdir(exist_ok=True)
    try:
        wanted = ["sqlite", "postgres"] if arguments.database == "both" else [arguments.database]
        results = [measure(arguments, database, folder.resolve()) for database in wanted]
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
