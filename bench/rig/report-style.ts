/** The report's style sheet. Colours are variables, so that the drawings follow light and dark too. */
export const PAGE_STYLE = `
:root{--paper:#f7f7f4;--card:#fff;--ink:#1d2330;--soft:#626a7a;--rule:#e2e3dd;--accent:#3454d1;--area:#3454d11a;--good:#137a4b;--good-bg:#e0f3e8;--great:#0b6b8f;--great-bg:#dff1f8;--bad:#b3322b;--bad-bg:#fae4e2;--none-bg:#ececea;--peer:#b9bdc9}
@media (prefers-color-scheme:dark){:root{--paper:#12151c;--card:#1a1f29;--ink:#e8eaf0;--soft:#9aa3b5;--rule:#2b3240;--accent:#8ea6ff;--area:#8ea6ff22;--good:#6fd6a4;--good-bg:#163527;--great:#79cdee;--great-bg:#12333f;--bad:#ff9a92;--bad-bg:#442220;--none-bg:#262c38;--peer:#4b5468}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:48px 24px 96px}
h1{font-size:clamp(2rem,5vw,3rem);letter-spacing:-.02em;line-height:1.1;margin:.1em 0 .4em}
h2{font-size:1.25rem;letter-spacing:-.01em;margin:0 0 12px}
h3{font-size:.9rem;font-weight:600;margin:0;min-height:2.7em;color:var(--soft)}
.eyebrow{margin:0;color:var(--accent);font-weight:600;letter-spacing:.08em;text-transform:uppercase;font-size:.78rem}
.lede{max-width:70ch;color:var(--soft)}
section{margin-top:48px}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,monospace}
.chips{display:flex;flex-wrap:wrap;gap:8px;padding:0;margin:20px 0 0;list-style:none}
.chip,.badge{border-radius:999px;padding:3px 12px;font-size:.82rem;background:var(--none-bg);color:var(--soft)}
.chip b{color:inherit}
.chip.stretch,.card.stretch .badge{background:var(--great-bg);color:var(--great)}
.chip.must,.card.must .badge{background:var(--good-bg);color:var(--good)}
.chip.missed,.card.missed .badge{background:var(--bad-bg);color:var(--bad)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:16px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:16px 18px 12px;display:flex;flex-direction:column}
.big{display:flex;align-items:center;gap:6px;font-size:1.9rem;font-weight:650;letter-spacing:-.02em;margin:6px 0 2px}
.big small{font-size:.95rem;font-weight:500;color:var(--soft)}
.big .badge{margin-left:auto;font-size:.75rem;font-weight:600;letter-spacing:0}
.aim{margin:0 0 8px;color:var(--soft);font-size:.82rem}
.card svg{margin-top:auto}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--soft);font-size:10px}
.line{fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round}
.area{fill:var(--area)}
.dot{fill:var(--card);stroke:var(--accent);stroke-width:1.5}
.dot.last{fill:var(--accent)}
.limit{stroke:var(--soft);stroke-dasharray:3 4;stroke-width:1}
.bars{list-style:none;padding:0;margin:16px 0 0;max-width:860px}
.bars li{display:grid;grid-template-columns:200px 1fr 120px;gap:12px;align-items:center;padding:5px 0;color:var(--soft)}
.bars .name{text-align:right}
.bars .value{white-space:nowrap}
.bars .rail{display:block}
.bars .bar{display:block;height:20px;border-radius:5px;background:var(--peer)}
.bars .ours{color:var(--ink);font-weight:600}
.bars .ours .bar{background:var(--accent)}
h3.open{min-height:0;margin:28px 0 8px}
ul.open{list-style:none;padding:0;margin:0;columns:3 260px;column-gap:32px;font-size:.88rem;color:var(--soft)}
ul.open li{display:flex;justify-content:space-between;gap:12px;padding:5px 0;border-bottom:1px solid var(--rule);break-inside:avoid}
ul.open span{white-space:nowrap;color:var(--ink)}
details{background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:14px 18px;margin-top:12px}
summary{cursor:pointer;display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 16px;list-style:none}
summary::-webkit-details-marker{display:none}
summary::before{content:"›";color:var(--soft);font-weight:700;transition:rotate .15s}
details[open] summary::before{rotate:90deg}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:4px;border-radius:6px}
summary h3{min-height:0;color:var(--ink);font-size:1.05rem}
.head{color:var(--soft);font-size:.85rem}
.head b{color:var(--ink);font-weight:600}
.facts{color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:0 40px;align-items:start}
table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:400;overflow-wrap:anywhere}
td{text-align:right;white-space:nowrap}
td.runs{width:76px;padding-right:12px}td.runs:empty{width:0;padding:0}
th,td{padding:5px 0;border-bottom:1px solid var(--rule)}
.spark{width:60px;height:16px;margin-left:auto}
.spark .line{stroke-width:1.5}
@media (max-width:560px){main{padding:28px 16px 64px}.bars li{grid-template-columns:1fr auto;gap:2px 12px}.bars .name{text-align:left}.bars .rail{grid-row:2;grid-column:1/3}.bars .bar{height:14px}.columns{grid-template-columns:1fr}section{margin-top:36px}}
@media print{details{break-inside:avoid}.card{break-inside:avoid}}
`
