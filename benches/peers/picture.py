"""Held-out loss against seconds of training as SVG, a line a system; the seconds are logarithmic, for systems differ a hundredfold."""
import html
import math

from tasks import TASKS

COLOURS = "d62728 ff9896 1f77b4 aec7e8 2ca02c 98df8a 9467bd c5b0d5 8c564b e377c2 7f7f7f 17becf bcbd22".split()
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 520, 70, 210, 40, 50


def ticks(low, high):
    """Round numbers between two, about six of them."""
    step = 10 ** math.floor(math.log10((high - low) / 3))
    step = next(step * k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= 7)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def svg(title, loss_name, lines):
    """`lines` is {name: [(seconds, loss), ...]}; points of no loss or no time are left out beforehand."""
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return None
    losses = sorted(loss for points in lines.values() for _, loss in points)
    # The worst quarter of the points would press all others together: lines leave the picture at its top, but for each one's best.
    low, high = losses[0], max(losses[3 * len(losses) // 4], *(min(loss for _, loss in points) for points in lines.values()))
    low, high = low - 0.03 * (high - low), high + max(0.05 * (high - low), 1e-3 * abs(high))
    seconds = [s for points in lines.values() for s, _ in points]
    first, last = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    last = max(last, first + 1)
    x = lambda s: LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(s) - first) / (last - first)
    y = lambda loss: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (loss - low) / (high - low)
    text = lambda tx, ty, words, more="": f'<text x="{tx:.1f}" y="{ty:.1f}" {more}>{html.escape(words)}</text>'
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<clipPath id="inside"><rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"/></clipPath>',
        text(LEFT, 22, title, 'font-size="15"'),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "seconds of training, without load and evaluation", 'text-anchor="middle"'),
        text(16, middle, f"held-out {loss_name}", f'text-anchor="middle" transform="rotate(-90 16 {middle})"'),
    ]
    for power in range(first, last + 1):
        at = x(10**power)
        out.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(text(at, HEIGHT - BOTTOM + 16, f"{10.0**power:g}", 'text-anchor="middle"'))
    for tick in ticks(low, high):
        out.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(text(LEFT - 6, y(tick) + 4, f"{tick:.6g}", 'text-anchor="end"'))
    for k, (name, points) in enumerate(lines.items()):
        colour, dashes = "#" + COLOURS[k % len(COLOURS)], ' stroke-dasharray="5 3"' if k >= len(COLOURS) else ""
        path = "M" + "L".join(f"{x(s):.1f} {y(loss):.1f}" for s, loss in points)
        marks = "".join(f'<circle cx="{x(s):.1f}" cy="{y(loss):.1f}" r="2.5" fill="{colour}"/>' for s, loss in points)
        thick = 3 if name.startswith("hogwild") else 1.5
        line = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{thick}"{dashes}/>'
        out.append(f'<g clip-path="url(#inside)">{line}{marks}</g>')
        row = TOP + 12 + 20 * k
        out.append(f'<path d="M{WIDTH - RIGHT + 14} {row - 4}h22" stroke="{colour}" stroke-width="{thick}"{dashes}/>')
        out.append(text(WIDTH - RIGHT + 42, row, name))
    return "\n".join([*out, "</svg>", ""])


def drawing(result):
    """Each system on its most threads, the round of median time."""
    lines = {}
    for entry in result["entries"]:  # the threads ascend
        runs = sorted(result["runs"][f"{entry['system']}, {entry['threads']}"], key=lambda run: run["points"][-1]["seconds"])
        points = runs[(len(runs) - 1) // 2]["points"]
        lines[entry["system"]] = [(p["seconds"], p["loss"]) for p in points if p["loss"] is not None and p["seconds"] > 0]
    most = max(result["threads"])
    title = f"{result['name']}: held-out loss by time, {most} thread{'s' * (most > 1)} where a system has them"
    return svg(title, TASKS[result["task"]].loss, lines)
