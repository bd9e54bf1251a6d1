import { lazy, Suspense, useEffect, useState } from 'react';
import { openerNow } from './focus-back.ts';

const QuestionDialog = lazy(() =>
  import('./question-dialog.tsx').then((m) => ({ default: m.QuestionDialog })),
);

/** What one is asked before something is done. */
export interface Question {
  readonly title: string;
  /** The consequence. */
  readonly text: string;
  /** The name of the button that says yes. */
  readonly confirm: string;
  readonly act: () => void;
  /** Nothing is lost by it. */
  readonly undoable?: boolean;
}

interface Asked {
  readonly question: Question;
  readonly opener: HTMLElement | null;
}

let show: ((asked: Asked) => void) | undefined;

/** Asks, and acts on a yes. */
export function askFirst(question: Question): void {
  show?.({ question, opener: openerNow() });
}

/** The place of the dialog, which comes when the first question is asked. */
export function Questions() {
  const [asked, setAsked] = useState<Asked>();
  useEffect(() => {
    show = setAsked;
    return () => {
      show = undefined;
    };
  }, []);
  return (
    asked && (
      <Suspense>
        <QuestionDialog
          {...asked}
          close={() => {
            setAsked(undefined);
          }}
        />
      </Suspense>
    )
  );
}
