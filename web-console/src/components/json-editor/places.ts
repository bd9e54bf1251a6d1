import { jsonLanguage } from '@codemirror/lang-json';
import type { SyntaxNode } from '@lezer/common';

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Where a JSON Pointer (RFC 6901) is in a text: its value; of a member that is missing, the name of what lacks it. */
export function rangeOf(text: string, pointer: string): Range {
  const parts = pointer.split('/').slice(1).map(unescaped);
  let node = jsonLanguage.parser.parse(text).topNode.firstChild;
  let named: SyntaxNode | null = null;
  for (const part of parts) {
    const found: SyntaxNode | null =
      node?.name === 'Object'
        ? memberOf(text, node, part)
        : node?.name === 'Array'
          ? itemOf(node, part)
          : null;
    if (!found) break;
    named = found.name === 'Property' ? found.firstChild : found;
    node = found.name === 'Property' ? found.lastChild : found;
  }
  const short = node && node.name !== 'Object' && node.name !== 'Array' ? node : (named ?? node);
  return short ? { from: short.from, to: Math.min(short.to, lineEnd(text, short.from)) } : { from: 0, to: 0 };
}

/** Where one writes at `position`: the path of the object around it, and of which member the value, or else a name. */
export function writingAt(
  text: string,
  position: number,
): { path: string[]; member: string | undefined; known: string[] } {
  let node: SyntaxNode | null = jsonLanguage.parser.parse(text).resolveInner(position, -1);
  let member: string | undefined;
  while (node && node.name !== 'Object') {
    const value: SyntaxNode | null = node.name === 'Property' ? node.lastChild : null;
    // after the colon of a member one writes its value, before it its name
    if (node.name === 'Property' && afterColon(text, node, position)) member = nameOf(text, node);
    else if (value && position > value.from && value.name === 'PropertyName') member = undefined;
    node = node.parent;
  }
  return {
    path: pathOf(text, node),
    member,
    known: node ? membersOf(node).map((each) => nameOf(text, each)) : [],
  };
}

function afterColon(text: string, property: SyntaxNode, position: number): boolean {
  const name = property.firstChild;
  return name !== null && text.slice(name.to, position).includes(':');
}

function pathOf(text: string, node: SyntaxNode | null): string[] {
  const path: string[] = [];
  for (let each = node; each; each = each.parent) {
    if (each.name === 'Property') path.unshift(nameOf(text, each));
    else if (each.parent?.name === 'Array')
      path.unshift(String(itemsOf(each.parent).findIndex((item) => item.from === each.from)));
  }
  return path;
}

function membersOf(object: SyntaxNode): SyntaxNode[] {
  return object.getChildren('Property');
}

function itemsOf(array: SyntaxNode): SyntaxNode[] {
  const items: SyntaxNode[] = [];
  for (let child = array.firstChild; child; child = child.nextSibling) {
    if (!['[', ']', ','].includes(child.name)) items.push(child);
  }
  return items;
}

function memberOf(text: string, object: SyntaxNode, name: string): SyntaxNode | null {
  return membersOf(object).find((each) => nameOf(text, each) === name) ?? null;
}

function itemOf(array: SyntaxNode, index: string): SyntaxNode | null {
  return itemsOf(array)[Number(index)] ?? null;
}

function nameOf(text: string, property: SyntaxNode): string {
  const name = property.firstChild;
  return name ? text.slice(name.from + 1, name.to - 1) : '';
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function unescaped(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
