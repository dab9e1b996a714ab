#!/usr/bin/env python3
"""Writes what Ubuntu's tracker says of 14.04 in two forms with the same content: `debsecan-source.py CORPUS FOLDER`.

`FOLDER/tracker/CVE-…` are records of the tracker with their lines about the release's archive alone, for `bartizan feeds
import`; `FOLDER/debsecan/trusty` has the same statements in the form debsecan downloads: below the fixed version the source
package is vulnerable, and always where nothing is fixed. What is not affected, under triage, rejected, or fixed at a version
that is not said is in neither. The corpus has no current list of Debian for its Debian host, but a real 14.04 host.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

corpus, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
line_of_release = re.compile(r"^trusty_([^:\s]+):\s*(released|ignored|needed|deferred|pending)\b\s*(?:\((.*)\))?")
names, statements = [], []
(folder / "tracker").mkdir(parents=True)
(folder / "debsecan").mkdir()
with tempfile.TemporaryDirectory() as unpacked:
    archive = corpus / "ubuntu/ubuntu-cve-tracker-2020-06.tar.zst"
    subprocess.run(["tar", "-C", unpacked, "--zstd", "-xf", archive], check=True)
    for record in sorted(pathlib.Path(unpacked).rglob("CVE-*")):
        text = record.read_text(errors="replace")
        if "** REJECT **" in text:
            continue
        kept = []
        for line in text.splitlines():
            found = line_of_release.match(line)
            if not found:
                continue
            package, word, detail = found[1], found[2], found[3] or ""
            version = re.match(r"\d[^\s,]*", detail)
            if word == "released" and not version:
                continue
            fixed = version[0] if word == "released" else ""
            statements.append(f"{package},{len(names)},SM{'?'}{'F' if fixed else ' '},{fixed},")
            kept.append(line)
        if kept:
            names.append(f"{record.name},,")
            (folder / "tracker" / record.name).write_text(f"Candidate: {record.name}\n" + "\n".join(kept) + "\n")
text = "VERSION 1\n" + "\n".join(names) + "\n\n" + "\n".join(statements) + "\n\n\n"
(folder / "debsecan" / "trusty").write_bytes(zlib.compress(text.encode()))
print(f"debsecan: {len(statements)} statements of {len(names)} records")
