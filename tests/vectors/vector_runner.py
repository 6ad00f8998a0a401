"""Holds the wire against the golden vectors. Runs on CPython and on MicroPython alike.

Each function takes the modules under test and the vectors, raises AssertionError with the vector's name,
and returns how many it held.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def check_frames(frame: "Any", data: "dict[str, Any]") -> int:
    for case in data["encode"]:
        assert frame.encode(raw(case["payload"])) == raw(case["frame"]), case["payload"]
    for case in data["decode"]:
        for size in (1, 2, 7, 1000):
            check_stream(frame, case, size)
    return len(data["encode"]) + len(data["decode"])


def check_stream(frame: "Any", case: "dict[str, Any]", size: int) -> None:
    decoder = frame.Decoder()
    data = raw(case["bytes"])
    payloads = []
    for start in range(0, len(data), size):
        payloads.extend(decoder.feed(data[start : start + size]))
    name = "{} in pieces of {}".format(case["name"], size)
    assert payloads == [raw(text) for text in case["payloads"]], name
    assert decoder.take_console() == raw(case["console"]), name + ": console"
    assert decoder.crc_errors == case["crc_errors"], name + ": crc_errors"
    assert decoder.resyncs == case["resyncs"], name + ": resyncs"


def check_messages(message: "Any", data: "dict[str, Any]") -> int:
    for key, shapes in (("from_board", message.FROM_BOARD), ("from_hub", message.FROM_HUB)):
        for case in data[key]:
            assert accepts(message, case["text"], shapes) == case["ok"], case["text"]
    for case in data["ascii"]:
        assert message.dumps(case["value"]) == case["text"], case["text"]
    return len(data["from_board"]) + len(data["from_hub"]) + len(data["ascii"])


def accepts(message: "Any", text: str, shapes: "Any") -> bool:
    try:
        message.parse(text, shapes)
    except message.WireError:
        return False
    return True


def check_session(
    frame: "Any", message: "Any", board_session: "Any", outbox: "Any", data: "dict[str, Any]"
) -> int:
    box = outbox.Outbox(4096)
    board = board_session.BoardSession(
        data["uid"], data["boot_id"], data["reset_cause"], lambda: [data["birth"]], box
    )
    reader = frame.Decoder()
    for index, step in enumerate(data["steps"]):
        name = f"step {index}: {step}"
        at = step["at"]
        if "hub" in step:
            board.feed(frame.encode(message.payload(step["hub"])), at)
        elif "take" in step:
            ticks, group, values = step["take"]
            box.put(message.payload(message.reading(box.next_seq, ticks, group, values)))
        elif "answer" in step:
            board.answer(step["answer"][0], step["answer"][1], step["answer"][2])
        elif check_ongoing(board.ongoing, step, name):
            pass
        elif "run" in step:
            run = list(board.commands.pop(0)) if board.commands else None
            assert run == step["run"], f"{name}; got {run}"
        else:
            sent = board.next_frame(at)
            got = None
            if sent is not None:
                got = message.json.loads(reader.feed(sent)[0])
            assert got == step["board"], f"{name}; got {got}"
    return len(data["steps"])


def check_ongoing(ongoing: "Any", step: "dict[str, Any]", name: str) -> bool:
    if "progress" in step:
        ongoing.progress(*step["progress"])
    elif "fetch" in step:
        ongoing.fetch(*step["fetch"])
    elif "fetched" in step:
        wanted = None if step["fetched"] is None else raw(step["fetched"])
        assert ongoing.fetched() == wanted, f"{name}; got {ongoing.fetched()}"
    elif "cancelled" in step:
        command_id, cancelled = step["cancelled"]
        assert ongoing.is_cancelled(command_id) == cancelled, name
    else:
        return False
    return True


def raw(text: str) -> bytes:
    return bytes([ord(c) for c in text])
