import {
  autocompletion,
  closeBrackets,
  completionKeymap,
  type CompletionSource,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import type { PlacedProblem } from '../plan/problems.ts';
import { rangeOf, writingAt } from './places.ts';
import { membersOffered, schemasAt, valuesOffered, type Offer, type Schema } from './schema.ts';

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--starling-code-name)' },
  { tag: [tags.string], color: 'var(--starling-code-text)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--starling-code-value)' },
]);

const look = EditorView.theme({
  '&': { fontSize: '13px', backgroundColor: 'transparent', color: 'inherit', height: '100%' },
  '.cm-scroller': { overflow: 'auto' },
  '.cm-content': { fontFamily: 'var(--mantine-font-family-monospace)', caretColor: 'currentColor' },
  '.cm-cursor': { borderLeftColor: 'currentColor' },
  '.cm-gutters': {
    backgroundColor: 'transparent',
    color: 'var(--mantine-color-dimmed)',
    border: 'none',
  },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '-2px' },
  '.cm-tooltip': {
    backgroundColor: 'var(--starling-surface)',
    border: '1px solid var(--starling-line)',
    color: 'inherit',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--mantine-primary-color-filled)',
    color: 'var(--mantine-primary-color-contrast)',
  },
  '.cm-selectionBackground': { backgroundColor: 'var(--mantine-color-iris-light) !important' },
});

/** A JSON text with completion by a schema, and with problems marked where they are. */
export function JsonEditor({
  text,
  name,
  schema,
  problems,
  change,
}: {
  text: string;
  /** What is written, for those who cannot see it. */
  name: string;
  schema: Schema;
  problems: readonly PlacedProblem[];
  change: (text: string) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const changed = useRef(change);
  useEffect(() => {
    changed.current = change;
  }, [change]);
  useEffect(() => {
    if (!place.current) return;
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({
        extensions: [
          lineNumbers(),
          history(),
          json(),
          indentUnit.of('  '),
          bracketMatching(),
          closeBrackets(),
          syntaxHighlighting(colours),
          autocompletion({ override: [completionBy(schema)] }),
          lintGutter(),
          EditorView.lineWrapping,
          // Tab leaves the editor, as it leaves every field
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': name, tabindex: '0' }),
          EditorView.updateListener.of(({ docChanged, state, transactions }) => {
            if (docChanged && !transactions.some((each) => each.isUserEvent('outside')))
              changed.current(state.doc.toString());
          }),
          look,
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, [schema, name]);
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: text },
      userEvent: 'outside',
    });
  }, [text, schema, name]);
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const length = editor.state.doc.length;
    const faults = jsonParseLinter()(editor);
    const placed = problems.map(({ pointer, message }): Diagnostic => {
      const { from, to } = rangeOf(editor.state.doc.toString(), pointer);
      return { from: Math.min(from, length), to: Math.min(to, length), severity: 'error', message };
    });
    editor.dispatch(setDiagnostics(editor.state, faults.length > 0 ? faults : placed));
  }, [problems, text, schema, name]);
  return <div ref={place} style={{ height: 420 }} />;
}

function completionBy(schema: Schema): CompletionSource {
  return (context) => {
    const { state, pos, explicit } = context;
    const typed = context.matchBefore(/"?[\w.-]*/);
    if (!explicit && (!typed || typed.from === typed.to)) return null;
    const text = state.doc.toString();
    const { path, member, known } = writingAt(text, pos);
    const document = readable(text);
    const offers =
      member === undefined
        ? membersOffered(schemasAt(schema, document, path), known)
        : valuesOffered(schemasAt(schema, document, [...path, member]));
    if (offers.length === 0) return null;
    const to = text[pos] === '"' && typed?.text.startsWith('"') ? pos + 1 : pos; // the quote that closed by itself
    return {
      from: typed?.from ?? pos,
      to,
      filter: false,
      options: offers.filter(beginsWith(typed?.text ?? '')).map(({ label, insert, detail, needed }) => ({
        label,
        apply: insert,
        info: detail,
        boost: needed ? 1 : 0,
        type: member === undefined ? 'property' : 'constant',
      })),
    };
  };
}

function beginsWith(typed: string): (offer: Offer) => boolean {
  const start = typed.replaceAll('"', '').toLowerCase();
  return ({ label }) => label.replaceAll('"', '').toLowerCase().startsWith(start);
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a text that is being written: the schema alone says what may come
  }
}
