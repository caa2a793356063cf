import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { PluginFacts } from '../../plugin-kit/index.ts';
import { formatIssues, type Issue, isJsonObject, RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { ApiAnswer, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { type ExaminationContext, examineDocument } from './examine-document.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { metadataOfGroup } from './plugin-facts.ts';

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
      groupScoped: true,
      handle: async (request) => {
        const body = request.body();
        const group = await gatewayGroupOf(context.store, request);
        if (!isJsonObject(body)) throw new PortcullisError('admin_invalid', { publicMessage: 'Error at "": value must be an object' });
        const stored = await metadataOfGroup(context, group.id);
        return answer(examineAll({ ...context, facts: factsOf(context, stored, body) }, body));
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

function examineAll(context: ExaminationContext, body: JsonObject): readonly JsonObject[] {
  return RESOURCE_KINDS.flatMap((kind) =>
    elementsOf(body, kind.collection).flatMap((element, index) =>
      describe(kind.collection, index, element, examine(context, kind, element)),
    ),
  );
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

function describe(collection: string, index: number, element: JsonValue, issues: readonly Issue[]): readonly JsonObject[] {
  if (issues.length === 0) return [];
  return [{ resource_type: collection, resource_id: idOf(collection, element), index, error: formatIssues(issues) }];
}

/** What the element calls itself; `service_id` is the id of a service, and in a route that of another resource. */
function idOf(collection: string, element: JsonValue): string {
  if (!isJsonObject(element)) return '';
  const fields = [...(ID_FIELDS.get(collection) ?? ['id']), 'name'];
  const ids = fields.map((field) => (Object.hasOwn(element, field) ? element[field] : undefined));
  return ids.find((id) => typeof id === 'string') ?? '';
}

function answer(errors: readonly JsonObject[]): ApiAnswer {
  if (errors.length === 0) return { body: { value: {} } };
  const first = errors[0];
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return {
    status: 400,
    body: { error_msg: `${String(first?.resource_type)}[${String(first?.index)}]: ${String(first?.error)}${rest}`, errors },
  };
}
