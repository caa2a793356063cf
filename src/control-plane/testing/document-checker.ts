import { Ajv2020 } from 'ajv/dist/2020.js';

/** An operation of an OpenAPI document, as far as tests look at it. */
export interface DocumentOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly 'x-portcullis-permission': string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly example?: string;
    readonly schema?: { readonly enum?: readonly string[] };
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, { readonly example?: unknown }>> }>
  >;
  readonly security?: readonly object[];
}

/** An OpenAPI document, as far as tests look at it. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, object>> }>>;
  };
}

/** Where schemas of the document refer to each other, and what they refer to instead here. */
const COMPONENTS = '#/components/schemas/';
const KEYS = 'schema:';

/** Examines values by the schemas of an OpenAPI document. */
export class DocumentChecker {
  readonly #ajv: Ajv2020;
  readonly #document: OpenApiDocument;
  readonly #compiled = new Map<string, ReturnType<Ajv2020['compile']>>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
    // A keyword that validators of JSON Schema 2020-12 do not know throws when a schema is compiled.
    this.#ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
    this.#ajv.addVocabulary(['example']);
    for (const [name, schema] of Object.entries(document.components.schemas)) this.#ajv.addSchema(rekeyed(schema), `${KEYS}${name}`);
  }

  /** What the schema at the end of these names says against a value; an empty text when nothing. @throws Error for a schema that is none */
  faults(names: readonly string[], value: unknown): string {
    const place = names.join(' ');
    const validate = this.#compiled.get(place) ?? this.#ajv.compile(rekeyed(valueAt(this.#document, names)));
    this.#compiled.set(place, validate);
    return validate(value) === true ? '' : `${place}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`;
  }
}

function rekeyed(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll(`"${COMPONENTS}`, `"${KEYS}`));
}

function valueAt(document: object, names: readonly string[]): object {
  let value: unknown = document;
  for (const name of names) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  if (typeof value !== 'object' || value === null) throw new Error(`the document has nothing at ${names.join(' ')}`);
  return value;
}
