import { useEffect, useState } from 'react';

/** What one acts from: the element that has the focus, or the button of the menu that it is in, as a menu goes once one chose. */
export function openerNow(): HTMLElement | null {
  const focused = document.activeElement;
  const menu = focused?.closest('[role=menu]');
  const opener = menu ? document.getElementById(menu.getAttribute('aria-labelledby') ?? '') : focused;
  return opener instanceof HTMLElement ? opener : null;
}

/**
 * Gives the focus back to what a dialog was opened from (else to what had it as the dialog came) when the dialog goes (WCAG
 * 2.2, 2.4.3). For dialogs that stand only while they are open: one that is told to open and close does it by itself.
 */
export function useFocusBack(from: HTMLElement | null = null): void {
  const [opener] = useState(() => from ?? openerNow());
  useEffect(
    () => () => {
      const target = opener?.isConnected ? opener : document.getElementById('content'); // what was acted on may have gone
      target?.focus({ preventScroll: true });
    },
    [opener],
  );
}
