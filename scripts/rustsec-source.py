#!/usr/bin/env python3
"""Writes the RustSec records of the corpus as the advisory database that cargo-audit reads: `rustsec-source.py CORPUS FOLDER`.

The corpus has them in OSV form. Versions outside of every affected range are "patched" behind a fix and "unaffected" before
the first introduction. The folder is a Git repository with one commit, which is what cargo-audit opens.
"""
import json
import pathlib
import subprocess
import sys

corpus, folder = sys.argv[1], pathlib.Path(sys.argv[2])
records = subprocess.run(
    ["zstd", "-dc", pathlib.Path(corpus) / "osv/crates.io.jsonl.zst"], capture_output=True, text=True, check=True
).stdout
count = 0
for line in records.splitlines():
    record = json.loads(line)
    for affected in record["affected"]:
        package = affected["package"]["name"]
        events = [event for one in affected.get("ranges", []) if one["type"] == "SEMVER" for event in one["events"]]
        patched, unaffected = [], []
        for at, event in enumerate(events):
            if "fixed" in event:
                again = next((later["introduced"] for later in events[at + 1 :] if "introduced" in later), None)
                patched.append(f">= {event['fixed']}" + (f", < {again}" if again else ""))
            elif at == 0 and event.get("introduced") not in ("0", "0.0.0-0", None):
                unaffected.append(f"< {event['introduced']}")
        advisory = [f'id = "{record["id"]}"', f'package = "{package}"', f'date = "{record.get("published", record["modified"])[:10]}"']
        kind = (affected.get("database_specific") or {}).get("informational")
        if kind:
            advisory.append(f'informational = "{kind}"')
        if record.get("withdrawn"):
            advisory.append(f'withdrawn = "{record["withdrawn"][:10]}"')
        text = "```toml\n[advisory]\n" + "\n".join(advisory)
        text += f"\n\n[versions]\npatched = {json.dumps(patched)}\nunaffected = {json.dumps(unaffected)}\n```\n\n# {record.get('summary') or record['id']}\n\n-\n"
        place = folder / "crates" / package
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{record['id']}.md").write_text(text)
        count += 1
git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
subprocess.run([*git, "init", "-q"], check=True)
subprocess.run([*git, "add", "."], check=True)
subprocess.run([*git, "commit", "-q", "-m", "The records of the corpus"], check=True)
print(f"cargo-audit source: {count} advisories")
