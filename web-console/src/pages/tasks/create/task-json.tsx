import { TaskRequest } from '@starling/protocol/schemas';
import { useTranslations } from 'use-intl';
import { JsonEditor } from '../../../components/json-editor/json-editor.tsx';
import type { Schema } from '../../../components/json-editor/schema.ts';
import type { PlacedProblem } from '../../../components/plan/problems.ts';

/** What is written on this page: the model is chosen beside it. */
const { name, plan, weights } = TaskRequest.properties;
const schema = {
  type: 'object',
  properties: { name, plan, weights },
  required: ['name', 'plan'],
} as unknown as Schema; // a JSON Schema, of which the editor reads a part

/** The task as JSON. */
export function TaskJson({
  text,
  problems,
  change,
}: {
  text: string;
  problems: readonly PlacedProblem[];
  change: (text: string) => void;
}) {
  const words = useTranslations('create');
  return (
    <JsonEditor text={text} name={words('jsonName')} schema={schema} problems={problems} change={change} />
  );
}
