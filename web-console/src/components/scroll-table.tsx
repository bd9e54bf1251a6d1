import { Table, type TableProps } from '@mantine/core';

/** A table that scrolls sideways in a window narrower than itself. */
export function ScrollTable({
  name,
  ...table
}: TableProps & { /** For those who cannot see it. */ name: string }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={name}>
      <Table {...table} />
    </div>
  );
}
