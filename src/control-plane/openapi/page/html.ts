/** Text that is HTML already. Only `html` makes it, so that no text of another kind gets into a page unescaped. */
export class Html {
  readonly #text: string;

  constructor(text: string, key: typeof KEY) {
    if (key !== KEY) throw new Error('HTML is made by html`…`');
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

const KEY = Symbol('made here');

type Part = string | number | Html | readonly Html[];

/** A piece of a page; what is put into it is escaped unless it is such a piece itself. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(texts.map((text, index) => `${text}${index < parts.length ? rendered(parts[index] ?? '') : ''}`).join(''), KEY);
}

function rendered(part: Part): string {
  if (part instanceof Html) return part.toString();
  if (typeof part === 'object') return part.join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Text in which what stands between back-ticks is code. */
export function proseHtml(text: string): Html {
  const spans = text.split('`').map((span, index) => (index % 2 === 1 ? html`<code>${span}</code>` : html`${span}`));
  return html`${spans}`;
}
