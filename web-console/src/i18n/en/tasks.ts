/** Words of the pages of tasks. */
export const tasks = {
  title: 'Tasks',
  lead: 'A task is one learning job: a model, a plan, and rules of who may take part.',
  create: 'New task',
  empty: 'No tasks yet',
  emptyHint: 'Start from a template, see what it would take, then launch it on the fleet.',
  emptyViewer: 'An operator of this project can create one.',
  column: {
    name: 'Name',
    state: 'State',
    progress: 'Rounds',
    algorithm: 'Algorithm',
    secure: 'Updates',
    updated: 'Changed',
  },
  masked: 'Masked',
  clear: 'Clear',
  rounds: '{done, number} of {all, number}',
} as const;
