import type { Page } from 'playwright-core';

/** Where a number needs no explanation of its own: what it is there, and why. */
export const exceptions: Readonly<Record<string, string>> = {
  'input, textarea, label, [role=option], [role=radiogroup], [class*=InputWrapper]':
    'entered: the label and the hint of the field say what it is',
  '.cm-editor, pre, code': 'a document, an id or a digest, as it was written',
  time: 'a moment: the server says it in words, its tooltip as a date',
  'h1, a, nav, [class*=Breadcrumbs]': 'a name, and it leads to what it names',
  'button:not([data-explains])': 'an action, which says what it does',
  '[role=alert], [role=status]': 'told: the sentence says what its numbers are',
};

interface Found {
  /** Numbers that were looked at. */
  readonly numbers: number;
  /** Those that nothing explains, with what stands beside them. */
  readonly unexplained: readonly string[];
}

/**
 * Looks through the content of a page for numbers that do not say what they are and which call they come from
 * (web-console/src/components/figure.tsx): a cell of a table is explained by the head of its column or row, all else, and
 * what is drawn, by the word of its figure, its bars, its fact or its panel.
 */
export function findUnexplained(page: Page): Promise<Found> {
  return page.evaluate<Found>(`(() => {
    const unexplained = [];
    let numbers = 0;
    const version = /\\d+\\.\\d+\\.\\d+/g; // a name: 0.1.0
    const number = /(?<![\\p{L}\\p{N}_-])\\d/u; // not the digits of a name: p50, L2, SHA-256
    const has = (element) => Boolean(element?.querySelector('[data-explains]'));
    const explained = (element) => {
      if (element.closest('[data-explains]')) return true;
      const cell = element.closest('tbody td, tbody th');
      const table = cell?.closest('table');
      if (has(cell?.parentElement.querySelector('th[scope=row]'))) return true;
      if (table?.tHead && !table.closest('[data-drawn]')) return has(table.tHead.rows[0].cells[cell.cellIndex]);
      return has(element.closest('[data-explained]'));
    };
    const texts = document.createTreeWalker(document.querySelector('#content'), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { data, parentElement } = texts.currentNode;
      if (!number.test(data.replace(version, '')) || parentElement.closest('style')) continue;
      if (parentElement.closest(${JSON.stringify(Object.keys(exceptions).join(', '))})) continue;
      numbers++;
      if (!explained(parentElement)) unexplained.push(parentElement.textContent);
    }
    return { numbers, unexplained };
  })()`);
}
