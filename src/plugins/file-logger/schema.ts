import { compileExpression } from '../../expression/index.ts';
import {
  type CheckContext,
  type Issue,
  type JsonObject,
  type JsonValue,
  LOG_FIELDS,
  LOG_METADATA_FIELDS,
  type LogConfiguration,
  type PluginFacts,
  type PluginSchema,
  Type,
} from '../../plugin-kit/index.ts';
import { findPathProblem } from './find-path-problem.ts';

/** The configuration, defaults in place. */
export interface FileLoggerConfiguration extends LogConfiguration {
  readonly path?: string;
  readonly match?: readonly JsonValue[];
}

const NAME = 'file-logger';

/** What can be configured of file-logger: fields, limits and defaults of APISIX's plugin. */
export const fileLoggerSchema: PluginSchema = {
  name: NAME,
  version: '0.1',
  priority: 399,
  type: 'other',
  schema: Type.Object({
    path: Type.Optional(Type.String({ description: 'File that entries are appended to; without it that of the metadata' })),
    match: Type.Optional(
      Type.Unsafe<readonly JsonValue[]>({
        type: 'array',
        maxItems: 20,
        items: { type: 'array' },
        description: 'Expressions of which one must hold for a request to be logged',
      }),
    ),
    ...LOG_FIELDS,
  }),
  metadataSchema: Type.Object({
    path: Type.Optional(Type.String({ description: 'File for configurations without a path' })),
    ...LOG_METADATA_FIELDS,
  }),
  secretFields: [],
  identityHeaders: [],
  checkMetadata: checkGivenPath,
  check: (configuration, context) => [...checkPath(configuration, context), ...checkMatch(configuration)],
};

function checkPath(configuration: JsonObject, context: CheckContext): readonly Issue[] {
  const { metadataOf, isStored } = context;
  // A gateway goes on with what was accepted, and tells its log where the file cannot be had.
  if (typeof configuration.path === 'string') return isStored === true ? [] : checkGivenPath(configuration, context);
  if (metadataOf === undefined || typeof metadataOf(NAME)?.path === 'string') return [];
  return [{ pointer: '/path', message: 'property "path" is not set in either the plugin conf or the metadata' }];
}

function checkGivenPath({ path }: JsonObject, { closedFolders = [] }: PluginFacts): readonly Issue[] {
  const problem = typeof path === 'string' ? findPathProblem(path, closedFolders) : undefined;
  return problem === undefined ? [] : [{ pointer: '/path', message: problem }];
}

function checkMatch({ match }: JsonObject): readonly Issue[] {
  if (!Array.isArray(match)) return [];
  return match.flatMap((rule: JsonValue, index) => {
    const compiled = compileExpression(rule);
    if (compiled.kind !== 'invalid') return [];
    return [{ pointer: `/match/${index}`, message: `failed to validate the 'match' expression: ${compiled.message}` }];
  });
}
