import { matchPathPattern, type PathSegment } from '../../lib/path-pattern.ts';
import { PlaceList } from './place-list.ts';
import type { RoutePlace } from './routable-route.ts';

/** What a node does not need it does not have: most have one of these. */
interface Node<Value> {
  /** By the text of the next segment. */
  texts: Map<string, Node<Value>> | undefined;
  /** Whatever the next segment is. */
  parameter: Node<Value> | undefined;
  /** Patterns that end here. */
  ends: PlaceList<Value> | undefined;
  /** Patterns that take all that follows here. */
  rests: PlaceList<Value> | undefined;
}

/**
 * Patterns with parameters, which have the same literal beginning, by their segments: a look-up visits what its path can lead to,
 * however many patterns there are.
 */
export class SegmentTree<Value> {
  readonly #root: Node<Value> = makeNode();
  /** The rare ones, asked one by one: with a wildcard before their end, or inside of their last segment. */
  readonly #others = new PlaceList<Value>();

  get isEmpty(): boolean {
    return this.#others.isEmpty && isBare(this.#root);
  }

  add(place: RoutePlace<Value>): void {
    const { segments } = place.pattern;
    if (!isPlain(segments)) {
      this.#others.add(place);
      return;
    }
    let node = this.#root;
    for (const segment of segments) {
      if (segment.kind === 'rest') {
        node.rests ??= new PlaceList();
        node.rests.add(place);
        return;
      }
      node = child(node, segment) ?? makeChild(node, segment);
    }
    node.ends ??= new PlaceList();
    node.ends.add(place);
  }

  remove(place: RoutePlace<Value>): void {
    if (isPlain(place.pattern.segments)) removeBelow(this.#root, place, 0);
    else this.#others.remove(place);
  }

  /** Adds to `found` the places that fit a path whose segment after the literal beginning starts at `start`, in no order. */
  collect(path: string, start: number, found: RoutePlace<Value>[]): void {
    collectBelow(this.#root, path, start, found);
    for (const place of this.#others.all) if (matchPathPattern(place.pattern, path) !== undefined) found.push(place);
  }
}

function makeNode<Value>(): Node<Value> {
  return { texts: undefined, parameter: undefined, ends: undefined, rests: undefined };
}

function isBare<Value>({ texts, parameter, ends, rests }: Node<Value>): boolean {
  return (texts?.size ?? 0) === 0 && parameter === undefined && ends?.isEmpty !== false && rests?.isEmpty !== false;
}

/** Only texts and parameters, and at the end perhaps a wildcard for all that follows. */
function isPlain(segments: readonly PathSegment[]): boolean {
  return segments.every(({ kind }, index) => kind === 'text' || kind === 'parameter' || (kind === 'rest' && index === segments.length - 1));
}

function child<Value>(node: Node<Value>, segment: PathSegment): Node<Value> | undefined {
  return segment.kind === 'text' ? node.texts?.get(segment.text) : node.parameter;
}

function makeChild<Value>(node: Node<Value>, segment: PathSegment): Node<Value> {
  const made = makeNode<Value>();
  if (segment.kind === 'text') {
    node.texts ??= new Map();
    node.texts.set(segment.text, made);
  } else node.parameter = made;
  return made;
}

/** Takes the place out, and with it the nodes that no longer lead anywhere. */
function removeBelow<Value>(node: Node<Value>, place: RoutePlace<Value>, depth: number): void {
  const segment = place.pattern.segments[depth];
  if (segment === undefined) {
    node.ends?.remove(place);
    return;
  }
  if (segment.kind === 'rest') {
    node.rests?.remove(place);
    return;
  }
  const next = child(node, segment);
  if (next === undefined) return;
  removeBelow(next, place, depth + 1);
  if (!isBare(next)) return;
  if (segment.kind === 'text') node.texts?.delete(segment.text);
  else node.parameter = undefined;
}

function collectBelow<Value>(node: Node<Value>, path: string, start: number, found: RoutePlace<Value>[]): void {
  if (node.rests !== undefined) for (const place of node.rests.all) found.push(place);
  const slash = path.indexOf('/', start);
  const end = slash === -1 ? path.length : slash;
  if (node.texts !== undefined) {
    const next = node.texts.get(path.slice(start, end));
    if (next !== undefined) enter(next, path, slash, found);
  }
  if (node.parameter !== undefined && end > start) enter(node.parameter, path, slash, found);
}

/** `slash` ends the segment that led to the node; -1: the path ends with it. */
function enter<Value>(node: Node<Value>, path: string, slash: number, found: RoutePlace<Value>[]): void {
  if (slash !== -1) collectBelow(node, path, slash + 1, found);
  else if (node.ends !== undefined) for (const place of node.ends.all) found.push(place);
}
