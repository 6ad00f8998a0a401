# The way from the board's ROM to its simulated hardware.
import json

import host


def call(name, *args):
    answer = json.loads(host.call(name, json.dumps(args)))
    if type(answer) is dict and "errno" in answer:
        raise OSError(answer["errno"])
    return answer


boot = call("boot")  # uid, cause, raw, script
