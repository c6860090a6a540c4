/// The page's style: system fonts, light and dark by the reader's setting, readable on paper.
enum ReportStyle {
  static let sheet: StaticString = """
    :root {
      --ground: #f6f7f5; --card: #ffffff; --ink: #17212b; --soft: #566370; --line: #dfe3df; --head: #eef1ee;
      --kept: #9cc7d6; --deep: #25708c; --drop: #b5532f; --drop-ground: #f3d9cd; --rest: #7c6f98; --link: #1d6480;
      --lightness: 82%;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #10161b; --card: #182027; --ink: #e4e9ec; --soft: #9aa8b3; --line: #2a353d; --head: #1f2931;
        --kept: #2d5c6e; --deep: #6db7d2; --drop: #e58a63; --drop-ground: #4a2f25; --rest: #a899c8; --link: #7cc3dc;
        --lightness: 30%;
      }
    }
    * { box-sizing: border-box; }
    html { scroll-behavior: smooth; }
    body {
      margin: 0; background: var(--ground); color: var(--ink);
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
    }
    body > * { max-width: 1120px; margin-inline: auto; padding-inline: 24px; }
    header { padding-top: 28px; }
    .brand { display: flex; gap: 8px; align-items: center; margin: 0; color: var(--soft); font-weight: 600; }
    .brand path { fill: none; stroke-width: 2; stroke-linecap: round; }
    .gate { stroke: var(--ink); } .water { stroke: var(--deep); }
    h1 { margin: 4px 0 18px; font-size: 34px; line-height: 1.15; overflow-wrap: anywhere; }
    h2 { margin: 0; font-size: 21px; } h3 { margin: 26px 0 8px; font-size: 16px; overflow-wrap: anywhere; }
    .lead { margin: 2px 0 16px; color: var(--soft); max-width: 75ch; }
    .tiles { list-style: none; display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 12px; padding: 0; margin: 0; }
    .tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
    .tiles span.name, .tiles .note { display: block; color: var(--soft); font-size: 13px; }
    .tiles strong { display: block; font-size: 27px; line-height: 1.25; font-variant-numeric: tabular-nums; }
    nav { display: flex; flex-wrap: wrap; gap: 4px 18px; padding-block: 16px; }
    a { color: var(--link); }
    nav a { text-decoration: none; border-bottom: 1px solid transparent; }
    nav a:hover, nav a:focus-visible { border-color: currentColor; }
    section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 22px 24px; margin-bottom: 18px; }
    .scroll { overflow-x: auto; margin: 14px 0; }
    table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
    caption { text-align: left; color: var(--soft); padding-bottom: 4px; font-weight: 600; }
    th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); vertical-align: middle; }
    thead th { background: var(--head); font-weight: 600; white-space: nowrap; }
    th { text-align: left; font-weight: 500; } .n { text-align: right; white-space: nowrap; } .t { text-align: left; }
    tbody th { min-width: 7em; max-width: 30em; overflow-wrap: anywhere; } td.t { overflow-wrap: anywhere; }
    tbody tr:hover { background: var(--head); }
    .bar { display: block; position: relative; width: 100%; min-width: 90px; height: 12px; }
    .bar i { position: absolute; inset: 0 auto 0 0; min-width: 1px; border-radius: 2px; }
    i.kept, .key.kept { background: var(--deep); }
    i.drop, .key.drop { background: repeating-linear-gradient(45deg, var(--drop) 0 2px, var(--drop-ground) 2px 5px); }
    .key.rest { background: var(--rest); }
    thead td { background: var(--head); } .b { width: 45%; }
    .key { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin-right: 6px; }
    .legend { color: var(--soft); font-size: 13px; margin: 4px 0 8px; white-space: pre-wrap; }
    .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(165px, 1fr)); gap: 10px 18px; margin: 12px 0 18px; }
    .facts dt { color: var(--soft); font-size: 12.5px; } .facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
    code { font: 0.92em ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
    .columns .b { width: 25%; }
    .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 4px 34px; align-items: start; }
    figure { margin: 10px 0; max-width: 540px; } figure.wide { max-width: none; } figcaption { font-size: 13px; color: var(--soft); max-width: 90ch; }
    .chart { display: block; width: 100%; height: auto; }
    .chart text { fill: var(--ink); font-size: 13px; } .chart .label { font-weight: 700; font-size: 14px; }
    .chart .count { font-weight: 600; font-size: 15px; } .chart .small, .chart .tick { fill: var(--soft); font-size: 11.5px; }
    .chart .on { font-weight: 700; font-size: 15px; }
    .kept { fill: var(--kept); } .kept-deep { fill: var(--deep); } .rest { fill: var(--rest); } .drop { fill: url(#hatch); }
    .hatch-ground { fill: var(--drop-ground); } .hatch-line { fill: var(--drop); } .axis { stroke: var(--line); }
    .rank rect { fill: hsl(var(--hue) 55% var(--lightness)); stroke: var(--ink); stroke-width: 1.2; }
    .rank text { fill: var(--ink); pointer-events: none; font-variant-numeric: tabular-nums; }
    .quiet rect { stroke: none; } .quiet text { fill: var(--soft); }
    .ranks { padding: 2px; overflow: visible; }
    details { margin: 10px 0; } summary { cursor: pointer; color: var(--link); font-size: 13.5px; }
    .warning { border-left: 4px solid var(--drop); padding-left: 12px; font-weight: 600; }
    .note { color: var(--soft); }
    footer { color: var(--soft); font-size: 13px; padding-block: 8px 40px; }
    footer p { max-width: 90ch; }
    @media print {
      :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --head: #f0f0f0; }
      * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
      nav { display: none; } body { font-size: 11px; } body > * { max-width: none; padding-inline: 0; }
      section { border: 0; padding: 0; margin-bottom: 24px; } .scroll { overflow: visible; }
      figure, tr, .tiles li { break-inside: avoid; } h2, h3 { break-after: avoid; }
    }
    """
}
