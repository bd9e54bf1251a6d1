import { lazyRouteComponent } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { withWords } from '../i18n/with-words.tsx';

/** A page that comes, with its words, when it is first gone to. */
export function page<Name extends string>(
  load: () => Promise<Readonly<Record<Name, ComponentType>>>,
  name: Name,
) {
  return lazyRouteComponent(async () => ({ default: withWords((await load())[name]) }));
}
