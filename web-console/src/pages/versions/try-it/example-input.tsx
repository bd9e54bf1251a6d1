import { Alert, Button, FileButton, Group, SegmentedControl, Stack, Textarea, Text } from '@mantine/core';
import { IconArrowsShuffle, IconFileUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { imageOf, type RowShape } from '../../models/document.ts';
import type { LabelledRow } from './adapt-panel.tsx';
import { DrawPad } from './draw-pad.tsx';
import { newRowName } from './engine.ts';
import { randomRow } from './random-row.ts';
import { RowPreview } from './row-preview.tsx';
import { readRows, RowsProblem, type GivenRows, type RowsFault } from './rows.ts';

/** What the words of any fault may name. */
const noFault = { line: 0, text: '', found: 0, wanted: 0, classes: 0 };

type Way = 'random' | 'paste' | 'draw';

/** Ways to a row: at random, typed or pasted, out of a file, or drawn where a row is an image. */
export function ExampleInput({
  row,
  values,
  show,
  addLabelled,
}: {
  row: RowShape;
  values: Float32Array | undefined;
  show: (values: Float32Array) => void;
  /** Rows of a file that came with their classes. */
  addLabelled: (rows: LabelledRow[]) => void;
}) {
  const words = useTranslations('models.try');
  const image = imageOf(row.shape);
  const [way, setWay] = useState<Way>(image ? 'draw' : 'random');
  const [text, setText] = useState('');
  const [fault, setFault] = useState<RowsFault>();
  const [rows, setRows] = useState<GivenRows>();
  const [at, setAt] = useState(0);
  const read = (given: string) => {
    try {
      const found = readRows(given, row);
      setFault(undefined);
      setRows(found);
      setAt(0);
      if (found.x[0]) show(found.x[0]);
    } catch (error) {
      if (!(error instanceof RowsProblem)) throw error;
      setFault(error.fault);
    }
  };
  const step = (by: number) => {
    const next = (at + by + (rows?.x.length ?? 1)) % (rows?.x.length ?? 1);
    setAt(next);
    const found = rows?.x[next];
    if (found) show(found);
  };
  const labelled = rows?.x.flatMap((x, index) => {
    const label = rows.labels[index];
    return label === null || label === undefined ? [] : [{ name: newRowName(), x, label }];
  });
  const ways: Way[] = image ? ['draw', 'paste', 'random'] : ['random', 'paste'];
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {words('row', { shape: row.shape.join(' × '), size: row.size })}
      </Text>
      <SegmentedControl
        aria-label={words('way')}
        value={way}
        onChange={(value) => {
          setWay(value as Way); // the control's own values
        }}
        data={ways.map((value) => ({ value, label: words(value) }))}
      />
      {way === 'random' && (
        <Group>
          <Button
            variant="default"
            leftSection={<IconArrowsShuffle size={16} />}
            onClick={() => {
              show(randomRow(row, Math.random));
            }}
          >
            {words('drawRandom')}
          </Button>
          <Text size="sm" c="dimmed">
            {words(row.vocabulary === undefined ? 'randomHint' : 'randomTokens')}
          </Text>
        </Group>
      )}
      {way === 'paste' && (
        <Stack gap="xs">
          <Textarea
            label={words('numbers')}
            description={words('numbersHint', { size: row.size })}
            autosize
            minRows={3}
            maxRows={8}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
            }}
          />
          <Group gap="xs">
            <Button
              variant="default"
              disabled={text.trim() === ''}
              onClick={() => {
                read(text);
              }}
            >
              {words('use')}
            </Button>
            <FileButton
              accept=".csv,.txt,.json,.tsv"
              onChange={(file) => {
                void file?.text().then(read);
              }}
            >
              {(props) => (
                <Button {...props} variant="default" leftSection={<IconFileUpload size={16} />}>
                  {words('file')}
                </Button>
              )}
            </FileButton>
          </Group>
          {fault && (
            <Alert color="red" role="alert">
              {words(`fault.${fault.kind}`, { ...noFault, ...fault })}
            </Alert>
          )}
          {rows && rows.x.length > 1 && (
            <Group gap="xs">
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  step(-1);
                }}
              >
                {words('previousRow')}
              </Button>
              <Text size="sm">{words('rowOf', { at: at + 1, count: rows.x.length })}</Text>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  step(1);
                }}
              >
                {words('nextRow')}
              </Button>
            </Group>
          )}
          {labelled !== undefined && labelled.length > 0 && (
            <Group>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  addLabelled(labelled);
                }}
              >
                {words('addLabelled', { count: labelled.length })}
              </Button>
            </Group>
          )}
        </Stack>
      )}
      {way === 'draw' && image ? (
        <DrawPad {...image} drawn={show} />
      ) : (
        values && <RowPreview values={values} shape={row.shape} />
      )}
    </Stack>
  );
}
