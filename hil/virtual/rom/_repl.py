# boot.py, main.py and the REPL: friendly, raw, raw paste (MicroPython's shared/runtime/pyexec.c).
import io
import sys

import _host

_write = sys.stdout.buffer.write
_read = sys.stdin.buffer
_byte = bytearray(1)
_globals = {"__name__": "__main__"}
_banner = (
    "\r\nMicroPython %s; Virtual board with RP2040\r\n"
    'Type "help()" for more information.\r\n>>> ' % sys.version.split("MicroPython ")[1]
)


def _getc():
    while True:
        try:
            if _read.readinto(_byte):
                return _byte[0]
        except KeyboardInterrupt:
            return 3


def _soft_reset():
    _write("MPY: soft reboot\r\n")
    _host.call("reset", 5)


def _print_exception(error):
    text = io.StringIO()
    sys.print_exception(error, text)
    _write(text.getvalue().replace("\n", "\r\n"))


def _execute(source, name, mode="exec"):
    # Returns what was raised, or None. SystemExit is a soft reset, as on a board.
    try:
        return _run(source, name, mode)
    except KeyboardInterrupt as error:  # it came just before the code began, or just after it ended
        _host.call("interrupt_char", -1)
        return error


def _run(source, name, mode):
    _host.call("interrupt_char", 3)
    try:
        if mode == "single":
            try:
                code = compile(source, name, "eval")
            except SyntaxError:
                code = compile(source, name, "exec")
            value = eval(code, _globals)
            if value is not None:
                print(repr(value))
        else:
            exec(compile(source, name, mode), _globals)
    except SystemExit:
        raise
    except BaseException as error:
        return error
    finally:
        _host.call("interrupt_char", -1)


def _run_file(name):
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return None
    return _execute(source, name)


def _execute_line(source):
    _write("\r\n")
    if source.strip():
        try:
            error = _execute(source, "<stdin>", "single")
        except SystemExit:
            _soft_reset()
        if error is not None:
            _print_exception(error)
    _write(">>> ")


def _friendly():
    # Until Ctrl-A asks for the raw REPL.
    _write(_banner)
    line = bytearray()
    while True:
        c = _getc()
        if c == 1:
            _write("\r\n")
            return
        if c == 2:
            _write(_banner)
            line = bytearray()
        elif c == 3:
            _write("\r\n>>> ")
            line = bytearray()
        elif c == 4 and not line:
            _write("\r\n")
            _soft_reset()
        elif c == 13:
            _execute_line(bytes(line).decode())
            line = bytearray()
        elif c in (8, 127) and line:
            line = line[:-1]
            _write("\b \b")
        elif 32 <= c != 127:
            line.append(c)
            _write(bytes([c]))


def _raw():
    # Until Ctrl-B asks for the friendly REPL.
    _host.call("raw", True)
    _write("raw REPL; CTRL-B to exit\r\n>")
    line = bytearray()
    while True:
        c = _getc()
        if c == 1:
            if bytes(line) == b"\x05A":
                line = _paste()
                if line is None:
                    _write(b"\x04\x04>")
                else:
                    _execute_raw(line, b"")
            else:
                _write("raw REPL; CTRL-B to exit\r\n>")
            line = bytearray()
        elif c == 2:
            _host.call("raw", False)
            _write("\r\n")
            return
        elif c == 3:
            line = bytearray()
        elif c == 4:
            if not line:
                _write("OK\r\n")
                _soft_reset()
            _execute_raw(line, b"OK")
            line = bytearray()
        else:
            line.append(c)


def _paste():
    # Raw paste mode: a window of 128 bytes. Returns None when Ctrl-C aborts it.
    _write(b"R\x01\x80\x00\x01")
    line = bytearray()
    while True:
        c = _getc()
        if c == 3 or c == 4:
            _write(b"\x04")
            return line if c == 4 else None
        line.append(c)
        if len(line) % 128 == 0:
            _write(b"\x01")


def _execute_raw(line, answer):
    _write(answer)
    source = bytes(line).decode()
    try:
        error = _execute(source, "<stdin>")
    except SystemExit:
        _write(b"\x04\x04>")
        _soft_reset()
    _write(b"\x04")
    if error is not None:
        _print_exception(error)
    _write(b"\x04>")


def _run_script(name):
    try:
        error = _run_file(name)
    except SystemExit as ended:
        error = ended if ended.args and ended.args[0] else None
    if error is not None:
        _print_exception(error)
    _host.call("end", 0 if error is None else 1)


def main():
    sys.modules["__main__"] = None  # the boot ROM's globals are not the firmware's
    boot = _host.boot
    if boot["script"]:
        _run_script(boot["script"])
    for name in ("boot.py",) if boot["raw"] else ("boot.py", "main.py"):
        try:
            error = _run_file(name)
        except SystemExit:
            _soft_reset()
        if error is not None:
            _print_exception(error)
    if boot["raw"]:
        _raw()
    while True:
        _friendly()
        _raw()
