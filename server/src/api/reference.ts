import { stylePolicy, text } from './html.ts';

/** What of an OpenAPI document the reference shows. */
export interface ApiDescription {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, OperationDescription>>;
}

interface OperationDescription {
  tags?: string[];
  operationId?: string;
  summary?: string;
  description?: string;
  'x-role'?: string;
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; schema?: unknown }[];
  requestBody?: { content: Record<string, Media> };
  responses?: Record<string, { description?: string; content?: Record<string, Media> }>;
}

interface Media {
  schema?: unknown;
  example?: unknown;
  examples?: Record<string, { value?: unknown }>;
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { overflow: auto; padding: .6rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .3rem; }
.method { display: inline-block; width: 4.2rem; font-weight: 700; }
.role { float: right; font-size: .85rem; opacity: .75; }
details > :not(summary) { margin-left: 4.2rem; }
`;

export const referencePolicy = stylePolicy(style);

/** The reference as one page of HTML without script, from the OpenAPI document that the routes describe. */
export function referencePage({ info, tags = [], paths }: ApiDescription): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name, description = '' }) => {
    const inside = operations.filter(({ operation }) => operation.tags?.includes(name));
    return `<h2 id="${text(name)}">${text(name)}</h2><p>${text(description)}</p>${inside.map(operationOf).join('')}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(info.title)} ${text(info.version)}: reference</title><style>${style}</style></head>
<body><h1>${text(info.title)} ${text(info.version)}</h1><p>${text(info.description ?? '')}
The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
<nav>${tags.map(({ name }) => `<a href="#${text(name)}">${text(name)}</a>`).join(' · ')}</nav>
<main>${sections.join('\n')}</main></body></html>
`;
}

function operationOf({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: OperationDescription;
}): string {
  const { operationId, summary = '', description, parameters = [], requestBody, responses = {} } = operation;
  const bodies = Object.values(requestBody?.content ?? {}).map(
    (media) => `<h4>Body</h4>${examplesOf(media)}${schemaOf(media.schema)}`,
  );
  const answers = Object.entries(responses).map(
    ([status, { description: what = '', content = {} }]) =>
      `<h4>${text(status)} ${text(what === 'Default Response' ? '' : what)}</h4>${Object.values(content)
        .map(({ schema }) => schemaOf(schema))
        .join('')}`,
  );
  return `<details${operationId === undefined ? '' : ` id="${text(operationId)}"`}>
<summary><span class="role">${text(whoMay(operation))}</span><span class="method">${method.toUpperCase()}</span><code>${text(path)}</code> ${text(summary)}</summary>
${description === undefined ? '' : `<p>${text(description)}</p>`}
${parameters.length === 0 ? '' : `<ul>${parameters.map((parameter) => `<li><code>${text(parameter.name)}</code> (${text(parameter.in)}${parameter.required === true ? ', required' : ''})</li>`).join('')}</ul>`}
${bodies.join('')}${answers.join('')}</details>`;
}

function whoMay({ 'x-role': role, security = [] }: OperationDescription): string {
  const parties = [
    ...(role === undefined ? [] : [`${role} key`]),
    ...(security.some((scheme) => 'session' in scheme) ? ['device'] : []),
  ];
  return parties.join(' or ') || 'anyone';
}

function examplesOf({ example, examples = {} }: Media): string {
  const all = [
    ...(example === undefined ? [] : [example]),
    ...Object.values(examples).map(({ value }) => value),
  ];
  return all.map((value) => `<pre>${text(JSON.stringify(value, null, 2))}</pre>`).join('');
}

function schemaOf(schema: unknown): string {
  if (schema === undefined) return '';
  return `<details><summary>Schema</summary><pre>${text(JSON.stringify(schema, null, 2))}</pre></details>`;
}
