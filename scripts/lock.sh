#!/bin/sh
# Lock Python's packages with hashes, for every platform, naming no registry. Needs uv.
set -eu
lock() {
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"
}
lock --extra virtual --group build pyproject.toml -o requirements/run.txt
lock --extra virtual --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
# The version whose wheels there are for Python 3.11; for the tests of `outpost import` alone.
printf '%s\n' 'homeassistant==2024.3.3' 'sqlalchemy==2.0.28' 'fnv-hash-fast==0.5.0' 'psutil-home-assistant==0.0.1' |
    lock - -o requirements/homeassistant.txt
# For the tests of the Pi's camera alone; of its dependencies those that the environment does not have.
printf '%s\n' 'picamera2==0.3.38' 'libarchive-c==5.3' 'pidng==4.0.9' 'piexif==1.1.3' 'python-prctl==1.8.1' \
    'simplejpeg==1.9.0' 'videodev2==0.0.4' | lock --no-deps - -o requirements/picamera2.txt
echo 'cyclonedx-bom==7.5.0' | lock - -o requirements/sbom.txt
# Without their dependencies: those are modules that a board has built in.
echo 'adafruit-circuitpython-asyncio==3.1.1' | lock --no-deps - -o requirements/board.txt
for board in rp2-rpi_pico_w esp32; do
    printf '%s\n' "micropython-$board-stubs==1.29.0.post1" 'micropython-stdlib-stubs==1.29.0.post2' |
        lock --no-deps - -o "requirements/stubs-${board%%-*}.txt"
done
