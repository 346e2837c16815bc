/** The page's style: light and dark by the reader's system, narrow screens, paper. */
export const STYLE = `
:root { color-scheme: light dark; --back: #ffffff; --text: #1b1f24; --faint: #57606a; --line: #d0d7de; --shade: #f6f8fa;
  --s0: #4d4d4d; --s1: #0060b0; --s2: #b34700; --s3: #007a55; --s4: #9b2d7f; --s5: #6a5acd; --s6: #8a6d00; --s7: #00788c; }
@media (prefers-color-scheme: dark) { :root { --back: #0f1419; --text: #e6edf3; --faint: #9aa7b4; --line: #3a444f; --shade: #1a2129;
  --s0: #c0c7ce; --s1: #6cb6ff; --s2: #ffa657; --s3: #56d4a0; --s4: #f29bd8; --s5: #b4a7ff; --s6: #e3c45b; --s7: #5fd3e6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1rem 3rem; max-width: 64rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 0.25rem; } h2 { font-size: 1.25rem; margin: 2.25rem 0 0.5rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0.5rem; } p { margin: 0.5rem 0; max-width: 46rem; } .faint { color: var(--faint); }
a.skip { position: absolute; left: -999px; } a.skip:focus { left: 1rem; top: 0.5rem; background: var(--back); padding: 0.25rem 0.5rem; }
.scroll { overflow-x: auto; margin: 0.75rem 0; } .scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--s1); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: 0.35rem; white-space: nowrap; }
th, td { padding: 0.3rem 0.75rem 0.3rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
th[scope=row] { font-weight: 600; } th.text { text-align: left; } td.text { text-align: left; white-space: normal; min-width: 16rem; max-width: 34rem; }
td.heat { text-align: center; padding: 0.3rem 0.6rem; border: 1px solid var(--back); }
figure { margin: 0.75rem 0; } figcaption { color: var(--faint); font-size: 0.875rem; max-width: 46rem; }
svg { display: block; width: 100%; min-width: 26rem; max-width: 46rem; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--text); paint-order: stroke; stroke: var(--back); stroke-width: 3px; } svg .faint { fill: var(--faint); } svg .grid { stroke: var(--line); } svg .axis { stroke: var(--faint); }
${Array.from({ length: 8 }, (_, place) => `.s${place} { --own: var(--s${place}); }`).join(' ')}
svg .line { stroke: var(--own); fill: none; stroke-width: 2; } svg .band { fill: var(--own); opacity: 0.18; }
svg .dot { fill: var(--own); opacity: 0.55; } svg .mark { fill: var(--own); } .key { color: var(--own); }
pre { background: var(--shade); border: 1px solid var(--line); border-radius: 4px; padding: 0.75rem; overflow-x: auto; font-size: 0.8rem; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; } details { margin: 0.5rem 0; } summary { cursor: pointer; font-weight: 600; }
ul { padding-left: 1.25rem; max-width: 46rem; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } .scroll { overflow: visible; } pre { white-space: pre-wrap; }
  table { font-size: 8pt; } th, td { padding-right: 0.4rem; } h2 { break-after: avoid; } figure, table { break-inside: avoid; } }
`;
