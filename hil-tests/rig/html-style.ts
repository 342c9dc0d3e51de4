/** Grey is normal. Colour, always together with a word, is only for what is not as it should be (ISA-101). */
export const HTML_STYLE = `
:root { --ground:#d8dbdd; --panel:#eceeef; --raised:#f7f8f8; --line:#c3c8cb; --ink:#1d2226; --quiet:#525b61;
  --bad:#9c1219; --bad-ground:#f5dad8; --warn:#6b4500; --warn-ground:#f3e4bd;
  font:15px/1.45 system-ui,"Segoe UI","DejaVu Sans",sans-serif; color:var(--ink); background:var(--ground) }
* { box-sizing:border-box }
body { margin:0 auto; padding:24px; max-width:1240px }
h1 { font-size:24px; margin:0 } h2 { font-size:17px; margin:0 } h3 { font-size:14px; margin:0 0 4px; color:var(--quiet); font-weight:600 }
p { margin:0 } a { color:inherit }
.quiet { color:var(--quiet) } .num { font-variant-numeric:tabular-nums }
header { display:flex; flex-wrap:wrap; gap:8px 32px; align-items:flex-end; justify-content:space-between; margin-bottom:16px }
.verdict { display:flex; gap:22px } .verdict div { text-align:right }
.verdict b { display:block; font-size:28px; line-height:1.1; font-variant-numeric:tabular-nums; font-weight:600 }
.verdict .failed b { color:var(--bad) }
.card { background:var(--panel); border:1px solid var(--line); border-radius:6px; padding:16px 18px; margin-bottom:16px }
.card.failed { border-left:5px solid var(--bad) }
h2.family { margin:26px 0 8px; display:flex; gap:14px; align-items:baseline } h2.family span { font-size:13px; font-weight:400 }
details.scenario { padding:0; margin-bottom:4px; content-visibility:auto; contain-intrinsic-size:auto 38px }
details.scenario > summary { display:flex; align-items:center; gap:14px; padding:7px 14px; color:var(--ink); list-style:none }
details.scenario > summary::before { content:"\\25B8"; color:var(--quiet); width:10px } details.scenario[open] > summary::before { content:"\\25BE" }
details.scenario > summary:hover { background:var(--raised) } details.scenario[open] > summary .spark { display:none }
details.scenario .title { flex:1; min-width:0 } details.scenario[open] .title { font-weight:600; font-size:16px }
details.scenario .who { width:76px; font-size:13px } details.scenario .time { width:86px; text-align:right; font-size:13px }
details.scenario > section { padding:4px 18px 14px; border-top:1px solid var(--line); scroll-margin-top:64px }
.spark { width:132px; height:22px; flex:none } .spark .curve { stroke-width:1.3; stroke:var(--quiet) }
.facts { display:grid; grid-template-columns:repeat(auto-fit,minmax(240px,1fr)); gap:14px 28px; font-size:13px }
dl { margin:0; display:grid; grid-template-columns:max-content 1fr; gap:2px 14px } dt { color:var(--quiet) } dd { margin:0; overflow-wrap:anywhere }
table { border-collapse:collapse; width:100%; font-size:13px }
th,td { text-align:left; padding:3px 10px 3px 0; vertical-align:top; border-bottom:1px solid var(--line) }
th { color:var(--quiet); font-weight:600 } tbody tr:last-child td { border-bottom:0 }
.matrix table { font-size:13px } .matrix th { position:sticky; top:0; background:var(--panel); vertical-align:bottom; padding-top:6px }
.matrix td.cell { white-space:nowrap; width:1% } .matrix th + th { min-width:88px } .matrix tbody tr:hover { background:var(--raised) } .matrix a { text-decoration:none; display:block }
.word { font-size:12px; font-weight:600; padding:1px 7px; border-radius:3px; border:1px solid var(--line); background:var(--raised); color:var(--quiet) }
.word.failed { color:#fff; background:var(--bad); border-color:var(--bad) }
.word.refused { color:var(--warn); background:var(--warn-ground); border-color:var(--warn) }
.matrix .word { border-color:transparent; background:none; padding-left:0; font-weight:400 } .matrix .word.failed { padding-left:7px; background:var(--bad); font-weight:600 }
.matrix .word.refused { padding-left:7px; background:var(--warn-ground) } .matrix .word.skipped { opacity:.65 }
.why { color:var(--quiet); margin:8px 0 10px } .unread { font-size:12px; font-style:italic; padding-left:62px }
.reason { background:var(--bad-ground); color:var(--bad); border-radius:4px; padding:7px 11px; margin:8px 0 12px; overflow-wrap:anywhere }
.body { display:grid; grid-template-columns:minmax(0,7fr) minmax(0,4fr); gap:22px }
@media (max-width:900px) { .body { grid-template-columns:1fr } body { padding:12px } .matrix { overflow-x:auto } .spark,.who { display:none } }
figure { margin:0 0 8px } figcaption { font-size:13px; color:var(--quiet); margin:8px 0 2px } figcaption b { color:var(--ink); font-weight:600 }
svg { width:100%; height:auto; display:block; font:11px system-ui,"DejaVu Sans",sans-serif }
svg text { fill:var(--quiet) } svg .name { fill:var(--ink); font-weight:600; paint-order:stroke; stroke:var(--raised); stroke-width:4px }
svg .panel { fill:var(--raised); stroke:var(--line) } svg .grid { stroke:#e2e5e7 } svg .zero { stroke:#b3babe }
svg .step { stroke:#c9ced1; stroke-dasharray:1 3 } svg .failed { stroke:var(--bad); stroke-width:1.5 } svg .failed-label { fill:var(--bad); font-weight:700 }
svg .target { stroke:#5f7d95; stroke-width:1.6; stroke-dasharray:6 4 } svg .curve { fill:none; stroke:var(--ink); stroke-width:1.7; stroke-linejoin:round }
.legend { display:inline-block; width:26px; border-top:2px dashed #5f7d95; vertical-align:middle; margin:0 5px 0 12px }
.legend.measured { border-top:2px solid var(--ink) }
ol.steps { margin:0; padding:0; list-style:none; font-size:13px; counter-reset:step -1 }
ol.steps li { counter-increment:step; display:grid; grid-template-columns:26px 1fr max-content; gap:0 6px; padding:2px 0; border-bottom:1px solid #dfe2e4; overflow-wrap:anywhere }
ol.steps li::before { content:counter(step); color:var(--quiet); text-align:right; padding-right:4px; font-variant-numeric:tabular-nums }
ol.steps .failed { color:var(--bad); font-weight:600 } ol.steps .not-run { color:var(--quiet); opacity:.6 }
details.commands { margin-top:10px; font-size:13px } summary { cursor:pointer; color:var(--quiet) }
.frames { font:12px/1.5 ui-monospace,"DejaVu Sans Mono",monospace; white-space:pre-wrap; overflow-wrap:anywhere; background:var(--raised); border:1px solid var(--line); border-radius:4px; padding:8px 10px; margin:4px 0 10px }
.frames b { color:var(--quiet); font-weight:600 }
footer { color:var(--quiet); font-size:13px; margin-top:8px }
@media print { body { max-width:none; padding:0 } .card { break-inside:avoid } .matrix th { position:static } }
`;
