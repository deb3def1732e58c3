"""The style sheet of reports: light and dark, screens from 320 pixels, and paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --grid: #d9dee3;
  --tint: #fff4e5; --link: #1d4ed8;
  --series-0: #2563eb; --series-1: #c2410c; --series-2: #2b8a3e; --series-3: #9c36b5; --series-4: #8f6a00;
  --series-5: #0b7285; --series-6: #c2255c; --series-7: #5c677d;
  --level-0: #5f93cf; --level-1: #4f6bc4; --level-2: #7b4bb3; --level-3: #ac2e7f; --level-4: #b8122b; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #a3adb7; --paper: #14171a;
  --grid: #3a424a; --tint: #33270f; --link: #8ab4ff;
  --series-0: #6ea8fe; --series-1: #ff922b; --series-2: #69db7c; --series-3: #da77f2; --series-4: #ffd43b;
  --series-5: #3bc9db; --series-6: #f783ac; --series-7: #adb5bd;
  --level-0: #4a78b5; --level-1: #6c8ae4; --level-2: #a98be6; --level-3: #ee8fc4; --level-4: #ff8a75; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.75rem 1rem 3rem; overflow-wrap: break-word; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; text-wrap: balance; unicode-bidi: plaintext; text-align: left; }
h1 { font-size: 1.75rem; margin: 0 0 .3rem; }
h2 { font-size: 1.2rem; margin: 0 0 .6rem; }
h3, h4, h5, h6 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
section { margin: 2.25rem 0; }
section > :is(p, ul, ol, blockquote, pre) { max-width: 44rem; }
pre { overflow-x: auto; padding: .7rem .9rem; border: 1px solid var(--grid); border-radius: 4px; font-size: .875rem; }
img { max-width: 100%; }
a { color: var(--link); text-underline-offset: .15em; }
.about, .note, figcaption, footer { color: var(--soft); font-size: .875rem; }
.about, .note { margin: .4rem 0 0; }
.notice { border-left: 4px solid var(--series-1); background: var(--tint); padding: .6rem .9rem; margin: 1rem 0; }
.notice p { margin: 0; } .notice ul { margin: .3rem 0 0; padding-left: 1.2rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { overflow-x: auto; position: relative; }
.scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; font-size: .925rem; font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: .38rem 1.1rem .38rem 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top;
  unicode-bidi: plaintext; }
:is(th, td):last-child { padding-right: 0; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; max-width: 16rem; line-height: 1.3; }
td { max-width: 26rem; overflow-wrap: break-word; }
.unit { font-weight: 400; white-space: nowrap; }
.number { text-align: right; }
td.number, .time { white-space: nowrap; max-width: none; }
.none { color: var(--soft); }
figure { margin: 0; }
svg { width: 100%; height: auto; aspect-ratio: var(--wide); display: block; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
svg text { font-family: system-ui, sans-serif; font-variant-numeric: tabular-nums; }
use.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; list-style: none; margin: 0 0 .5rem; padding: 0;
  font-size: .875rem; } .legend span { font-size: 1rem; } .legend li { unicode-bidi: isolate; overflow-wrap: anywhere; }
footer { margin-top: 3rem; border-top: 1px solid var(--grid); padding-top: .9rem; }
footer h2 { font-size: 1rem; color: var(--ink); } footer table { font-size: .875rem; }
@media screen and (max-width: 45rem) { svg { aspect-ratio: var(--narrow); max-width: 30rem; margin: 0 auto; }
  use.wide { display: none; } use.narrow { display: inline; }
  h1 { font-size: 1.45rem; } th, td { padding-right: .8rem; } td { max-width: 14rem; }
  .scroll :is(th, td):first-child { position: sticky; left: 0; background: var(--paper); max-width: 40vw; } }
@media print { @page { margin: 15mm; }
  :root { color-scheme: light; --ink: #000000; --soft: #444444; --grid: #d4d4d4; --link: #000000; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  section { margin: 1.4rem 0; } .scroll { overflow: visible; } .data { display: none; }
  h1, h2, h3, h4, h5, h6 { break-after: avoid; } p, li { orphans: 3; widows: 3; }
  figure, tr, .notice, .legend, .short, footer { break-inside: avoid; } thead { display: table-header-group; }
  tbody tr:first-child, .note { break-before: avoid; }
  svg { width: min(100%, 14cm); max-height: 20cm; } table { font-size: 9pt; }
  th, td { padding: .22rem 1rem .22rem 0; } footer { margin-top: 1.4rem; } }
"""
