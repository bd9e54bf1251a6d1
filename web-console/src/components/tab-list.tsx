import { Tabs } from '@mantine/core';
import { useEffect, useRef } from 'react';

/** Tabs in one line, however narrow the window: the chosen one is in view, and the others are scrolled to. */
export function TabList<Tab extends string>({
  tabs,
  chosen,
  named,
  label,
  disabled,
}: {
  tabs: readonly Tab[];
  chosen: Tab;
  /** The name of a tab. */
  named: (tab: Tab) => string;
  /** What they are parts of, for those who cannot see it. */
  label?: string;
  disabled?: (tab: Tab) => boolean;
}) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tab = line.current?.querySelector<HTMLElement>('[aria-selected=true]');
    if (tab && line.current)
      line.current.scrollLeft = tab.offsetLeft + (tab.offsetWidth - line.current.clientWidth) / 2;
  }, [chosen]);
  return (
    <Tabs.List
      ref={line}
      className="tabs-in-line"
      style={{ flexWrap: 'nowrap' }}
      {...(label !== undefined && { 'aria-label': label })}
    >
      {tabs.map((tab) => (
        <Tabs.Tab key={tab} value={tab} disabled={disabled?.(tab) ?? false}>
          {named(tab)}
        </Tabs.Tab>
      ))}
    </Tabs.List>
  );
}
