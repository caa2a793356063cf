import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { Turns } from '../../lib/turns.ts';
import type { PluginFacts } from '../../plugin-kit/index.ts';
import { formatIssues, type Issue, isJsonObject, RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import { type ApiAnswer, type ApiRoute, groupIdOf } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { type ExaminationContext, examineDocument } from './examine-document.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { metadataOfGroup } from './plugin-facts.ts';
import { allOfKind } from './resource-permissions.ts';

const SLICE_MS = 10;
/** Faults beyond are counted and not told: no answer should be much larger than the body was. */
const LISTED_CHARACTERS = 2_000_000;
/** A name may have 65,536 characters. */
const SHOWN_ID_CHARACTERS = 256;

/** Where an element of a collection holds its own id; `id` alone for those that are not named. */
const ID_FIELDS: ReadonlyMap<string, readonly string[]> = new Map(RESOURCE_KINDS.map((kind) => [kind.collection, kind.bodyIdFields]));

/**
 * `POST /apisix/admin/configs/validate`: examines whole lists of resources as a PUT of each would, stores nothing, and tells every
 * faulty element by its place. References are not followed, since they may point into the same body.
 */
export function validateConfigsRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/apisix/admin/configs/validate',
      permission: 'gateway:GetPublishedService',
      // Nothing is read or written: whoever works with any service of the group may ask.
      resource: { kind: 'some', of: (request) => allOfKind('service', groupIdOf(request) ?? '') },
      groupScoped: true,
      handle: async (request) => {
        const body = request.body();
        const group = await gatewayGroupOf(context.store, request);
        if (!isJsonObject(body)) throw new PortcullisError('admin_invalid', { publicMessage: 'Error at "": value must be an object' });
        const stored = await metadataOfGroup(context, group.id);
        return answer(await examineAll({ ...context, facts: factsOf(context, stored, body) }, body));
      },
    },
  ];
}

/** Metadata that stands in the body lies over what is stored. */
function factsOf({ closedFolders }: ApiContext, stored: ReadonlyMap<string, JsonObject>, body: JsonObject): PluginFacts {
  const metadata = new Map(stored);
  for (const element of elementsOf(body, 'plugin_metadata')) {
    if (isJsonObject(element) && typeof element.id === 'string') metadata.set(element.id, element);
  }
  return { closedFolders, metadataOf: (plugin) => metadata.get(plugin) };
}

/** A slice at a time: a body may hold half a million elements. */
async function examineAll(context: ExaminationContext, body: JsonObject): Promise<Faults> {
  const turns = new Turns(context.clock, SLICE_MS);
  const faults = new Faults();
  for (const kind of RESOURCE_KINDS) {
    for (const [index, element] of elementsOf(body, kind.collection).entries()) {
      if (turns.isDue) await turns.pass();
      const issues = examine(context, kind, element);
      if (issues.length > 0) faults.add({ kind, index, element }, issues);
    }
  }
  return faults;
}

function elementsOf(body: JsonObject, collection: string): readonly JsonValue[] {
  const elements = Object.hasOwn(body, collection) ? body[collection] : undefined;
  if (elements === undefined || elements === null) return [];
  if (Array.isArray(elements)) return elements;
  throw new PortcullisError('admin_invalid', { publicMessage: `Error at "/${collection}": value must be an array` });
}

function examine(context: ExaminationContext, kind: ResourceKind, element: JsonValue): readonly Issue[] {
  const examination = examineDocument(kind, element, undefined, context);
  return examination.ok ? [] : examination.issues;
}

/** What the element calls itself; `service_id` is the id of a service, and in a route that of another resource. */
function idOf(collection: string, element: JsonValue): string {
  if (!isJsonObject(element)) return '';
  const fields = [...(ID_FIELDS.get(collection) ?? ['id']), 'name'];
  const ids = fields.map((field) => (Object.hasOwn(element, field) ? element[field] : undefined));
  return ids.find((id) => typeof id === 'string') ?? '';
}

/** The faulty elements: all are counted, and told one by one up to some amount of text. */
class Faults {
  readonly #listed: JsonObject[] = [];
  #count = 0;
  #characters = 0;

  get count(): number {
    return this.#count;
  }

  get listed(): readonly JsonObject[] {
    return this.#listed;
  }

  add(
    { kind, index, element }: { readonly kind: ResourceKind; readonly index: number; readonly element: JsonValue },
    issues: readonly Issue[],
  ): void {
    this.#count += 1;
    if (this.#characters > LISTED_CHARACTERS) return;
    const resourceId = idOf(kind.collection, element).slice(0, SHOWN_ID_CHARACTERS);
    const error = formatIssues(issues);
    this.#characters += error.length + resourceId.length;
    this.#listed.push({ resource_type: kind.collection, resource_id: resourceId, index, error });
  }
}

function answer({ count, listed }: Faults): ApiAnswer {
  if (count === 0) return { body: { value: {} } };
  const [first] = listed;
  const rest = count > 1 ? ` (and ${count - 1} more)` : '';
  const summary = `${String(first?.resource_type)}[${String(first?.index)}]: ${String(first?.error)}${rest}`;
  return { status: 400, body: { error_msg: summary, error_count: count, errors: listed } };
}
