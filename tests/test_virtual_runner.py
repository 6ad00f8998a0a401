from pathlib import Path

import pytest

from hil.virtual.hardware import Wiring
from hil.virtual.runner import ScriptFailed, run_script

GC_LOAD = """
import gc, json, binascii
bad = 0
kept = []
for n in range(2000):
    row = {"n": n, "values": [n * 0.5, n + 1, "text-%d" % n], "flag": n % 2 == 0}
    text = json.dumps(row)
    kept.append((binascii.crc32(text), text))
    if len(kept) > 40:
        crc, old = kept.pop(0)
        if binascii.crc32(old) != crc or json.loads(old)["values"][2] != "text-%d" % (n - 40):
            bad += 1
    if n % 50 == 0:
        gc.collect()
print(bad)
"""


def test_a_script_prints() -> None:
    assert run_script({}, "print('hello', 1 + 1)") == "hello 2\n"


def test_files_and_folders_are_put_on_the_board(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("name = 'pack'\n")
    files: dict[str, str | bytes | Path] = {
        "/pack": tmp_path / "pack",
        "lib/one.py": "x = 1\n",
        "data.bin": b"\x00\xff",
    }
    script = "import pack, one\nprint(pack.name, one.x, open('data.bin', 'rb').read())"
    assert run_script(files, script) == "pack 1 b'\\x00\\xff'\n"


def test_an_exception_fails_with_its_traceback() -> None:
    with pytest.raises(ScriptFailed, match=r'File "script\.py", line 2') as caught:
        run_script({}, "print('before')\n1/0\n")
    assert caught.value.output.startswith("before\n")
    assert "ZeroDivisionError" in caught.value.output


def test_a_nonzero_exit_fails() -> None:
    with pytest.raises(ScriptFailed):
        run_script({}, "import sys\nsys.exit(3)")


def test_a_plain_exit_is_success() -> None:
    assert run_script({}, "import sys\nprint(1)\nsys.exit()") == "1\n"


def test_an_endless_loop_is_cut_short() -> None:
    with pytest.raises(ScriptFailed, match="cut short"):
        run_script({}, "while True: pass", timeout_s=0.2)


def test_an_endless_sleep_is_cut_short() -> None:
    with pytest.raises(ScriptFailed, match="cut short"):
        run_script({}, "import time\nwhile True: time.sleep(1)", timeout_s=0.2)


def test_a_day_passes_at_once_in_virtual_time() -> None:
    script = """
import asyncio, time
async def main():
    for _ in range(24):
        await asyncio.sleep(3600)
asyncio.run(main())
print(time.ticks_ms() // 3600_000)
"""
    assert run_script({}, script, virtual_time=True) == "24\n"


def test_the_heap_is_capped() -> None:
    script = """
kept = []
try:
    while True: kept.append(bytearray(1000))
except MemoryError:
    n = len(kept); kept = None
    print(120 < n < 192)
"""
    assert run_script({}, script) == "True\n"


def test_the_collector_frees_nothing_that_is_in_use() -> None:
    assert run_script({}, GC_LOAD) == "0\n"


def test_most_of_the_heap_is_the_firmwares() -> None:
    script = "import gc, machine, asyncio\ngc.collect()\nprint(gc.mem_free() > 160_000)"
    assert run_script({}, script) == "True\n"


def test_the_board_looks_like_a_pico() -> None:
    script = """
import sys, os, machine, time
print(sys.platform, os.uname()[0], machine.unique_id().hex(), machine.reset_cause(), time.gmtime()[0])
print(os.statvfs("/")[0] * os.statvfs("/")[2])
"""
    assert run_script({}, script) == "rp2 rp2 e6614103e7452b2f 1 2021\n1441792\n"


def test_errors_carry_a_boards_numbers() -> None:
    script = """
import os
from errno import ENOENT, EEXIST, EROFS
def number(call, *arguments):
    try: call(*arguments)
    except OSError as error: return error.errno
os.mkdir("a")
print(number(open, "none") == ENOENT, number(os.mkdir, "a") == EEXIST, number(open, "/rom/x", "w") == EROFS)
"""
    assert run_script({}, script) == "True True True\n"


def test_a_full_flash_raises_and_loses_nothing() -> None:
    script = """
import os
with open("kept", "w") as f: f.write("x" * 5000)
try:
    with open("big", "wb") as f:
        while True: f.write(bytes(20_000))
except OSError as error: print(error.errno)
os.remove("big")
print(len(open("kept").read()))
with open("after", "w") as f: f.write("fits")
"""
    assert run_script({}, script) == "28\n5000\n"


def test_a_rename_replaces_a_file_whole() -> None:
    script = """
import os
with open("new", "w") as f: f.write("new")
with open("old", "w") as f: f.write("old")
os.rename("new", "old")
print(open("old").read(), os.listdir(), [e[3] for e in os.ilistdir() if e[0] == "old"])
"""
    assert run_script({}, script) == "new ['old', 'script.py'] [3]\n"


def test_files_append_seek_and_truncate() -> None:
    script = """
with open("f", "wb") as f: f.write(b"abc")
with open("f", "ab") as f: f.write(b"def")
with open("f", "r+b") as f:
    f.seek(1); f.write(b"X"); f.seek(-1, 2); print(f.read())
print(open("f", "rb").read())
with open("f", "wb") as f: pass
print(open("f", "rb").read())
"""
    assert run_script({}, script) == "b'f'\nb'aXcdef'\nb''\n"


def test_a_folder_larger_than_one_answer_is_listed_whole() -> None:
    files = {f"many/file-with-a-long-name-{n:04}.txt": "" for n in range(300)}
    assert run_script(files, "import os\nprint(len(os.listdir('/many')))") == "300\n"


def test_the_machine_module_reaches_the_wiring() -> None:
    wiring = Wiring()
    wiring.analog_v[0] = lambda: 3.3
    wiring.inputs["15"] = lambda: True
    script = """
from machine import ADC, PWM, Pin, I2C
led = Pin("LED", Pin.OUT, value=0); led.toggle()
PWM(Pin(3), freq=1000, duty_u16=7)
print(ADC(Pin(26)).read_u16(), Pin(15, Pin.IN).value(), led(), I2C(0).scan())
try: I2C(0).readfrom(0x44, 6)
except OSError as error: print(error.errno)
"""
    assert run_script({}, script, wiring=wiring) == "65535 1 1 []\n5\n"
    assert (wiring.outputs, wiring.duties) == ({"LED": 1}, {"3": 7})
