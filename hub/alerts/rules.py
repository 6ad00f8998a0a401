"""The rules of a hub: kept in the store, changed one at a time by whoever knows the version, or as a file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import msgspec
import tomli_w

from hub.alerts.rule import BadRule, Ready, Rule, check
from hub.mismatch import mismatch
from hub.model import OutpostError
from hub.store import alerts as table
from hub.store.alerts import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.store.store import Store

KIND = "rule"
MOST_RULES = 100


class NoSuchRule(OutpostError):
    """There is no rule of that id."""


class RuleChanged(OutpostError):
    """The rule is not at the version that the caller has seen."""


class Rules:
    """Every rule with its version. Changes are in the store a moment later; `changed` is told of each."""

    def __init__(
        self, store: Store, now_ms: Callable[[], int], changed: Callable[[str, Ready | None], None]
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._changed = changed
        self._documents: dict[str, Document] = {}
        self._ready: dict[str, Ready] = {}

    async def load(self) -> list[OutpostError]:
        """Read what the store has; return what is wrong with rules that are left out. Raises StoreError."""
        problems: list[OutpostError] = []
        for document in await self._store.ask(lambda connection: table.documents(connection, KIND)):
            try:
                ready = rule_of(document.body)
            except BadRule as error:
                problems.append(BadRule(document.id, str(error)))
                continue
            self._documents[document.id], self._ready[document.id] = document, ready
        return problems

    @property
    def ready(self) -> list[Ready]:
        """Every rule, checked."""
        return list(self._ready.values())

    def get(self, rule: str) -> Ready | None:
        """Return a rule, or None."""
        return self._ready.get(rule)

    def all(self) -> list[Document]:
        """Return every rule with its version, by id."""
        return [self._documents[rule] for rule in sorted(self._documents)]

    def find(self, rule: str) -> Document:
        """Return one rule with its version. Raises NoSuchRule."""
        if rule not in self._documents:
            raise NoSuchRule(f"there is no rule {rule[:70]!r}")
        return self._documents[rule]

    def put(self, rule: Rule, version: int | None = None) -> Document:
        """Make a rule or change it; with a `version` only where it is at that one, 0 where it is new.

        Raises BadRule, RuleChanged.
        """
        ready = check(rule)
        known = self._documents.get(rule.id)
        self._expect(rule.id, version)
        if known is None and len(self._documents) >= MOST_RULES:
            raise BadRule("id", f"there are {MOST_RULES} rules already; remove one first")
        document = Document(
            id=rule.id,
            version=1 if known is None else known.version + 1,
            updated_time=self._now_ms(),
            body=_body(rule),
        )
        self._documents[rule.id], self._ready[rule.id] = document, ready
        self._store.record(f"rule {rule.id}", table.put_document(KIND, document))
        self._changed(rule.id, ready)
        return document

    def delete(self, rule: str, version: int | None = None) -> None:
        """Remove a rule. Raises NoSuchRule, RuleChanged."""
        self.find(rule)
        self._expect(rule, version)
        del self._documents[rule], self._ready[rule]
        self._store.record(f"rule {rule}", table.drop_document(KIND, rule))
        self._changed(rule, None)

    def replace_all(self, text: str) -> list[Document]:
        """Put the rules of a TOML text in place of all: all are good, or nothing changes. Raises BadRule."""
        rules = from_toml(text)
        wanted = {rule.id for rule in rules}
        for gone in [rule for rule in self._documents if rule not in wanted]:
            self.delete(gone)
        for rule in rules:
            known = self._documents.get(rule.id)
            if known is None or known.body != _body(rule):
                self.put(rule)
        return self.all()

    def to_toml(self) -> str:
        """Return all rules as `[[rule]]` tables."""
        return to_toml(ready.rule for _, ready in sorted(self._ready.items()))

    def _expect(self, rule: str, version: int | None) -> None:
        known = self._documents.get(rule)
        at = 0 if known is None else known.version
        if version is not None and version != at:
            raise RuleChanged(
                f"rule {rule!r} is at version {at}, not {version}: somebody changed it; look at it again"
            )


def _body(rule: Rule) -> Any:
    """Return a rule as it comes back from the store."""
    return msgspec.json.decode(msgspec.json.encode(rule))


def rule_of(body: Any) -> Ready:
    """Turn a decoded document into a checked rule. Raises BadRule, naming the field."""
    try:
        return check(msgspec.convert(body, Rule))
    except msgspec.ValidationError as error:
        raise bad_rule(error) from error


def bad_rule(error: msgspec.ValidationError, prefix: str = "") -> BadRule:
    """Turn msgspec's words into an error that names the field."""
    wrong = mismatch(error, Rule)
    return BadRule(f"{prefix}{wrong.place}".rstrip(".") or "rule", wrong.reason)


def from_toml(text: str) -> list[Rule]:
    """Read `[[rule]]` tables. Raises BadRule, naming the rule by its place and the field."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRule("rules", f"not valid TOML: {error}") from error
    unknown = [key for key in raw if key != "rule"]
    if unknown or not isinstance(raw.get("rule", []), list):
        raise BadRule(
            unknown[0][:60] if unknown else "rule", "each rule begins with [[rule]]; nothing else is known"
        )
    if "rule" not in raw:
        raise BadRule("rule", "there is none here; to have no rules, write `rule = []`")
    rules: dict[str, Rule] = {}
    for index, body in enumerate(raw.get("rule", [])):
        try:
            rule = msgspec.convert(body, Rule)
            check(rule)
        except msgspec.ValidationError as error:
            raise bad_rule(error, f"rule[{index}].") from error
        except BadRule as error:
            raise BadRule(f"rule[{index}].{error.field}", str(error).partition(": ")[2]) from error
        if rule.id in rules:
            raise BadRule(f"rule[{index}].id", f"{rule.id!r} is there twice")
        rules[rule.id] = rule
    if len(rules) > MOST_RULES:
        raise BadRule("rule", f"more than {MOST_RULES} rules")
    return list(rules.values())


def to_toml(rules: Iterable[Rule]) -> str:
    """Return rules as `[[rule]]` tables that `from_toml` reads back to the same."""
    # Written out whole, a rule is too long for tomli-w to put it on one line.
    return tomli_w.dumps({"rule": [_table(rule) for rule in rules]})


def _table(value: msgspec.Struct) -> dict[str, Any]:
    """Return a rule or an action as a TOML table; TOML has no word for None."""
    tag = value.__struct_config__.tag
    shown: dict[str, Any] = {} if tag is None else {"type": tag}
    for name in value.__struct_fields__:
        own = getattr(value, name)
        if isinstance(own, tuple):
            own = [_table(item) for item in own]
        if own is not None and own not in ([], {}):
            shown[name] = msgspec.to_builtins(own)
    return shown
