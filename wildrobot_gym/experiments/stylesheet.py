"""The style sheet of a page about runs. The colors of runs are variables; plots use them, too."""

from __future__ import annotations

# Blue, orange, green, magenta, violet, brown, teal, grey: at least 3 to 1 against their background.
_LIGHT = ("#0072b2", "#d55e00", "#008a64", "#b5478b", "#6a4fb3", "#8a6a00", "#007f8c", "#6b6b6b")
_DARK = ("#4fb3f0", "#ff8a3d", "#3fd0a0", "#f08cc8", "#ab94ff", "#e0b83a", "#3fd0e0", "#b0b0b0")


def _variables(colors: tuple[str, ...]) -> str:
    return "".join(f"--run{i}:{color};" for i, color in enumerate(colors))


STYLE = (
    ":root{color-scheme:light dark;"
    "--bg:#fff;--ink:#1c1e21;--quiet:#5a5f66;--rule:#d5d8dc;--mark:#dff2e6;"
    + _variables(_LIGHT)
    + "}"
    "@media(prefers-color-scheme:dark){:root{"
    "--bg:#15171a;--ink:#e8eaed;--quiet:#a4a9b0;--rule:#3a3f45;--mark:#1e4630;"
    + _variables(_DARK)
    + "}}"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main{max-width:1120px;margin:0 auto;padding:0 16px}
h1{font-size:1.6rem;line-height:1.25;overflow-wrap:anywhere}
h2{margin-top:2.5rem;border-bottom:1px solid var(--rule)}
p{max-width:75ch}
a{color:var(--run0)}
nav ul,ul.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
details{border:1px solid var(--rule);border-radius:6px;margin:.75rem 0;padding:0 12px}
summary{cursor:pointer;padding:.5rem 0;font-weight:600}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.75rem 0}
caption{text-align:left;font-weight:600;padding-bottom:.25rem}
th,td{padding:.3rem .75rem .3rem 0;vertical-align:top;text-align:left}
th,td{border-bottom:1px solid var(--rule)}
tbody th{font-weight:400;min-width:9rem}
td{min-width:8rem;max-width:26rem;overflow-wrap:anywhere}
td b{font-weight:600}
td small{color:var(--quiet);white-space:nowrap}
mark{display:table;background:var(--mark);color:inherit}
mark{border-radius:4px;padding:0 .4rem;font-size:.85em}
figure{margin:0}
figcaption{font-size:.9rem;overflow-wrap:anywhere}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(300px,100%),1fr));gap:16px}
.grid figure{display:flex;flex-direction:column-reverse}
.wide{overflow-x:auto}
.wide svg{min-width:560px;max-width:720px}
video{max-width:100%;height:auto}
svg{display:block;width:100%;height:auto;stroke-linejoin:round}
svg text{font-family:system-ui,sans-serif;fill:currentColor}
.chip{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.line{display:inline-block;width:1.8em;border-top:2px dashed}
.line{margin-right:.4em;vertical-align:middle}
.dash1{border-top-style:dotted}
@media(max-width:480px){table{font-size:.85rem}tbody th{min-width:5.5rem}
th,td{padding-right:.5rem}td{min-width:6.5rem}}
"""
)
