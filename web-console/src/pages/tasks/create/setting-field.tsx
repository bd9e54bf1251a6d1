import { Checkbox, Group, NumberInput, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { isObject, type Json } from '../../../components/plan/document.ts';
import type { Setting } from '../../../components/plan/settings.ts';
import { labelsAsText, labelsIn, numbersIn } from '../../../components/plan/values.ts';

interface FieldProps {
  setting: Setting;
  value: Json | undefined;
  /** What is wrong here, in the server's words. */
  error: string | undefined;
  /** `undefined` takes the setting away. */
  change: (value: Json | undefined) => void;
}

/** Where a setting is on the page, so that a list of problems can lead to it. */
export function fieldId(path: string): string {
  return `setting-${path}`;
}

/** The field of one setting, by its kind. */
export function SettingField(props: FieldProps) {
  const { setting, value, change } = props;
  const field = useFieldWords(props);
  switch (setting.kind) {
    case 'flag':
      return (
        <Checkbox
          {...field}
          checked={value === true}
          onChange={({ currentTarget: { checked } }) => {
            change(checked ? true : undefined);
          }}
        />
      );
    case 'choice':
      return <Choice {...props} options={setting.options} />;
    case 'numbers':
      return (
        <Listed
          {...props}
          write={(json) => (Array.isArray(json) ? json.join(', ') : '')}
          read={(text) => numbersIn(text)}
        />
      );
    case 'labels':
      return (
        <Listed
          {...props}
          write={labelsAsText}
          read={(text) => (text.trim() === '' ? undefined : labelsIn(text))}
        />
      );
    case 'schedule':
      return <Schedule {...props} />;
    case 'adaptation-rate':
      return <AdaptationRate {...props} />;
    case 'duration':
      return <Numeric {...props} scale={1000} suffix=" s" />;
    case 'share':
      return <Numeric {...props} scale={0.01} suffix=" %" />;
    default:
      return <Numeric {...props} whole={setting.kind === 'count'} />;
  }
}

/** Hints below: fields of a row stand at one height. */
const inputWrapperOrder: ('label' | 'input' | 'description' | 'error')[] = [
  'label',
  'input',
  'error',
  'description',
];

function useFieldWords({ setting, error }: FieldProps) {
  const words = useTranslations('plan');
  return {
    id: fieldId(setting.path),
    label: words(`name.${setting.word}`),
    description: words(`hint.${setting.word}`),
    error,
    ...(setting.kind !== 'flag' && { inputWrapperOrder }),
  };
}

/** A number; `scale` is what one of the shown unit is in the plan's. */
function Numeric({
  scale = 1,
  suffix = '',
  whole = false,
  ...props
}: FieldProps & { scale?: number; suffix?: string; whole?: boolean }) {
  const { setting, value, change } = props;
  return (
    <NumberInput
      {...useFieldWords(props)}
      required={!setting.optional}
      withAsterisk={false}
      allowDecimal={!whole}
      suffix={suffix}
      value={typeof value === 'number' ? rounded(value / scale) : ''}
      onChange={(given) => {
        change(given === '' ? undefined : rounded(Number(given) * scale));
      }}
    />
  );
}

/** Without what binary fractions add: 0.3 and not 0.30000000000000004. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

function Choice({ options, ...props }: FieldProps & { options: readonly (string | number)[] }) {
  const { setting, value, change } = props;
  const words = useTranslations('plan.choice');
  return (
    <Select
      {...useFieldWords(props)}
      allowDeselect={false}
      clearable={setting.optional === true}
      // every option of every choice is among the words: a test goes through them
      data={options.map((option) => ({ value: String(option), label: words(String(option) as 'sgd') }))}
      value={typeof value === 'string' || typeof value === 'number' ? String(value) : null}
      onChange={(chosen) => {
        change(options.find((option) => String(option) === chosen));
      }}
    />
  );
}

/** A list that is written as text: what was typed stays as it is while it means the same. */
function Listed({
  read,
  write,
  ...props
}: FieldProps & { read: (text: string) => Json | undefined; write: (json: Json | undefined) => string }) {
  const { setting, value, change } = props;
  const [typed, setTyped] = useState(() => write(value));
  const same = JSON.stringify(read(typed)) === JSON.stringify(value);
  return (
    <TextInput
      {...useFieldWords(props)}
      placeholder={setting.kind === 'labels' ? 'split=train' : ''}
      value={same ? typed : write(value)}
      onChange={({ currentTarget: { value: text } }) => {
        setTyped(text);
        change(read(text));
      }}
    />
  );
}

function Schedule(props: FieldProps) {
  const { setting, value, change, error } = props;
  const words = useTranslations('plan');
  const { id, label, description } = useFieldWords(props);
  const ends = isObject(value) ? value : undefined;
  const first = ends ? ends['from'] : value;
  const number = (given: number | string) => (given === '' ? undefined : Number(given));
  const input = (shown: Json | undefined, name: string, set: (given: number | undefined) => void) => (
    <NumberInput
      {...(name === 'from' && { id })}
      style={{ flex: 1 }}
      aria-label={`${label} ${ends ? words(name === 'from' ? 'from' : 'to') : ''}`}
      error={error !== undefined}
      value={typeof shown === 'number' ? shown : ''}
      onChange={(given) => {
        set(number(given));
      }}
    />
  );
  return (
    <Stack gap={4}>
      <Select
        label={label}
        description={description}
        id={`${fieldId(setting.path)}-kind`}
        allowDeselect={false}
        data={[
          { value: 'constant', label: words('constant') },
          { value: 'linear', label: words('linear') },
        ]}
        error={error}
        value={ends ? 'linear' : 'constant'}
        onChange={(kind) => {
          change(kind === 'linear' ? { from: first ?? 1, to: first ?? 1 } : first);
        }}
      />
      <Group gap="xs" wrap="nowrap">
        {input(first, 'from', (given) => {
          change(ends ? { ...ends, from: given ?? null } : given);
        })}
        {ends &&
          input(ends['to'], 'to', (given) => {
            change({ ...ends, to: given ?? null });
          })}
      </Group>
    </Stack>
  );
}

function AdaptationRate(props: FieldProps) {
  const { value, change } = props;
  const words = useTranslations('plan');
  const learned = value === 'learned';
  return (
    <Stack gap={6}>
      <NumberInput
        {...useFieldWords(props)}
        disabled={learned}
        value={typeof value === 'number' ? value : ''}
        onChange={(given) => {
          change(given === '' ? undefined : Number(given));
        }}
      />
      <Checkbox
        size="xs"
        label={words('learned')}
        checked={learned}
        onChange={({ currentTarget: { checked } }) => {
          change(checked ? 'learned' : 0.05);
        }}
      />
    </Stack>
  );
}
