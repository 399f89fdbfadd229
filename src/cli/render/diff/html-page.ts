/**
 * The page around an HTML diff: its style, light and dark, and the switches that hide rows,
 * all without a script. The summary is known last and shown first: `order` moves it up.
 */

export const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char]);
}

const STYLE = `
:root { color-scheme: light dark; --line: #d0d7de; --head: #f6f8fa; --dim: #6e7781;
  --add: #e6ffec; --add-part: #abf2bc; --del: #ffebe9; --del-part: #ffc0bb; --mod: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --line: #30363d; --head: #161b22; --dim: #8b949e;
  --add: #12261e; --add-part: #1f6f38; --del: #2d1618; --del-part: #8e2a2a; --mod: #d29922; } }
body { display: flex; flex-direction: column; margin: 0; padding: 1.5rem;
  font: 14px/1.45 system-ui, sans-serif; }
body > header { order: -1; }
h1 { font-size: 1.3rem; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
h2 small, .dim, .counts { color: var(--dim); font-weight: normal; }
nav { display: flex; gap: 1rem; flex-wrap: wrap; margin: .5rem 0; }
ul { margin: .25rem 0; padding-left: 1.25rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; font-family: ui-monospace, monospace; font-size: 12.5px; }
th, td { padding: .2rem .6rem; text-align: left; vertical-align: top; max-width: 32rem;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; unicode-bidi: isolate; }
td { white-space: pre-wrap; }
td.number { text-align: right; white-space: nowrap; }
thead th { position: sticky; top: 0; background: var(--head); white-space: nowrap; }
th.key, td.key { font-weight: 600; }
tr.added td, ins { background: var(--add); }
tr.removed td, del { background: var(--del); }
tr.modified td:first-child { color: var(--mod); }
ins, del { display: block; text-decoration: none; border-radius: 3px; padding: 0 .2rem; }
ins b { background: var(--add-part); font-weight: inherit; }
del b { background: var(--del-part); font-weight: inherit; }
i { color: var(--dim); font-style: normal; }
body:has(#show-added:not(:checked)) tr.added,
body:has(#show-removed:not(:checked)) tr.removed,
body:has(#show-modified:not(:checked)) tr.modified { display: none; }
`;

/** Everything before the first table. `title` is text. */
export function pageHead(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
`;
}

/** The summary, with a switch for each kind of row, and the end of the page. `html` is HTML. */
export function pageEnd(title: string, html: string): string {
  const switches = ['added', 'removed', 'modified'].map(
    (kind) => `<label><input type="checkbox" id="show-${kind}" checked> ${kind}</label>`,
  );
  return `<header>
<h1>${escapeHtml(title)}</h1>
${html}
<nav>${switches.join('\n')}</nav>
</header>
</body>
</html>
`;
}
