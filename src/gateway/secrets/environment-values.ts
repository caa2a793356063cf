import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { fieldText } from './secret-content.ts';

/** Variables that hold secrets of the product, of its databases and of the machine, or that steer its processes. */
const WITHHELD = /^(?:PORTCULLIS_|PG|NODE_|AWS_|DATABASE_URL$|REDIS_URL$)/;

/** What `$env://` sees: the environment of this process, but for what only the instance's own settings may open. */
export class EnvironmentValues {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #opened: ReadonlySet<string>;

  /** `openedNames`: variables that are seen although they are withheld. */
  constructor(environment: Readonly<Record<string, string | undefined>>, openedNames: readonly string[]) {
    this.#environment = environment;
    this.#opened = new Set(openedNames);
  }

  /** The variable's text, or the text of a field of the JSON object that it holds; undefined where there is none. */
  valueOf(name: string, key: string | undefined): string | undefined {
    if (WITHHELD.test(name) && !this.#opened.has(name)) return undefined;
    const text = Object.hasOwn(this.#environment, name) ? this.#environment[name] : undefined;
    if (text === undefined || key === undefined) return text;
    const parsed = parseJson(text);
    return isObject(parsed) ? fieldText(parsed, key) : undefined;
  }
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
