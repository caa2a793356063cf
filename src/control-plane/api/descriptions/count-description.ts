import type { JsonObject } from '../../../lib/json.ts';
import { type ResourceKindName, Type } from '../../../schema/index.ts';
import { type ApiDescription, type OperationDescription, pascalCase } from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';

const value = Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: { type: 'integer', minimum: 0 } });

/** What the document says of what is counted by gateway group. */
export function countDescription(kinds: readonly ResourceKindName[]): ApiDescription {
  const counted = [
    ...kinds.map((name) => [name, KIND_TEXTS[name].many] as const),
    ['gateway_instance', 'connected gateway instances'] as const,
  ];
  return {
    operations: Object.fromEntries(counted.map(([name, many]) => [`GET /api/gateway_groups/count/${name}`, operationOf(name, many)])),
  };
}

function operationOf(name: string, many: string): OperationDescription {
  return {
    id: `count${pascalCase(name)}s`,
    tag: KIND_TEXTS.gateway_group.tag,
    summary: `Count the ${many} of each gateway group`,
    description: 'Those that the caller may see, by the id of their group.',
    answers: { 200: { description: 'Numbers by group', schema: Type.Object({ value }), example: { value: { default: 3 } } } },
  };
}
