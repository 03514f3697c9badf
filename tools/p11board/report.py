# SPDX-License-Identifier: MIT
"""How facts from the board are shown to a person."""


def size(count):
    """Bytes in the largest unit that divides them: 65536 -> "64 KiB"."""
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor and count % factor == 0:
            return f"{count // factor} {unit}"
    return f"{count} B"


def short(text, length=16):
    """The first `length` characters, with an ellipsis if there are more."""
    return text if len(text) <= length else text[:length] + "…"


def flash_map(regions):
    """One line: "app 0x000000 1 MiB, keys 0x400000 64 KiB"."""
    return ", ".join(f"{r['name']} 0x{r['offset']:06x} {size(r['size'])}" for r in regions)


def entropy(facts):
    """One line about the entropy source and the state of its health tests."""
    source = facts.get("source", "unknown source")
    alarms = facts.get("rct_alarms", 0) + facts.get("apt_alarms", 0)
    if facts.get("state") == "not started":
        return f"{source}; not used since reset"
    verdict = f"{alarms} ALARMS" if alarms else "no alarm"
    return f"{source}; {facts.get('state')}, {facts.get('samples')} samples tested, {verdict}"


def pin_state(token):
    """One line about the user PIN."""
    if token.get("default_mode"):
        return "the default 0000, which protects nothing"
    pin = token.get("pins", {}).get("user", {})
    if not pin.get("set"):
        return "not set"
    if pin.get("tries_left", 1) == 0:
        return "locked"
    return f"set, {pin.get('tries_left', '?')} of {pin.get('limit', '?')} attempts left"


def info_lines(facts):
    """(name, value) pairs for `p11board info`."""
    build = "development build, REPL on" if facts.get("development") else "locked build"
    lines = [
        ("board", facts.get("board", "?")),
        ("firmware", f"{facts.get('firmware', '?')} ({build})"),
        ("MicroPython", facts.get("micropython", "?")),
        ("entropy", entropy(facts.get("entropy", {}))),
        ("flash", flash_map(facts.get("flash", {}).get("map", []))),
    ]
    token, store = facts.get("token"), facts.get("store") or {}
    if not token:
        return [*lines, ("token", f"{store.get('error', 'none')}: {store.get('hint', '')}")]
    model = f"{token.get('manufacturer', '?')}, {token.get('model', '?')}"
    lines += [
        ("token", f"{token.get('label') or '(no label)'}, serial {token.get('serial', '?')}"),
        ("made by", model),
        ("user PIN", pin_state(token)),
        ("objects", facts.get("objects", "?")),
        ("free", f"{token.get('free', '?')} of {token.get('total', '?')} bytes"),
    ]
    return lines + store_lines(store)


def store_lines(store):
    """(name, value) pairs about the health of the store in flash."""
    lines = []
    if "format" in store:
        form = ".".join(str(part) for part in store["format"])
        state = "blank, nothing stored yet" if store.get("blank") else f"format {form}"
        sectors = f"{store['sectors']} sectors of {size(store['sector_bytes'])}"
        lines.append(("store", f"{state}; {sectors}, {store['free']} bytes free"))
    if "life_left_percent" in store:
        life = f"{store['life_left_percent']} % left"
        if "erase_max" in store:
            life += f", sectors erased {store['erase_min']} to {store['erase_max']} times"
        lines.append(("flash life", life))
    if store.get("read_only"):
        lines.append(("READ-ONLY", "the flash is worn out or a part of the store is lost"))
    if store.get("lost"):
        lines.append(("LOST", "sectors " + ", ".join(str(i) for i in store["lost"])))
    if store.get("damaged"):
        lines.append(("DAMAGED", "objects " + ", ".join(str(i) for i in store["damaged"])))
    if store.get("unnamed"):
        lines.append(("DAMAGED", f"{store['unnamed']} records beyond naming"))
    return lines


def show_objects(output, found):
    """A table of the objects in the token."""
    if not found:
        output.say("no objects yet; make a key with `p11board keygen`")
        return
    rows = [
        (
            o["label"],
            o["class"],
            o.get("curve") or o.get("key_type") or "",
            "private" if o.get("private") else "public",
            short(o.get("id") or ""),
        )
        for o in sorted(found, key=lambda o: (o["label"], o["class"]))
    ]
    output.table(("label", "class", "type", "seen by", "id"), rows)
