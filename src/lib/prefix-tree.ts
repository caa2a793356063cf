interface Node<Value> {
  /** The characters between the parent and this node; empty at the root only. */
  label: string;
  value: Value | undefined;
  /** By the first character of their labels; undefined where there are none, since most nodes have none and an empty map takes 200 bytes. */
  children: Map<number, Node<Value>> | undefined;
}

/**
 * A radix tree: strings with values, from which all prefixes of a text are found in one walk over it.
 * A change costs the length of its string, whatever the tree holds.
 */
export class PrefixTree<Value> {
  readonly #root: Node<Value> = makeNode('');
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(prefix: string): Value | undefined {
    const path = this.#pathTo(prefix);
    return path?.[path.length - 1]?.value;
  }

  set(prefix: string, value: Value): void {
    let node = this.#root;
    let position = 0;
    while (position < prefix.length) {
      const child = node.children?.get(prefix.charCodeAt(position));
      if (child === undefined) {
        const leaf = makeNode<Value>(prefix.slice(position));
        putChild(node, leaf);
        node = leaf;
        break;
      }
      const shared = sharedLength(child.label, prefix, position);
      node = shared === child.label.length ? child : split(node, child, shared);
      position += shared;
    }
    if (node.value === undefined) this.#size += 1;
    node.value = value;
  }

  delete(prefix: string): boolean {
    const path = this.#pathTo(prefix);
    const node = path?.[path.length - 1];
    if (path === undefined || node?.value === undefined) return false;
    node.value = undefined;
    this.#size -= 1;
    prune(path);
    return true;
  }

  /** Writes the values of all prefixes of `text` into `found`, the shortest first, and gives their number. Allocates nothing once `found` is long enough. */
  collect(text: string, found: Value[]): number {
    let count = 0;
    let node: Node<Value> | undefined = this.#root;
    let position = 0;
    while (node !== undefined) {
      if (node.value !== undefined) found[count++] = node.value;
      const child: Node<Value> | undefined = position < text.length ? node.children?.get(text.charCodeAt(position)) : undefined;
      if (child === undefined || !hasAt(text, child.label, position)) return count;
      position += child.label.length;
      node = child;
    }
    return count;
  }

  /** The nodes from the root to the one that stands for exactly this prefix. */
  #pathTo(prefix: string): Node<Value>[] | undefined {
    const path = [this.#root];
    let node = this.#root;
    for (let position = 0; position < prefix.length; position += node.label.length) {
      const child = node.children?.get(prefix.charCodeAt(position));
      if (child === undefined || !prefix.startsWith(child.label, position)) return undefined;
      node = child;
      path.push(node);
    }
    return path;
  }
}

/** As `startsWith`, which takes several times as long on short labels. */
function hasAt(text: string, label: string, position: number): boolean {
  for (let index = 0; index < label.length; index++) if (text.charCodeAt(position + index) !== label.charCodeAt(index)) return false;
  return true;
}

function makeNode<Value>(label: string): Node<Value> {
  return { label, value: undefined, children: undefined };
}

function putChild<Value>(parent: Node<Value>, child: Node<Value>): void {
  parent.children ??= new Map();
  parent.children.set(child.label.charCodeAt(0), child);
}

function sharedLength(label: string, text: string, position: number): number {
  let length = 0;
  while (length < label.length && position + length < text.length && label.charCodeAt(length) === text.charCodeAt(position + length))
    length += 1;
  return length;
}

/** Puts a node between `parent` and `child` that takes the first `length` characters of the child's label. */
function split<Value>(parent: Node<Value>, child: Node<Value>, length: number): Node<Value> {
  const middle = makeNode<Value>(child.label.slice(0, length));
  putChild(parent, middle);
  child.label = child.label.slice(length);
  putChild(middle, child);
  return middle;
}

/** Takes out nodes that no longer tell anything, from the end of the path upwards. */
function prune<Value>(path: readonly Node<Value>[]): void {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const node = path[depth];
    const parent = path[depth - 1];
    if (node === undefined || parent === undefined || node.value !== undefined || (node.children?.size ?? 0) > 1) return;
    const [onlyChild] = node.children?.values() ?? [];
    if (onlyChild === undefined) parent.children?.delete(node.label.charCodeAt(0));
    else {
      onlyChild.label = node.label + onlyChild.label;
      putChild(parent, onlyChild);
    }
  }
}
