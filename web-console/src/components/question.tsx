import { lazy, Suspense, useEffect, useState } from 'react';

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

let show: ((question: Question) => void) | undefined;

/** Asks, and acts on a yes. */
export function askFirst(question: Question): void {
  show?.(question);
}

/** The place of the dialog, which comes when the first question is asked. */
export function Questions() {
  const [question, setQuestion] = useState<Question>();
  useEffect(() => {
    show = setQuestion;
    return () => {
      show = undefined;
    };
  }, []);
  return (
    question && (
      <Suspense>
        <QuestionDialog
          question={question}
          close={() => {
            setQuestion(undefined);
          }}
        />
      </Suspense>
    )
  );
}
