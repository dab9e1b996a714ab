#!/usr/bin/env python3
"""Writes the DSA list of the corpus in the form debsecan downloads: `debsecan-source.py CORPUS FOLDER`.

One statement a fixed package of a Debian Security Advisory: below that version the source package is vulnerable.
"""
import pathlib
import re
import subprocess
import sys
import zlib

corpus, folder = sys.argv[1:]
archive = pathlib.Path(corpus) / "debian/security-tracker-2023-03.tar.zst"
names = subprocess.run(["tar", "--zstd", "-tf", archive], capture_output=True, text=True, check=True).stdout.split("\n")
name = next(name for name in names if name.endswith("DSA/list"))
text = subprocess.run(["tar", "--zstd", "-xOf", archive, name], capture_output=True, text=True, check=True).stdout
ids, statements, cves = [], [], []
for line in text.split("\n"):
    if line.startswith("["):
        cves = []
    elif line.strip().startswith("{"):
        cves = line.strip().strip("{}").split()
    fixed = re.match(r"\s+\[\w+\] - (\S+) (\d\S*)", line)
    if fixed:
        for cve in cves:
            statements.append(f"{fixed[1]},{len(ids)},SH F,{fixed[2]},")
            ids.append(f"{cve},,")
out = "VERSION 1\n" + "\n".join(ids) + "\n\n" + "\n".join(statements) + "\n\n\n"
pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
(pathlib.Path(folder) / "bookworm").write_bytes(zlib.compress(out.encode()))
print(f"debsecan source: {len(statements)} statements")
