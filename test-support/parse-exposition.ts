/** One line of a text of metrics. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const VALUE = / (\S+)\n/y;

/** Reads a text of metrics as a scraper does, strictly (Prometheus, "Exposition formats", 0.0.4). @throws Error for what it could not read */
export function parseExposition(text: string): ExposedSample[] {
  const samples: ExposedSample[] = [];
  for (let at = 0; at < text.length; ) {
    if (text[at] === '#') {
      const end = text.indexOf('\n', at);
      if (!/^# (?:HELP|TYPE) \S+ /.test(text.slice(at, end))) throw new Error(`no comment: ${text.slice(at, end)}`);
      at = end + 1;
      continue;
    }
    const [sample, next] = sampleAt(text, at);
    samples.push(sample);
    at = next;
  }
  return samples;
}

/** The value of one sample; undefined where there is none with exactly these labels. */
export function sampleValue(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = keyOf(labels);
  return parseExposition(text).find((sample) => sample.name === name && keyOf(sample.labels) === wanted)?.value;
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort());
}

function sampleAt(text: string, start: number): [ExposedSample, number] {
  const [name, afterName] = match(NAME, text, start);
  const labels: Record<string, string> = {};
  let at = afterName;
  if (text[at] === '{') {
    at++;
    while (text[at] !== '}') {
      const [label, afterLabel] = match(NAME, text, at);
      if (text.slice(afterLabel, afterLabel + 2) !== '="') throw new Error(`no label at ${at}`);
      const [value, afterValue] = quotedAt(text, afterLabel + 2);
      if (label in labels) throw new Error(`the label ${label} comes twice`);
      labels[label] = value;
      at = text[afterValue] === ',' ? afterValue + 1 : afterValue;
    }
    at++;
  }
  const [line, end] = match(VALUE, text, at);
  const value = line.trim() === '+Inf' ? Number.POSITIVE_INFINITY : Number(line);
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return [{ name, labels, value }, end];
}

function quotedAt(text: string, start: number): [string, number] {
  let value = '';
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '"') return [value, at + 1];
    if (character === '\n') throw new Error('a line ends inside a value');
    if (character !== '\\') {
      value += character;
      continue;
    }
    at++;
    const escaped = { '\\': '\\', '"': '"', n: '\n' }[text[at] ?? ''];
    if (escaped === undefined) throw new Error(`no escape: ${text[at]}`);
    value += escaped;
  }
  throw new Error('a value does not end');
}

function match(pattern: RegExp, text: string, at: number): [string, number] {
  pattern.lastIndex = at;
  const [found] = pattern.exec(text) ?? [];
  if (found === undefined) throw new Error(`not readable at ${at}: ${text.slice(at, at + 40)}`);
  return [found, at + found.length];
}
