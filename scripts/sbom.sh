#!/bin/sh
# Write the software bills of materials (CycloneDX JSON) of what a release carries into a folder: of the hub what is
# locked in requirements/run.txt, with its hashes; of the dashboard what is built into it. Called by `make sbom`.
set -eu
out=${1:-build/sbom}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
build/sbom-tools/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml \
    --sv 1.6 --output-reproducible -o "$out/outpost-hub.cdx.json" 2>"$out/log" ||
    { cat "$out/log" >&2; exit 1; }
(cd dashboard && npm sbom --sbom-format cyclonedx --package-lock-only --omit dev \
    --loglevel error) >"$out/dashboard.cdx.json"
rm "$out/log"
