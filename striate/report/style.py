"""The look of the report: light and dark, wide and narrow, on paper; no address in it."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --ink: #1b2230; --soft: #5d6778; --line: #e2e6ed; --card: #fff;
  --page: #f4f6f9; --blue: 31 105 178; --orange: #b9560a; --red: #b3261e; --green: #1f7a45;
  --tint: #eaf2fa; --warn: #fdf3e4 }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e7ebf1; --soft: #a0abbb;
  --line: #2b3341;
  --card: #171c25; --page: #0e1218; --blue: 96 170 235; --orange: #f2a066; --red: #ff8a80;
  --green: #6fcf97; --tint: #17283b; --warn: #2e2516 } }
* { box-sizing: border-box }
html { scroll-behavior: smooth }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto } }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 2.2rem 1.25rem 4rem }
a { color: rgb(var(--blue)) }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 0 .4rem;
  overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin: 0 0 .9rem }
h3 { font-size: .98rem; margin: 1.7rem 0 .4rem }
h2 + h3, .two > div > h3:first-child { margin-top: 0 } .two { margin-bottom: 1.7rem }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin: 0 0 1.2rem }
nav a { text-decoration: none; font-size: .85rem; padding: .2rem .7rem; border-radius: 99px;
  background: var(--card); border: 1px solid var(--line); color: var(--ink) }
nav a:hover, nav a:focus { border-color: rgb(var(--blue)) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: 1.4rem 1.6rem; margin: 1.1rem 0 }
.verdict { font-size: 1.35rem; line-height: 1.45; margin: 0 0 1.2rem; text-wrap: pretty;
  overflow-wrap: anywhere }
.alarms { list-style: none; margin: 0 0 1.3rem; padding: 0; display: grid; gap: .5rem }
.alarms li { background: var(--warn); border-left: 4px solid var(--orange); border-radius: 8px;
  padding: .55rem .9rem; font-size: .95rem; overflow-wrap: anywhere }
.alarms .failed { border-color: var(--red) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.6rem, 1fr)); gap: .7rem;
  margin: 0 0 1.3rem }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: .7rem .9rem }
.tiles b { display: block; font-size: 1.3rem; font-weight: 650; font-variant-numeric: tabular-nums }
.tiles span, .soft, figcaption { color: var(--soft); font-size: .85rem; line-height: 1.4 }
.soft { margin: 0 0 .7rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums }
th { font-weight: 600; color: var(--soft) }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
tr:last-child td { border-bottom: 0 }
.layers td, .layers th { text-align: left } .layers td small { display: block; color: var(--soft) }
.words td, .words th, .files td, .files th { text-align: left; overflow-wrap: anywhere }
.facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .15rem 1.2rem;
  margin: 0 0 .8rem; font-size: .88rem } .facts dt { color: var(--soft) }
.facts dd { margin: 0; overflow-wrap: anywhere }
.matrix { font-size: .75rem; width: 100% }
.matrix td, .matrix th { border: 0; text-align: center; padding: 1px; min-width: 1.6rem; width: 8% }
.matrix thead th, .matrix thead td { padding: .2rem .3rem .5rem; vertical-align: bottom }
.matrix tbody th { text-align: right; padding: .2rem .4rem .2rem 0; white-space: nowrap;
  vertical-align: middle }
.matrix .right { color: var(--soft) }
.matrix a, .matrix span { display: block; padding: .45rem .1rem; border-radius: 6px }
.matrix a { color: inherit; text-decoration: none; font-weight: 600 }
.matrix a:hover, .matrix a:focus { outline: 2px solid rgb(var(--blue)) }
.cell { display: none } .cell:target { display: block; scroll-margin-top: 6rem }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr)); gap: .9rem }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.2rem, 1fr)); gap: 1rem }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(2.4rem, 1fr));
  gap: .5rem }
.kernels { display: grid; grid-template-columns: repeat(auto-fill, minmax(2.6rem, 1fr));
  gap: .35rem;   max-width: 46rem }
.maps { display: grid; gap: .35rem; margin-top: .6rem }
.maps figure { display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: .8rem;
  align-items: center } .maps figcaption { grid-row: 1; text-align: right }
.model { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 1.4rem 2.4rem;
  align-items: start } .model .drawn { max-width: 28rem; overflow: auto }
.layers td:nth-child(2), .layers td:last-child { white-space: nowrap }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.4rem 2rem;
  align-items: start }
figure { margin: 0; min-width: 0 } figcaption { overflow-wrap: anywhere }
img { width: 100%; border-radius: 5px; image-rendering: pixelated; display: block }
img.strip { width: auto; height: 3rem; max-width: 100%; object-fit: contain;
  object-position: left }
.both { display: grid; grid-template-columns: 1fr 1fr; gap: 3px }
pre { margin: 0 0 .9rem; padding: .7rem .9rem; background: var(--page); border-radius: 8px;
  overflow-x: auto; font: .86rem/1.5 ui-monospace, SFMono-Regular, monospace }
details { margin: .7rem 0 } summary { cursor: pointer; color: var(--soft); font-size: .9rem }
details[open] > summary { margin-bottom: .7rem }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.2rem }
svg { max-width: 100%; height: auto; display: block }
.chart { width: 100%; max-width: 31rem }
.chart text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.chart .name { fill: var(--ink); font-weight: 600 }
.chart .axis { stroke: var(--line); fill: none }
.chart .best { stroke: var(--green); stroke-dasharray: 2 4 } .chart text.best { fill: var(--green);
  stroke: none }
.chart polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round }
.chart circle { fill: var(--card); stroke-width: 2 }
.chart .size { fill: rgb(var(--blue) / .4); stroke: none }
.chart polyline.steps { stroke: rgb(var(--blue) / .4); stroke-width: 1.1 }
.chart .train { stroke: rgb(var(--blue)) } .chart .validation { stroke: var(--orange) }
.chart polyline.validation { stroke-dasharray: 6 4 }
.chart rect { fill: rgb(var(--blue) / .75) } .chart rect.quiet { fill: rgb(var(--blue) / .35) }
.bar { display: inline-block; width: 5.5rem; height: .55rem; border-radius: 4px;
  background: var(--line); overflow: hidden; vertical-align: baseline; margin-right: .5rem }
.bar i { display: block; height: 100%; background: rgb(var(--blue)) }
.bar.bad i { background: var(--orange) }
.net rect { fill: var(--card); stroke: var(--soft); stroke-opacity: .5; rx: 7 }
.net .weights rect { fill: var(--tint) }
.net text { font: 12px system-ui, sans-serif; fill: var(--ink); text-anchor: middle }
.net .soft { fill: var(--soft); font-size: 11px }
.net path { fill: none; stroke: var(--soft); stroke-opacity: .6 }
footer { color: var(--soft); font-size: .85rem; text-align: center; margin-top: 2rem }
@media (max-width: 40rem) { main { padding: 1.2rem .7rem 3rem } section { padding: 1.1rem 1rem }
  .verdict { font-size: 1.15rem } .matrix { font-size: .68rem }
  td, th { padding-left: .3rem; padding-right: .3rem }
  .two, .charts, .model, .maps figure { grid-template-columns: minmax(0, 1fr) }
  .maps figcaption { text-align: left } .maps figure { gap: .15rem }
  .facts { grid-template-columns: 1fr } .facts dd { margin-bottom: .4rem } }
@media print { :root { color-scheme: light; --page: #fff; --card: #fff } body { font-size: 11pt }
  .matrix a, .matrix span, .bar, .bar i { print-color-adjust: exact }
  section { break-inside: auto; border: 0; padding: .5rem 0 } nav { display: none }
  h2, h3 { break-after: avoid } figure, tr, .tiles div { break-inside: avoid }
  td, th { padding-left: .25rem; padding-right: .25rem } table { font-size: 8.5pt }
  .model { display: block } .drawn svg { max-height: 16cm; margin: 0 auto }
  main { max-width: none; padding: 0 } }
"""
