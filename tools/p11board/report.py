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


def entropy_lines(facts):
    """(name, value) pairs: the source, why it is believed, and the counters of its tests."""
    lines = [("entropy", facts.get("source", "unknown source"))]
    if facts.get("proof"):
        lines.append(("proof", facts["proof"]))
    counters = [
        f"{facts.get('samples', '?')} samples tested",
        f"{facts.get('rct_alarms', '?')} repetition and {facts.get('apt_alarms', '?')} proportion alarms",
        f"{facts.get('restarts', '?')} restarts",
        f"{facts.get('reseeds', '?')} reseeds",
    ]
    lines.append(("health", f"{facts.get('state', '?')}; {', '.join(counters)}"))
    seed = facts.get("seed")
    if seed:
        text = f"generation {seed.get('generation')}"
        lines.append(("seed", f"{text}; {seed['error']}" if seed.get("error") else text))
    return lines


def pin_state(token):
    """One line about the user PIN."""
    pin = token.get("pins", {}).get("user", {})
    if token.get("default_mode"):
        text = "the default 0000, which protects nothing"
        return f"{text}; wait {pin['wait_seconds']} s" if pin.get("wait_seconds") else text
    if not pin.get("set"):
        return "not set"
    if pin.get("tries_left", 1) == 0:
        return "locked"
    text = f"set, {pin.get('tries_left', '?')} of {pin.get('limit', '?')} attempts left"
    if pin.get("wait_seconds"):
        text += f", the next in {pin['wait_seconds']} s"
    return text


def info_lines(facts):
    """(name, value) pairs for `p11board info`."""
    build = "development build, REPL on" if facts.get("development") else "locked build"
    lines = [
        ("board", facts.get("board", "?")),
        ("firmware", f"{facts.get('firmware', '?')} ({build})"),
        ("MicroPython", facts.get("micropython", "?")),
        *entropy_lines(facts.get("entropy", {})),
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
