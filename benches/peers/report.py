"""The result of one data set as Markdown: what each system did, and hogwild beside each."""
import measures
from tasks import TASKS


def shown(value, form=".3g"):
    return "-" if value is None else format(value, form)


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def setting(choice):
    return " ".join(f"{name}={value}" if value != "" else name for name, value in choice.items()) or "as it comes"


def measured(result):
    """A line for each system and number of threads."""
    task, target = TASKS[result["task"]], result["target"]
    heads = ["system", "threads", "text, MB/s", "s an epoch", f"ns a {task.unit}", f"best held-out {task.loss}"]
    heads += ([task.second] if task.second else []) + ["s to it", "epochs run", "peak MB"]
    heads += [f"s to {target:g}"] if target is not None else []
    rows = []
    for entry in result["entries"]:
        row = [entry["system"], str(entry["threads"]), shown(result["systems"][entry["system"]].get("load_mb_s"), ".0f")]
        row += [shown(entry["epoch_seconds"]), shown(1e9 * entry["epoch_seconds"] / result["counted"]), shown(entry["best_loss"], ".4f")]
        row += ([shown(entry["second"], ".4f")] if task.second else []) + [shown(entry["seconds_to_best"])]
        row += [f"{entry['epochs']}{' (budget)' if entry['cut'] else ''}", shown(entry["memory_mb"], ".0f")]
        if target is not None:
            row.append("not reached" if entry["seconds_to_target"] is None else shown(entry["seconds_to_target"]))
        rows.append(row)
    return table(heads, rows)


def compared(result):
    """How many times faster hogwild is, against each peer on as many threads or fewer, whichever is quickest for each figure.

    A peer stands beside the line of hogwild that does the same work (`System.beside`).
    """
    threads = result["threads"]
    columns = [f"{t} thread{'s' * (t > 1)}" for t in threads]
    heads = ["peer"] + [head for on in columns for head in (f"an epoch, {on}", f"to its best loss, {on}", f"to within 0.1% of it, {on}")]
    rows = []
    for name in dict.fromkeys(entry["system"] for entry in result["entries"]):
        if name.startswith("hogwild"):
            continue
        beside = result["systems"][name]["beside"]
        row = [name if beside == "hogwild" else f"{name} (beside {beside})"]
        for t in threads:
            ours = next((e for e in result["entries"] if (e["system"], e["threads"]) == (beside, t)), None)
            allowed = [entry for entry in result["entries"] if entry["system"] == name and entry["threads"] <= t]
            if ours is None or not allowed:
                row += ["-"] * 3
                continue
            their_runs = [result["runs"][f"{name}, {entry['threads']}"] for entry in allowed]
            sooner = (measures.times_sooner(their_runs, result["runs"][f"{beside}, {t}"], slack) for slack in (0, 0.001))
            row.append(shown(min(entry["epoch_seconds"] for entry in allowed) / ours["epoch_seconds"], ".1f"))
            row += ["not reached" if times == 0 else shown(times, ".1f") for times in sooner]
        rows.append(row)
    return table(heads, rows)


def chosen(result):
    rows = [
        [name, system.get("version") or "-", setting(system["setting"]), system.get("note") or ""]
        for name, system in result["systems"].items() if "setting" in system
    ]
    return table(["system", "version", "best of its settings", "note"], rows)


def markdown(result):
    faster = f"How many times faster hogwild is:\n\n{compared(result)}"
    parts = [f"## {result['name']}", result["shape"], measured(result), faster, chosen(result)]
    if result["remarks"]:
        parts.append("Remarks:\n" + "\n".join(f"- {remark}" for remark in result["remarks"]))
    if result["missing"]:
        parts.append("Not measured:\n" + "\n".join(f"- {name}: {reason}" for name, reason in result["missing"].items()))
    return "\n\n".join(parts) + "\n"
