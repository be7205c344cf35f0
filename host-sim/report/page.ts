// The frame of a report: one HTML file that loads nothing and runs nothing, in the light or the dark of whoever reads it, on a
// screen, a telephone or paper.

import { type Content, html, Markup } from './markup.ts';

/** A page. */
export interface PageTerms {
  readonly title: string;
  /** What stands under the title. */
  readonly lead?: Content;
  readonly sections: readonly Section[];
}

/** A part of a page. */
export interface Section {
  readonly heading: string;
  /** Letters, digits and hyphens: what is linked to. */
  readonly id: string;
  readonly content: Content;
}

/** Nothing is loaded, nobody runs a script, and nothing goes out. The charts' own text has styles of its own. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE = `
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --soft: #5a636e; --line: #d5dae0; --panel: #f5f7f9;
  --good: #17794b; --bad: #c22f2f; --warn: #a66300; --off: #9aa3ad;
  --series-1: #1f6bb5; --series-2: #c4570c; --series-3: #17794b; --series-4: #7a4bb5; --series-5: #a6336b; --series-6: #4d6a00; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --ink: #e6e9ed; --soft: #9da6b1; --line: #343b43;
  --panel: #1c2126; --good: #4cc38a; --bad: #ff7b72; --warn: #e2a03f; --off: #646e79;
  --series-1: #66aef2; --series-2: #f0944d; --series-3: #4cc38a; --series-4: #b494f0; --series-5: #f08cb9; --series-6: #a9c54a; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, nav, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
h1, h2, h3, p, li, td, th, dd, figcaption, caption { overflow-wrap: anywhere; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--series-1); }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .87em; }
.soft { color: var(--soft); }
.alarm { color: var(--bad); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0; }
.outcome { border-left: .4rem solid var(--good); background: var(--panel); padding: .6rem 1rem; margin: 1rem 0; }
.outcome.bad { border-color: var(--bad); }
.outcome p:first-child { font-weight: 600; margin-top: 0; }
.outcome :last-child { margin-bottom: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: .3rem; padding: .6rem .8rem; }
.figures dt { color: var(--soft); font-size: .82rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .number { white-space: normal; }
tbody th { font-weight: 400; min-width: 5rem; }
.number + :not(.number) { padding-left: .75rem; }
.scroll td, .scroll th { overflow-wrap: normal; }
.scroll .long { overflow-wrap: anywhere; min-width: 12rem; }
figure { margin: 1rem 0 1.5rem; }
figcaption { font-weight: 600; font-size: .9rem; }
figure svg { display: block; max-width: 100%; height: auto; }
figure .narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; list-style: none; margin: .2rem 0 .3rem; padding: 0; font-size: .82rem; color: var(--soft); }
.legend svg { display: inline-block; vertical-align: -.05rem; margin-right: .35rem; }
details { margin: .75rem 0; }
summary { cursor: pointer; color: var(--series-1); }
footer { color: var(--soft); font-size: .85rem; padding-top: 2rem; padding-bottom: 2rem; }
@media (max-width: 46rem) {
  header { padding-top: 1rem; }
  h1 { font-size: 1.35rem; }
  figure .wide { display: none; }
  figure .narrow { display: block; }
}
@media print {
  :root { color-scheme: light; --page: #ffffff; --ink: #000000; --soft: #444c55; --line: #c3c9d0; --panel: #ffffff;
    --good: #17794b; --bad: #c22f2f; --warn: #a66300; --off: #9aa3ad;
    --series-1: #1f6bb5; --series-2: #c4570c; --series-3: #17794b; --series-4: #7a4bb5; --series-5: #a6336b; --series-6: #4d6a00; }
  body { font-size: 10.5pt; }
  nav { display: none; }
  header, main, footer { max-width: none; }
  figure .wide { display: block; }
  figure .narrow { display: none; }
  figure, tr, .outcome, .figures { break-inside: avoid; }
  h2, h3, caption, figcaption { break-after: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding-right: .5rem; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;

/** A page as the text of an HTML file. It has no date: the same contents are the same bytes. */
export function reportPage({ title, lead, sections }: PageTerms): string {
  const parts = sections.map(
    ({ heading, id, content }) =>
      html`<section aria-labelledby="${id}">
<h2 id="${id}">${heading}</h2>
${content}</section>
`,
  );
  const links = sections.map(({ heading, id }) => html`<li><a href="#${id}">${heading}</a></li>\n`);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${Markup.trusted(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${Markup.trusted(STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${lead}</header>
${
  sections.length > 1 &&
  html`<nav aria-label="Sections"><ul>
${links}</ul></nav>
`
}<main>
${parts}</main>
</body>
</html>
`.text;
}

/** Figures that are seen first, each under its name. */
export function keyFigures(figures: readonly (readonly [name: string, value: Content])[]): Markup {
  return html`<dl class="figures">
${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
`;
}
