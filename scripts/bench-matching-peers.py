#!/usr/bin/env python3
"""`bartizan audit` beside cargo-audit, debsecan and cve-bin-tool on the same input: `bench-matching-peers.py BARTIZAN FOLDER`.

Called by `scripts/bench-matching.sh`. BARTIZAN_CORPUS names the corpus, BARTIZAN_PEERS a folder with the peers' programs in
`bin` (`venv/bin` for cve-bin-tool); what is not there is reported as not measured, and how to install it.

Each comparison first makes both sides' data of the same records and checks what both find: the counts, and each difference,
which must be a lead of ours with the reason for it, or a row of a table of `crates/accuracy/tests/tables` that says
which rule decides it. A peer that found nothing,
a difference without a rule and a program that failed end the run with 1. Then both run from process start to the result in
a file, three rounds in turn; wall time, CPU time and peak memory are medians.
"""
import collections
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TABLES = REPOSITORY / "crates/accuracy/tests/tables"
ROUNDS = 3
complaints: list[str] = []


def run(commands: list[list[str]], accepted: set[int]) -> tuple[float, float, float]:
    """Runs commands one after the other: wall seconds, CPU seconds, the highest peak of memory in MiB."""
    cpu, peak, began = 0.0, 0.0, time.monotonic()
    for command in commands:
        with open(work / "output", "wb") as output, open(work / "errors", "wb") as errors:
            child = subprocess.Popen(command, stdout=output, stderr=errors, env=environment)
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in accepted:
            last = (work / "errors").read_text(errors="replace").strip().splitlines()[-3:]
            raise SystemExit(f"{command[0]} ended with {child.returncode}: {' / '.join(last)}")
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss / 1024)
    return time.monotonic() - began, cpu, peak


def compare(title: str, ours: list[list[str]], theirs: list[list[str]], accepted: set[int]) -> None:
    """Measures both in turn and prints the medians."""
    rounds = [(run(ours, {0, 1, 3}), run(theirs, accepted)) for _ in range(ROUNDS)]
    mine, other = ([statistics.median(one[side][column] for one in rounds) for column in range(3)] for side in (0, 1))
    form = "wall {:.3f} s, cpu {:.3f} s, peak {:.1f} MiB".format
    ratios = [theirs / max(ours, 1e-3) for ours, theirs in zip(mine, other)]
    print(f"  {title}\n    ours   {form(*mine)}\n    theirs {form(*other)}")
    print("    theirs / ours: wall {:.1f}, cpu {:.1f}, memory {:.1f}".format(*ratios))


def same(peer: str, ours: set, theirs: set, rules: dict[tuple, str]) -> None:
    """Prints what both found and the rules that explain the differences, and complains about those that none explains."""
    print(f"  found: ours {len(ours)}, theirs {len(theirs)}, both {len(ours & theirs)}")
    for side, rows in (("only ours", ours - theirs), ("only theirs", theirs - ours)):
        unexplained = sorted(row for row in rows if row not in rules)
        for rule, count in collections.Counter(rules[row] for row in rows if row in rules).most_common():
            print(f"    {side}: {count}: {rule}")
        if unexplained:
            print(f"    {side}: {len(unexplained)}: not explained")
        complaints.extend(f"{peer}, {side}: {' '.join(row)}" for row in unexplained[:20])
    if not theirs:
        complaints.append(f"{peer} found nothing: it was not measured")


def imported(name: str, *paths: pathlib.Path) -> str:
    """A store of ours with these records."""
    store = str(work / name)
    subprocess.run([bartizan, "feeds", "import", "--store", store, *paths], check=True, stdout=subprocess.DEVNULL, env=environment)
    return store


def audited(file: pathlib.Path, kind: str = "matches") -> list[dict]:
    return json.loads(file.read_text())[kind]


def reason(lead: dict) -> str:
    """Why something is a lead only."""
    notes = [note for evidence in lead["evidence"] for note in evidence["notes"]]
    return f"a lead here ({lead['state']}): {notes[0] if notes else lead['method']}"


def peer(name: str, how: str) -> str | None:
    found = shutil.which(name)
    if not found:
        print(f"== {name}: not measured (not installed: {how})")
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, env=environment)
    print(f"== {name} {version.stdout.split()[-1] if version.returncode == 0 and version.stdout else ''}".rstrip())
    return found


def cargo_audit() -> None:
    """All Cargo.lock files of the corpus against RustSec, a process for each file."""
    program = peer("cargo-audit", "cargo install --root FOLDER cargo-audit; BARTIZAN_PEERS=FOLDER")
    if not program:
        return
    subprocess.run([sys.executable, REPOSITORY / "scripts/rustsec-source.py", corpus, work / "rustsec"], check=True, env=environment)
    store = imported("store-rust", corpus / "osv/crates.io.jsonl.zst")
    files = sorted(locks.rglob("Cargo.lock"))
    settled = [program, "audit", "--no-fetch", "--stale", "--db", str(work / "rustsec"), "--file"]

    ours, theirs, kinds = set(), {}, []
    for at, file in enumerate(files):
        name = str(file.relative_to(locks))
        run([[bartizan, "audit", "--quiet", "--store", store, str(file), "-o", f"json={work}/ours-{at}.json"]], {0, 3})
        for match in audited(work / f"ours-{at}.json"):
            rows = {(name, match["package"], match["version"], evidence["advisory"]) for evidence in match["evidence"]}
            kinds.append((match["kind"], rows))
            ours |= rows
        run([[*settled, str(file), "--json"]], {0, 1})
        report = json.loads((work / "output").read_text())
        found = [("vulnerability", one) for one in report["vulnerabilities"]["list"]]
        found += [(kind, one) for kind in ("unmaintained", "unsound") for one in report["warnings"].get(kind, [])]
        for kind, one in found:
            theirs[name, one["package"]["name"], one["package"]["version"], one["advisory"]["id"]] = kind
    same("cargo-audit", ours, set(theirs), {})
    # One match of ours may be several advisories of theirs with the same names: it is of the worst kind of them.
    rank = ["vulnerability", "unsound", "unmaintained"].index
    for kind, rows in kinds:
        stated = min((theirs[row] for row in rows if row in theirs), key=rank, default=kind)
        if stated != kind:
            complaints.append(f"cargo-audit calls {sorted(rows)} {stated}, here {kind}")
    print("  kinds:", dict(collections.Counter(theirs.values())))
    audit = [bartizan, "audit", "--quiet", "--store", store]
    asked = [[*settled, str(file), "--json"] for file in files]
    each = [[*audit, str(file), "-o", f"json={work}/ours.json"] for file in files]
    compare(f"{len(files)} lock files, a process for each", each, asked, {0, 1})
    compare("ours: all of them in one process", [[*audit, *map(str, files), "-o", f"json={work}/ours.json"]], asked, {0, 1})


def debsecan() -> None:
    """A host with Ubuntu 14.04 against the statements of Ubuntu's tracker."""
    program = peer("debsecan", "apt-get install debsecan")
    if not program:
        return
    subprocess.run([sys.executable, REPOSITORY / "scripts/debsecan-source.py", corpus, work / "ubuntu"], check=True)
    store = imported("store-ubuntu", work / "ubuntu/tracker")
    status = str(locks / "dpkg/openvas-victim-image/status")
    audit = [bartizan, "audit", "--quiet", "--store", store, "--os", "ubuntu:14.04", status, "-o", f"json={work}/ours.json"]
    asked = [program, "--suite", "trusty", "--source", f"file://{work}/ubuntu/debsecan", "--status", status, "--format", "simple"]
    run([audit], {0})
    ours = {(match["ids"][0], match["package"]) for match in audited(work / "ours.json")}
    leads = {(lead["ids"][0], lead["package"]): reason(lead) for lead in audited(work / "ours.json", "leads")}
    run([asked], {0})
    theirs = {tuple(line.split()[:2]) for line in (work / "output").read_text().splitlines() if line.strip()}
    same("debsecan", ours, theirs, leads)
    compare("one host", [audit], [asked], {0})


def cve_bin_tool() -> None:
    """Seven products against NVD's records of 2022, by CPE."""
    program = peer("cve-bin-tool", "python3 -m venv FOLDER/venv && FOLDER/venv/bin/pip install cve-bin-tool; BARTIZAN_PEERS=FOLDER")
    if not program:
        return
    records = corpus / "nvd/nvd-api2-shape-2022.jsonl.zst"
    home = work / "home"
    interpreter = pathlib.Path(program).parent / "python"
    subprocess.run([interpreter, REPOSITORY / "scripts/cvebintool-source.py", records, home], check=True, stderr=subprocess.DEVNULL)
    environment["HOME"] = str(home)
    store = imported("store-nvd", records)
    with open(corpus / "expected/cve-bin-tool-3.4-on-nvd2022-7-products.csv", newline="") as file:
        stated = [(row["vendor"], row["product"], row["version"], row["cve"]) for row in csv.DictReader(file)]
    products = sorted({row[:3] for row in stated})
    with open(work / "products.csv", "w", newline="") as file:
        csv.writer(file).writerows([("vendor", "product", "version"), *products])
    cpe = "cpe:2.3:{}:{}:{}:{}:*:*:*:*:*:*:*".format
    components = [
        {"type": "application", "name": product, "version": version, "cpe": cpe("o" if vendor == "linux" else "a", vendor, product, version)}
        for vendor, product, version in products
    ]
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
    (work / "products.cdx.json").write_text(json.dumps(bill))
    audit = [bartizan, "audit", "--quiet", "--store", store, str(work / "products.cdx.json"), "-o", f"json={work}/ours.json"]
    answer = work / "theirs.csv"
    # It asks before it writes over a file.
    asked = ["bash", "-c", 'rm -f "$1"; exec "$2" --offline -l error -i "$3" -f csv -o "$1"', "ask", str(answer), program, str(work / "products.csv")]
    run([audit], {0})
    by_name = {(product, version): vendor for vendor, product, version in products}
    ours = {(by_name[match["package"], match["version"]], match["package"], match["version"], match["ids"][0]) for match in audited(work / "ours.json")}
    run([asked], {0, 1})
    with open(answer, newline="") as file:
        theirs = {(row["vendor"], row["product"], row["version"], row["cve_number"]) for row in csv.DictReader(file)}
    if theirs != set(stated):
        complaints.append(f"cve-bin-tool: {len(theirs)} rows, the corpus states {len(set(stated))}; {len(theirs ^ set(stated))} differ")
    with open(TABLES / "cpe-cve-bin-tool.csv", newline="") as file:
        rules = {tuple(row[:4]): row[-1] for row in csv.reader(file)}
    same("cve-bin-tool", ours, theirs, rules)
    compare("seven products", [audit], [asked], {0, 1})


bartizan, work = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
corpus = pathlib.Path(os.environ["BARTIZAN_CORPUS"]).resolve()
environment = dict(os.environ)
if peers := os.environ.get("BARTIZAN_PEERS"):
    environment["PATH"] = os.environ["PATH"] = f"{peers}/bin:{peers}/venv/bin:{os.environ['PATH']}"
work.mkdir(exist_ok=True)
locks = work / "locks"
locks.mkdir()
for archive in ("lockfiles-and-dpkg", "lockfiles-older-revisions"):
    subprocess.run(["tar", "-C", locks, "--zstd", "-xf", corpus / f"inventory/{archive}.tar.zst"], check=True)
cargo_audit()
debsecan()
cve_bin_tool()
if complaints:
    raise SystemExit("\n".join(["", "not the same:", *complaints]))
