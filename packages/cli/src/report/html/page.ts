import { escape } from './escape.js';
import { STYLE } from './style.js';

/** A page that needs nothing else: no network, no file beside it. */
export function page(title: string, lead: string, sections: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">To the results</a>
<header><h1>${escape(title)}</h1>${lead}</header>
<main id="main">
${sections.filter((section) => section !== '').join('\n')}
</main>
<script>addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((part) => { part.open = true; }));</script>
</body>
</html>
`;
}

export function section(title: string, ...parts: readonly string[]): string {
  return `<section><h2>${escape(title)}</h2>\n${parts.join('\n')}\n</section>`;
}

export function paragraph(text: string, faint = false): string {
  return `<p${faint ? ' class="faint"' : ''}>${escape(text)}</p>`;
}

export function list(items: readonly string[]): string {
  return items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${escape(item)}</li>`).join('')}</ul>`;
}

/** A table that scrolls by itself where it is too wide, with the keyboard too. The first column names the rows. */
export function tableOf(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  classOf: (column: number) => string = () => '',
): string {
  const classAttribute = (column: number): string =>
    classOf(column) === '' ? '' : ` class="${classOf(column)}"`;
  const cells = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0
          ? `<th scope="row">${escape(cell)}</th>`
          : `<td${classAttribute(column)}>${escape(cell)}</td>`,
      )
      .join('');
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${escape(caption)}"><table><caption>${escape(caption)}</caption>` +
    `<thead><tr>${head.map((cell, column) => `<th scope="col"${classAttribute(column)}>${escape(cell)}</th>`).join('')}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table></div>`
  );
}

export function picture(chart: string, caption: string): string {
  return `<figure>${chart}<figcaption>${escape(caption)}</figcaption></figure>`;
}

export function folded(summary: string, content: string): string {
  return `<details><summary>${escape(summary)}</summary>${content}</details>`;
}

export function code(text: string): string {
  return `<pre tabindex="0"><code>${escape(text)}</code></pre>`;
}
