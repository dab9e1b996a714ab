#!/usr/bin/env python3
"""Fills cve-bin-tool's database from NVD records in the form of API 2.0: `cvebintool-source.py RECORDS.jsonl.zst HOME`.

Run it with the Python that has cve-bin-tool. The records go through the tool's own reader of NVD's API and its own writer of
the database, so what it later finds is what it would find had it fetched these records itself; nothing is fetched here.
`HOME` becomes the home folder of the tool, which looks for `.cache/cve-bin-tool` there.
"""
import json
import os
import pathlib
import subprocess
import sys

records, home = sys.argv[1:]
os.environ["HOME"] = home  # The tool takes its folder from it when it is loaded.
from cve_bin_tool.cvedb import CVEDB  # noqa: E402
from cve_bin_tool.data_sources.nvd_source import NVD_Source  # noqa: E402
from cve_bin_tool.log import LOGGER  # noqa: E402

LOGGER.setLevel("WARNING")
cache = pathlib.Path(home) / ".cache/cve-bin-tool"
cache.mkdir(parents=True)
lines = subprocess.run(["zstd", "-dc", records], capture_output=True, text=True, check=True).stdout.splitlines()
entries = [{"cve": json.loads(line)} for line in lines]
for entry in entries:
    # Its reader falls over a record that nobody has scored.
    if not any(name.startswith("cvssMetric") for name in entry["cve"].get("metrics", {})):
        entry["cve"]["metrics"] = {"cvssMetricV2": [{"cvssData": {"baseScore": 0}}]}
source = NVD_Source(nvd_type="api2")
database = CVEDB(sources=[source], cachedir=str(cache), version_check=False)
database.init_database()
database.data = [(source.format_data_api2(entries), source.source_name)]
database.populate_db()
print(f"cve-bin-tool: {database.get_cve_count()} of {len(lines)} records in its database")
