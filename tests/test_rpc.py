"""JSON-RPC messages: whatever comes is a request or an error."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hub.web.live import rpc


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_message_is_a_request_or_an_error(text: bytes | str) -> None:
    try:
        found = rpc.parse(text)
    except rpc.RpcError as error:
        assert msgspec.json.decode(rpc.failure(error))["error"]["code"] == error.code
    else:
        assert isinstance(found.method, str)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {}, optional={"jsonrpc": st.just("2.0") | JSON, "id": JSON, "method": JSON, "params": JSON}
    )
)
def test_any_object_is_a_request_or_an_error_with_its_id(message: dict[str, Any]) -> None:
    try:
        found = rpc.parse(msgspec.json.encode(message))
    except rpc.RpcError as error:
        assert error.id is None or error.id == message["id"]
    else:
        assert message["jsonrpc"] == "2.0"
        assert found.method == message["method"]
        assert found.params == message.get("params")
