"""The hub's HTTP API as a test speaks it: plain, over a real socket."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from hil.hub import HubProcess


class Api:
    """Calls with the local admin's token."""

    def __init__(self, hub: HubProcess) -> None:
        self._hub = hub

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET under /api/v1."""
        text = urllib.parse.urlencode({name.rstrip("_"): value for name, value in query.items()})
        return self._ask(
            urllib.request.Request(f"{self._hub.url}/api/v1/{path}?{text}", headers=self._headers())
        )

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON of a POST under /api/v1."""
        return self.change("POST", path, body)

    def change(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the JSON of a change under /api/v1; None where there is nothing to say."""
        headers = self._headers() | {"Content-Type": "application/json"}
        data = None if body is None else msgspec.json.encode(body)
        url = f"{self._hub.url}/api/v1/{path}"
        return self._ask(urllib.request.Request(url, data=data, headers=headers, method=method))

    def command(self, device: str, command: str, **params: Any) -> Any:
        """Send a command and return its final result."""
        return self.post(f"devices/{device}/commands", {"command": command, "params": params})

    def online(self, device: str) -> bool:
        """Whether the device is known and online."""
        return any(item["id"] == device and item["online"] for item in self.get("devices")["items"])

    def device(self, device: str) -> Any:
        """Return one device."""
        return self.get(f"devices/{device}")

    def stored(self, device: str, metric: str) -> list[Any]:
        """Return every stored value of a metric, oldest first, over all pages."""
        values: list[Any] = []
        query: dict[str, Any] = {"device": device, "metric": metric, "from_": 0, "to": 9_999_999_999_999}
        while True:
            page = self.get("samples", **query)
            column = page["columns"].index("value")
            values += [row[column] for row in page["rows"]]
            if not page.get("next"):
                return values
            query["cursor"] = page["next"]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._hub.token}"}

    def _ask(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = answer.read()
        return msgspec.json.decode(said) if said else None
