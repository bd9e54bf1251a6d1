import { Button, Group, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState, type HTMLInputTypeAttribute, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';

/** What a list is narrowed to: texts by name, empty where it is not. */
export interface Filter<Names extends string> {
  readonly values: Readonly<Record<Names, string>>;
  /** The values as they stand once one stops to type: what is asked of the server. */
  readonly settled: Readonly<Record<Names, string>>;
  readonly set: (name: Names, value: string) => void;
  readonly clear: () => void;
  readonly isClear: boolean;
}

const settleMs = 300;

export function useFilter<Names extends string>(none: Readonly<Record<Names, string>>): Filter<Names> {
  const [values, setValues] = useState(none);
  const [settled] = useDebouncedValue(values, settleMs);
  return {
    values,
    settled,
    set: (name, value) => {
      setValues((before) => ({ ...before, [name]: value }));
    },
    clear: () => {
      setValues(none);
    },
    isClear: Object.values(values).every((value) => value === ''),
  };
}

/** A field of a filter. */
export function FilterField<Names extends string>({
  filter,
  name,
  label,
  width,
  ...field
}: {
  filter: Filter<Names>;
  name: Names;
  label: string;
  width: number;
  placeholder?: string;
  type?: HTMLInputTypeAttribute;
}) {
  return (
    <TextInput
      {...field}
      label={label}
      // two beside each other on a phone, but for moments, which are long
      w={{ base: field.type === 'datetime-local' ? '100%' : 'calc(50% - 0.375rem)', xs: width }}
      value={filter.values[name]}
      onChange={({ currentTarget: { value } }) => {
        filter.set(name, value);
      }}
    />
  );
}

/** Fields in a row, and a way to see all again. */
export function Filters({
  filter,
  children,
}: {
  filter: Pick<Filter<string>, 'clear' | 'isClear'>;
  children: ReactNode;
}) {
  const words = useTranslations('shell.list');
  return (
    <Group align="flex-end" gap="sm">
      {children}
      {!filter.isClear && (
        <Button variant="subtle" onClick={filter.clear}>
          {words('clear')}
        </Button>
      )}
    </Group>
  );
}
