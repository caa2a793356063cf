import type { FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode } from 'graphql';
import { byteStringOf } from '../../../lib/byte-string.ts';

/** What the `graphql_` variables tell of a request. */
export interface GraphqlFacts {
  /** Of the operation; empty for one without. */
  readonly name: string;
  readonly operation: 'query' | 'mutation' | 'subscription';
  /** Names of the fields that are asked of the root, those behind fragments among them, each once. */
  readonly rootFields: readonly string[];
}

export type ReadGraphql = (text: string, operationName: string | undefined) => GraphqlFacts | undefined;

/** A longer document is not read: its time would be everybody's. */
const MAX_TOKENS = 10_000;

/**
 * Loads the parser, which takes time and memory that only gateways with such rules are to spend. What it gives reads a document: the operation
 * of the given name, or else the first. Undefined for what is no document, or has no such operation.
 */
export async function loadGraphql(): Promise<ReadGraphql> {
  const { Kind, parse } = await import('graphql');
  return (text, operationName) => {
    try {
      const { definitions } = parse(text, { maxTokens: MAX_TOKENS, noLocation: true });
      const operations = definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
      const operation = operations.find(({ name }) => operationName === undefined || name?.value === operationName);
      if (operation === undefined) return undefined;
      return factsOf(
        operation,
        definitions.filter((each) => each.kind === Kind.FRAGMENT_DEFINITION),
      );
    } catch {
      return undefined;
    }
  };
}

function factsOf({ name, operation, selectionSet }: OperationDefinitionNode, fragments: readonly FragmentDefinitionNode[]): GraphqlFacts {
  const fields = new Set<string>();
  const byName = new Map(fragments.map((fragment) => [fragment.name.value, fragment.selectionSet]));
  collectFields(selectionSet, byName, fields);
  return { name: byteStringOf(name?.value ?? ''), operation, rootFields: [...fields] };
}

/** A fragment that has been followed is taken out, so that one that spreads itself ends. */
function collectFields(set: SelectionSetNode, fragments: Map<string, SelectionSetNode>, fields: Set<string>): void {
  for (const selection of set.selections) {
    if (selection.kind === 'Field') fields.add(selection.name.value);
    else if (selection.kind === 'FragmentSpread') {
      const fragment = fragments.get(selection.name.value);
      fragments.delete(selection.name.value);
      if (fragment !== undefined) collectFields(fragment, fragments, fields);
    } else collectFields(selection.selectionSet, fragments, fields);
  }
}
