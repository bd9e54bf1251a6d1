import { FileInput, SegmentedControl, Select, Stack } from '@mantine/core';
import { IconFile } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../../api/calls.tsx';
import { isObject, type Json } from '../../../components/plan/document.ts';

/** The model of a task that is being written: one of the project, or an IR that is uploaded with it. */
export type ChosenModel =
  { readonly digest: string; readonly name: string } | { readonly ir: unknown; readonly name: string };

/** Models of the zoo, read when they are chosen. */
const templates = {
  'har-mlp': () => import('@starling/model/zoo/har-mlp.json'),
  'sensor-cnn': () => import('@starling/model/zoo/sensor-cnn.json'),
  'femnist-cnn': () => import('@starling/model/zoo/femnist-cnn.json'),
  conv4: () => import('@starling/model/zoo/conv4.json'),
  'char-lstm': () => import('@starling/model/zoo/char-lstm.json'),
  'tiny-gpt': () => import('@starling/model/zoo/tiny-gpt.json'),
};
type TemplateName = keyof typeof templates;
const templateNames = Object.keys(templates) as TemplateName[]; // the keys of the table above

const sources = ['template', 'uploaded', 'file'] as const;
type Source = (typeof sources)[number];

/** Chooses a model: a template of the zoo, one that was uploaded, or a file. */
export function ModelChoice({
  chosen,
  choose,
  error,
}: {
  chosen: ChosenModel | undefined;
  choose: (model: ChosenModel) => void;
  error: string | undefined;
}) {
  const words = useTranslations('create');
  const [source, setSource] = useState<Source>(chosen && 'digest' in chosen ? 'uploaded' : 'template');
  const Chooser = { template: Templates, uploaded: Uploaded, file: FromFile }[source];
  return (
    <Stack gap="xs">
      <SegmentedControl
        aria-label={words('sourceName')}
        value={source}
        onChange={setSource}
        data={sources.map((value) => ({ value, label: words(`source.${value}`) }))}
      />
      <Chooser chosen={chosen} choose={choose} error={error} />
    </Stack>
  );
}

interface ChooserProps {
  chosen: ChosenModel | undefined;
  choose: (model: ChosenModel) => void;
  error: string | undefined;
}

function Templates({ chosen, choose, error }: ChooserProps) {
  const words = useTranslations('create');
  const known = templateNames.find((name) => chosen && 'ir' in chosen && chosen.name === name);
  return (
    <Select
      label={words('model')}
      description={words('templateHint')}
      allowDeselect={false}
      error={error}
      data={templateNames.map((value) => ({ value, label: `${value} · ${words(`template.${value}`)}` }))}
      value={known ?? null}
      onChange={(value) => {
        const name = templateNames.find((each) => each === value);
        if (name === undefined) return;
        void templates[name]().then((module) => {
          choose({ ir: module.default, name });
        });
      }}
    />
  );
}

const listed = 200;

function Uploaded({ chosen, choose, error }: ChooserProps) {
  const words = useTranslations('create');
  const { data } = useRead('listModels', { query: { limit: listed } });
  const items = data?.items ?? [];
  return (
    <Select
      label={words('model')}
      description={data?.next ? words('moreModels') : words('uploadedHint')}
      nothingFoundMessage={words('noModels')}
      searchable
      allowDeselect={false}
      error={error}
      data={items.map(({ digest, name, inputShape }) => ({
        value: digest,
        label: `${words('chosen', { name, shape: inputShape.join(' × ') })} · ${digest.slice(0, 8)}`,
      }))}
      value={chosen && 'digest' in chosen ? chosen.digest : null}
      onChange={(digest) => {
        const found = items.find((each) => each.digest === digest);
        if (found) choose({ digest: found.digest, name: found.name });
      }}
    />
  );
}

function FromFile({ choose, error }: ChooserProps) {
  const words = useTranslations('create');
  const [fault, setFault] = useState<string>();
  const take = (file: File | null) => {
    setFault(undefined);
    void file?.text().then((text) => {
      try {
        const ir = JSON.parse(text) as Json; // what JSON.parse gives
        const name = isObject(ir) && typeof ir['name'] === 'string' ? ir['name'] : file.name;
        choose({ ir, name });
      } catch (problem) {
        setFault(words('notJson', { message: problem instanceof Error ? problem.message : String(problem) }));
      }
    });
  };
  return (
    <FileInput
      label={words('model')}
      description={words('fileHint')}
      placeholder={words('file')}
      accept="application/json,.json"
      leftSection={<IconFile size={16} />}
      error={fault ?? error}
      onChange={take}
    />
  );
}
