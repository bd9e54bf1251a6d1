import { Button } from '@mantine/core';
import { askFirst } from './question.tsx';

/** A button that asks before it acts: what would happen, and a way back. */
export function ConfirmButton({
  name,
  title,
  text,
  act,
  pending,
  size = 'row',
  undoable = false,
}: {
  name: string;
  title: string;
  /** The consequence. */
  text: string;
  act: () => void;
  pending: boolean;
  /** In a row of a table, or among the actions of a page. */
  size?: 'row' | 'page';
  /** Nothing is lost by it. */
  undoable?: boolean;
}) {
  return (
    <Button
      {...(size === 'row' ? { size: 'compact-sm', variant: 'subtle' } : { variant: 'light' })}
      {...(!undoable && { color: 'red' })}
      loading={pending}
      onClick={() => {
        askFirst({ title, text, confirm: name, act, undoable });
      }}
    >
      {name}
    </Button>
  );
}
